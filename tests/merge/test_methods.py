"""Every other merging method of the program against its second writing in numpy, and against what
must hold of it without one."""

import json
import subprocess
import sys
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import methods_reference as methods  # noqa: E402
import reference  # noqa: E402
from test_reference import R2M, Model, ulp  # noqa: E402

VECTORS_TOO = {"average", "task_arithmetic", "ties", "dare"}  # the others average vectors

# Method, arguments of its second writing, the same as --set assignments.
CASES = [
    ("average", {}, []),
    ("task_arithmetic", {}, []),
    ("task_arithmetic", {"factor": -0.7}, ["task_arithmetic.lambda=-0.7"]),
    ("ties", {}, []),
    ("ties", {"density": 0.001}, ["ties.density=0.001"]),
    ("ties", {"density": 0}, ["ties.density=0"]),
    ("ties", {"density": 1, "factor": 0.5}, ["ties.density=1", "ties.lambda=0.5"]),
    ("dare", {}, []),
    ("dare", {"drop": 0.9, "seed": 12345678901, "factor": 1.0},
     ["dare.drop=0.9", "dare.seed=12345678901", "dare.lambda=1"]),
    ("cart", {}, []),
    ("cart", {"ratio": 0.5, "factor": 0.8}, ["cart.ratio=0.5", "cart.lambda=0.8"]),
    ("tsv_m", {}, []),
    ("tsv_m", {"alpha": 1.7}, ["tsv_m.alpha=1.7"]),
    ("iso_c", {}, []),
    ("iso_c", {"alpha": 0.4}, ["iso_c.alpha=0.4"]),
]


def settings(assignments):
    return [word for one in assignments for word in ("--set", one)]


