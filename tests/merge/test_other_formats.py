"""The YAML for mergekit, merged by mergekit's formulas in plain numpy, gives the weights that the
program's own merge gives; and the authors' YAML through the program."""

import re
import sys
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import reference  # noqa: E402
from program_test import SOURCE, ProgramTest  # noqa: E402
from test_reference import Model  # noqa: E402


def value(text):
    return {"true": True, "false": False}.get(text, text if re.search("[a-z]", text) else float(text))


def recipe(text):
    """The two levels of mappings and the list of models that such a file has."""
    top, models, where = {}, [], None
    for line in text.splitlines():
        key, _, rest = line.strip().removeprefix("- ").partition(":")
        indent = len(line) - len(line.lstrip())
        if line.startswith("- "):
            where = {}
            models.append({key: rest.strip(), "parameters": where})
        elif indent == 0 and rest == "":
            where = top.setdefault(key, {})
        elif rest != "":
            (top if indent == 0 else where)[key] = value(rest.strip())
    return top, models


def trimmed(delta, density):
    """mergekit's magnitude sparsification: exactly int(density * size) elements stay."""
    if density >= 1:
        return delta
    keep = np.zeros(delta.size, bool)
    count = int(density * delta.size)
    assert count > 0, "mergekit refuses to drop a whole tensor"
    keep[np.argsort(-np.abs(delta).ravel(), kind="stable")[:count]] = True
    return np.where(keep.reshape(delta.shape), delta, 0)


def merged(top, models, base, tensors):
    """One tensor by the method of the recipe; tensors: of each model."""
    weights = np.array([m["parameters"]["weight"] for m in models])
    weights = weights.reshape((-1,) + (1,) * tensors[0].ndim)
    method, parameters = top["merge_method"], top["parameters"]
    stack = np.stack([t.astype(float) for t in tensors])
    if method == "linear":
        return (weights * stack).sum(0) / (weights.sum(0) if parameters["normalize"] else 1)
    deltas = stack - base.astype(float)
    if method == "ties":
        deltas = np.stack([trimmed(d, m["parameters"]["density"])
                           for d, m in zip(deltas, models)])
    weighted = weights * deltas
    mask = np.ones_like(deltas, bool)
    if method == "ties":
        mask = np.sign(weighted) == np.where(weighted.sum(0) >= 0, 1, -1)
    total = (weights * mask).sum(0)
    mixed = (weighted * mask).sum(0)
    if parameters["normalize"]:
        mixed = mixed / np.where(total == 0, 1, total)
    return base + parameters.get("lambda", 1) * mixed


class Mergekit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = Model(seed=8)

    @classmethod
    def tearDownClass(cls):
        cls.model.folder.cleanup()

    def compare(self, method, *assignments):
        words = [w for one in (f"method={method}", *assignments) for w in ("--set", one)]
        self.model.run("init", *words, "--format", "mergekit", "-o", self.model.path("m.yaml"),
                       "--force")
        top, models = recipe(Path(self.model.path("m.yaml")).read_text())
        _, ours, _ = self.model.merge(words)
        self.assertEqual([m["model"] for m in models], ["a.safetensors", "b.safetensors",
                                                        "c.safetensors"])
        self.assertEqual(top.get("base_model"),
                         None if method == "average" else "base.safetensors")
        self.assertEqual(top["dtype"], "float32")
        shared = [n for n in self.model.base if all(n in s for s in self.model.specialists)]
        self.assertGreater(len(shared), 3)
        for name in shared:
            base = self.model.base[name]
            if not np.issubdtype(base.dtype, np.floating) or base.size < 8:
                continue
            theirs = merged(top, models, base, [s[name] for s in self.model.specialists])
            np.testing.assert_allclose(ours[name], theirs, rtol=0,
                                       atol=2e-7 * np.abs(theirs).max(), err_msg=name)
        return top, models

    WEIGHTS = ["specialists.a.weight=2", "specialists.c.weight=0.5"]

    def test_average(self):
        self.compare("average")
        self.compare("average", *self.WEIGHTS)

    def test_task_arithmetic(self):
        self.compare("task_arithmetic")
        self.compare("task_arithmetic", "task_arithmetic.lambda=-0.7", *self.WEIGHTS)

    def test_ties(self):
        self.compare("ties", "ties.density=0.4")
        top, _ = self.compare("ties", "ties.density=0.4", "ties.lambda=0.6", *self.WEIGHTS)
        self.assertEqual(top["parameters"]["lambda"], 0.6)
        self.compare("ties", "ties.density=1")

    def test_dare(self):
        top, models = self.compare("dare", "dare.drop=0", "dare.lambda=0.5", *self.WEIGHTS)
        self.assertEqual(top["merge_method"], "dare_linear")
        self.assertTrue(top["parameters"]["rescale"])
        self.model.run("init", "--set", "method=dare", "--set", "dare.drop=0.75", "--format",
                       "mergekit", "-o", self.model.path("m.yaml"), "--force")
        _, models = recipe(Path(self.model.path("m.yaml")).read_text())
        self.assertEqual([m["parameters"]["density"] for m in models], [0.25] * 3)

    def test_output_dtype(self):
        self.model.run("init", "--set", "method=ties", "--set", "output.dtype=bf16", "--format",
                       "mergekit", "-o", self.model.path("m.yaml"), "--force")
        top, _ = recipe(Path(self.model.path("m.yaml")).read_text())
        self.assertEqual(top["out_dtype"], "bfloat16")

    def test_methods_that_mergekit_lacks(self):
        for method in ("r2m", "cart", "tsv_m", "iso_c"):
            with self.assertRaisesRegex(AssertionError, "exit 2: .*mergekit has average"):
                self.model.run("init", "--set", f"method={method}", "--format", "mergekit", "-o",
                               self.model.path("none.yaml"))
            self.assertFalse(Path(self.model.path("none.yaml")).exists())