class Methods(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = Model(seed=5)
        plain = reference.Merge(cls.model.base, cls.model.specialists, reference.Options())
        cls.raw, cls.roles, cls.shared = plain.raw, plain.roles, plain.shared
        cls.heads = {name: plain.merged[name] for name in plain.roles["head"]}

    @classmethod
    def tearDownClass(cls):
        cls.model.folder.cleanup()

    def merge(self, method, assignments=(), name="out.safetensors"):
        return self.model.merge(settings([f"method={method}", *assignments]), name)

    def expected(self, method, name, weights, changes):
        vectors = [t[name] for t in self.raw]
        if name not in self.roles["matrix"] and method not in VECTORS_TOO:
            return methods.average(vectors, weights)
        named = {"name": name} if method == "dare" else {}
        return getattr(methods, method)(vectors, weights, **named, **changes)

    def compare(self, method, changes, assignments, weights=(1, 1, 1)):
        _, merged, dtypes = self.merge(method, assignments)
        weights = np.array(weights) * len(weights) / sum(weights)
        for name in self.shared:
            change = self.expected(method, name, weights, changes)
            expected = self.model.base[name].astype(np.float64) + change
            bound = 2e-6 * np.abs(change).max() + 1.0001 * ulp(expected, dtypes[name])
            error = np.abs(merged[name].astype(np.float64) - expected)
            self.assertTrue((error <= bound).all(), f"{name}: {(error / bound).max()} of what is allowed")
        for name, head in self.heads.items():
            np.testing.assert_allclose(merged[name], head, rtol=1e-6)
        np.testing.assert_array_equal(merged["position_ids"], self.model.base["position_ids"])

    def test_every_method(self):
        for method, changes, assignments in CASES:
            with self.subTest(method=method, **changes):
                self.compare(method, changes, assignments)

    def test_weights(self):
        weights = ["specialists.b.weight=2", "specialists.c.weight=0.5"]
        for method in ("average", "task_arithmetic", "ties", "dare", "cart", "tsv_m", "iso_c"):
            with self.subTest(method):
                self.compare(method, {}, weights, [1, 2, 0.5])

    def test_a_specialist_of_no_weight_is_out(self):
        weights = ["specialists.c.weight=0"]
        for method in ("average", "task_arithmetic", "ties", "dare", "cart", "iso_c"):
            with self.subTest(method):
                self.compare(method, {}, weights, [1, 1, 0])

    def same_weights(self, one, other, relative=0.0):
        for name in self.shared:
            np.testing.assert_allclose(one[1][name], other[1][name], relative, 1e-9 * (relative > 0), name)

    def test_cases_in_which_methods_meet(self):
        average = self.merge("average")
        self.same_weights(self.merge("dare", ["dare.drop=0"]), self.merge("task_arithmetic"), 3e-7)
        for method, assignments in [("task_arithmetic", [f"task_arithmetic.lambda={1 / 3!r}"]),
                                    ("cart", ["cart.ratio=1"]), ("cart", ["cart.lambda=0"])]:
            with self.subTest(method):
                self.same_weights(self.merge(method, assignments), average, 3e-7)

    def test_alone_a_specialist_comes_back(self):
        base, one, *_ = self.model.files
        for method, assignments in [("average", []), ("ties", ["ties.density=1"]), ("tsv_m", []),
                                    ("task_arithmetic", ["task_arithmetic.lambda=1"]),
                                    ("dare", ["dare.drop=0", "dare.lambda=1"])]:
            with self.subTest(method):
                out = self.model.path("alone.safetensors")
                done = subprocess.run([R2M, "merge", "--base", base, one, "--force", "-o", out, "--quiet",
                                       *settings([f"method={method}", *assignments])],
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                merged, _ = reference.read(out)
                for name, tensor in self.model.specialists[0].items():
                    np.testing.assert_allclose(merged[name], tensor, rtol=3e-7, atol=1e-7)

    def test_iso_c_makes_singular_values_equal(self):
        _, merged, _ = self.merge("iso_c", ["output.dtype=f32"])
        change = merged["blocks.1.mlp.weight"].astype(float) - self.model.base["blocks.1.mlp.weight"]
        sigma = np.linalg.svd(change, compute_uv=False)
        np.testing.assert_allclose(sigma, sigma[0], rtol=1e-4)

    def test_threads_do_not_matter(self):
        for method in ("ties", "dare", "tsv_m", "iso_c", "cart"):
            files = [Path(self.model.path(f"threads-{n}.safetensors")) for n in (1, 3)]
            for file, threads in zip(files, (1, 3)):
                self.model.merge([*settings([f"method={method}"]), "--threads", str(threads)], file.name)
            self.assertEqual(files[0].read_bytes(), files[1].read_bytes(), method)

    def test_the_seed_matters(self):
        one, other = self.merge("dare"), self.merge("dare", ["dare.seed=1"], "other.safetensors")
        name = "blocks.0.attn.weight"
        self.assertFalse(np.array_equal(one[1][name], other[1][name]))

    def test_the_config_holds_the_method(self):
        path = self.model.path("ties.json")
        base, *specialists = self.model.files
        subprocess.run([R2M, "init", "--base", base, *specialists, "-o", path,
                        *settings(["method=ties", "ties.density=0.3"])], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        config = json.loads(Path(path).read_text())
        self.assertEqual((config["method"], config["ties"]), ("ties", {"density": 0.3, "lambda": 1}))
        self.assertNotIn("dare", config)
        out = self.model.path("from-config.safetensors")
        subprocess.run([R2M, "merge", path, "-o", out, "--quiet"], check=True, stdin=subprocess.DEVNULL)
        direct = self.merge("ties", ["ties.density=0.3"], "direct.safetensors")
        self.same_weights((None, reference.read(out)[0]), direct)

    def test_cart_shows_its_spectra(self):
        figures = self.model.analyze(settings(["method=cart"]))
        layer = next(l for l in figures["layers"] if l["name"] == "blocks.0.attn.weight")
        mean = sum(t[layer["name"]] for t in self.raw) / 3
        for cell, task in zip(layer["specialists"], self.raw):
            sigma = np.linalg.svd(task[layer["name"]] - mean, compute_uv=False)
            np.testing.assert_allclose(cell["sigma"], sigma, rtol=1e-6, atol=1e-6 * sigma[0])
            self.assertEqual(cell["rank"], int(0.12 * len(sigma)))


if __name__ == "__main__":
    unittest.main()