class Authors(unittest.TestCase):
    """A file of theirs as SOURCE gives the bytes that our own settings give."""

    def test_same_bytes(self):
        model = Model(seed=9)
        self.addCleanup(model.folder.cleanup)
        path = Path(model.path("theirs.yaml"))
        path.write_text("model: base.safetensors\nweight_root: ./\ntasks: [a, b, c]\n"
                        "initial_rank_ratio: 0.3\nreal_rank_ratio: 2\nreal_blend_beta: 0.5\n"
                        "eta_norm_alpha: 0.8\nprior: 0.5\ndevice: auto\n")
        words = ["residual.rank.ratio=0.3", "real.rank=2", "real.blend=0.5", "alpha=0.8"]
        _, ours, _ = model.merge([w for one in words for w in ("--set", one)])
        model.files = [model.files[0], str(path)]  # --base and the YAML
        model.run("merge", "-o", model.path("theirs.safetensors"))
        theirs, _ = reference.read(model.path("theirs.safetensors"))
        for name, tensor in ours.items():
            np.testing.assert_array_equal(theirs[name], tensor)
        model.run("init", "-o", model.path("back.yaml"), "--format", "authors")
        model.run("init", "-o", model.path("back.json"))
        back = Path(model.path("back.yaml")).read_text()
        for line in ("weight_root: ./", "tasks: [a, b, c]", "initial_rank_ratio: 0.3",
                     "real_rank_ratio: 2", "real_blend_beta: 0.5", "eta_norm_alpha: 0.8"):
            self.assertIn(line + "\n", back)


class Told(ProgramTest):
    """What the command says."""

    def test_what_is_lost_is_a_warning_each(self):
        done = self.run_program("init", *SOURCE, "-o", "a.yaml", "--format", "authors", "--set",
                                "norm_match=none", "--set", "specialists.fr.weight=2")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stderr.splitlines()
        self.assertTrue(all(line.startswith("r2m: warning: ") for line in lines), done.stderr)
        for words in ("no norm_match (here none)", "fr counts like the others, not 2",
                      "looks for efs.pth, not efs.safetensors", "eta script"):
            self.assertEqual(sum(words in line for line in lines), 1, words)
        self.refused(1, "init", *SOURCE, "-o", "a.yaml", "--format", "authors", says=["exists"])
        self.refused(2, "init", *SOURCE, "-o", "b.yaml", "--format", "yaml",
                     says=["--format", "r2m, authors, mergekit"])

    def test_heads_are_not_weighed_here(self):
        """By mergekit's linear they are, as all tensors."""
        words = ["init", *SOURCE, "-o", "m.yaml", "--force", "--format", "mergekit", "--set", "method=average"]
        self.assertNotIn("head", self.run_program(*words).stderr)
        told = self.run_program(*words, "--set", "specialists.fr.weight=2").stderr
        self.assertIn("mergekit weighs the 1 head tensors, too", told)

    def test_a_base_that_is_a_name_on_a_hub(self):
        (self.folder / "t.yaml").write_text("tasks: [fs, fr]\nmodel: openai/clip-vit-large-patch14\n")
        said = self.refused(1, "analyze", "t.yaml", says=["t.yaml: model: openai/clip"])
        self.assertIn("hint: --base FILE", said)
        self.good("analyze", "t.yaml", "--base", "base.safetensors")
        (self.folder / "t.yaml").write_text("tasks: [fs]\n")
        self.refused(1, "merge", "t.yaml", "-o", "m.pth", says=["model: missing", "--base"])

    def test_unknown_fields_have_their_line(self):
        (self.folder / "t.yaml").write_text("tasks: [fs]\n\nwight_root: x\n")
        self.refused(2, "analyze", "t.yaml", says=["t.yaml: line 3: wight_root: unknown field",
                                                   "did you mean weight_root?"])


if __name__ == "__main__":
    unittest.main()
