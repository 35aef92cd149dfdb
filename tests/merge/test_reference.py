"""The program against an independent numpy writing of the method, on small random models: every
figure of `analyze --json` and every weight of `merge`, with each switch of the config."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import reference  # noqa: E402

R2M = os.environ.get("R2M", "build/r2m")

SHAPES = {"blocks.0.attn.weight": (24, 16), "blocks.0.attn.bias": (24,), "blocks.0.ln.weight": (16,),
          "blocks.1.mlp.weight": (12, 30), "blocks.1.mlp.bias": (12,), "blocks.10.mlp.weight": (18, 18),
          "conv.weight": (8, 3, 3, 3), "norm.weight": (16,), "pos.ln_embed": (6, 16)}
NORMS = [3.0, 1.3, 2.2]  # of the task vectors: unequal, so that matching has something to do

# Options of reference.py and the same as --set assignments.
CASES = {
    "default": ({}, []),
    "rank 2": ({"rank": 2}, ["real.rank=2"]),
    "rank 3, the whole space": ({"rank": 3}, ["real.rank=3"]),
    "center": ({"center": True}, ["real.center=true"]),
    "center, rank 2, projection": ({"center": True, "rank": 2, "against": "projection"},
                                   ["real.center=true", "real.rank=2", "residual.against=projection"]),
    "normalize": ({"normalize": True}, ["real.normalize=true"]),
    "normalize, fro, center": ({"normalize": True, "block_norm": "fro", "center": True},
                               ["real.normalize=true", "real.block_norm=fro", "real.center=true"]),
    "fro_sqrtp": ({"block_norm": "fro_sqrtp"}, ["real.block_norm=fro_sqrtp"]),
    "script tensors": ({"tensors": "script"}, ["real.tensors=script"]),
    "blend": ({"blend": 0.25}, ["real.blend=0.25"]),
    "projection": ({"against": "projection"}, ["residual.against=projection"]),
    "normalize, projection": ({"normalize": True, "against": "projection"},
                              ["real.normalize=true", "residual.against=projection"]),
    "match layer": ({"norm_match": "layer"}, ["norm_match=layer"]),
    "match none": ({"norm_match": "none"}, ["norm_match=none"]),
    "eta script": ({"eta": "script"}, ["eta=script"]),
    "eta absolute": ({"eta": "absolute", "alpha": 1.7}, ["eta=absolute", "alpha=1.7"]),
    "core scale": ({"core_scale": -0.5, "alpha": 0.3}, ["core_scale=-0.5", "alpha=0.3"]),
    "weights": ({"weights": [1, 2, 0.5]}, ["specialists.b.weight=2", "specialists.c.weight=0.5"]),
    "a weight of 0": ({"weights": [1, 0, 1]}, ["specialists.b.weight=0"]),
    "ratio": ({"rule": ("ratio", 0.5)}, ["residual.rank.ratio=0.5"]),
    "number": ({"rule": ("rank", 3)}, ["residual.rank.rank=3"]),
    "energy": ({"rule": ("energy", 0.8)}, ["residual.rank.energy=0.8"]),
    "gd": ({"rule": ("gd", True)}, ["residual.rank.gd=true"]),
    "mp": ({"rule": ("mp", True)}, ["residual.rank.mp=true"]),
    "auto": ({"rule": ("auto", True)}, ["residual.rank.auto=true"]),
    "full": ({"rule": ("full", True)}, ["residual.rank.full=true"]),
    "zero": ({"rule": ("zero", True)}, ["residual.rank.zero=true"]),
    "all excluded from heads": ({"head": ["head.*", "classifier.*", "pos.*"]}, ["keys.head=pos.*"]),
}


def random_models(seed):
    """Base and three specialists: a common low-rank change, one of their own, a few spikes."""
    random = np.random.default_rng(seed)
    normal = lambda shape: random.standard_normal(shape)
    base = {name: normal(shape).astype(np.float32) for name, shape in SHAPES.items()}
    common = {name: normal(shape) for name, shape in SHAPES.items()}
    specialists = []
    for size in NORMS:
        change = {}
        for name, shape in SHAPES.items():
            spikes = 3 * np.multiply.outer(normal(shape[0]), normal(shape[1:])) if len(shape) > 1 else 0
            change[name] = 0.8 * common[name] + 0.5 * normal(shape) + spikes
        norm = np.sqrt(sum((c ** 2).sum() for c in change.values()))
        tensors = {name: (base[name] + 0.01 * size / norm * 20 * change[name]).astype(np.float32)
                   for name in SHAPES}
        tensors["head.weight"] = normal((2, 16)).astype(np.float32)
        tensors["head.bias"] = normal((2,)).astype(np.float32)
        specialists.append(tensors)
    for tensors in [base, *specialists]:
        tensors["position_ids"] = np.arange(7, dtype=np.int64)
    return base, specialists


class Model:
    """Files in a temporary folder, and the program run on them."""

    def __init__(self, seed):
        self.folder = tempfile.TemporaryDirectory(prefix="r2m-reference-")
        self.base, self.specialists = random_models(seed)
        self.files = [self.path(f"{name}.safetensors") for name in ("base", "a", "b", "c")]
        for path, tensors in zip(self.files, [self.base, *self.specialists]):
            reference.write(path, tensors)

    def path(self, name):
        return str(Path(self.folder.name) / name)

    def run(self, command, *arguments):
        base, *specialists = self.files
        line = [R2M, command, "--base", base, *specialists, "--cache", "none", "--quiet", *arguments]
        done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(line)}\nexit {done.returncode}: {done.stderr}")
        return done.stdout

    def analyze(self, arguments):
        return json.loads(self.run("analyze", "--json", "--spectra", *arguments))

    def merge(self, arguments, name="out.safetensors"):
        report = json.loads(self.run("merge", "--json", "--force", "-o", self.path(name), *arguments))
        return report, *reference.read(self.path(name))


def ulp(array, dtype):
    """Half a unit in the last place of a dtype at these values."""
    digits = {"F64": 52, "F32": 23, "F16": 10, "BF16": 7}[dtype]
    least = {"F64": -1022, "F32": -126, "F16": -14, "BF16": -126}[dtype]
    exponent = np.maximum(np.frexp(np.abs(array))[1] - 1, least)
    return 2.0 ** (exponent - digits - 1)


class Reference(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.model = Model(seed=11)

    @classmethod
    def tearDownClass(cls):
        cls.model.folder.cleanup()

    def close(self, found, expected, what, relative=1e-7, absolute=0.0):
        np.testing.assert_allclose(np.array(found, float), np.array(expected, float), rtol=relative,
                                   atol=absolute, err_msg=what)

    def compare_figures(self, figures, truth):
        real = figures["real"]
        top = np.abs(truth.eigenvalues).max()
        self.close(real["eigenvalues"], truth.eigenvalues, "eigenvalues", absolute=1e-12 * top)
        self.close(real["weights"], truth.weights, "weights", absolute=1e-9)
        self.close(real["parts"], truth.parts, "parts", absolute=1e-9)
        self.close(real["core_norm"], truth.core_norm, "core_norm")
        self.close(real["mean_norm"], truth.mean_norm, "mean_norm")
        self.close(real["cos_core_mean"], truth.cos_core_mean, "cos_core_mean", absolute=1e-9)
        self.close(figures["cos_task_vectors"], truth.cosines(), "cosines", absolute=1e-9)
        self.close(figures["eta"], truth.eta, "eta")
        self.close(figures["residual_scale_nbar"], truth.nbar, "nbar")
        for i, one in enumerate(figures["specialists"]):
            self.assertEqual(one["name"], "abc"[i])
            self.assertEqual(one["path"], self.model.files[i + 1])
            self.close(one["norm"], np.sqrt(reference.inner(truth.raw[i], truth.raw[i], truth.shared)),
                       "norm")
            self.close(one["real_share"], truth.real_share(i), "real_share", absolute=1e-9)
            self.close(one["residual_norm"], truth.residual_norms[i], "residual_norm")
            self.close(one["scale"], truth.scale[i], "scale")
            self.close(one["share_before"], truth.share_before[i], "share_before", absolute=1e-9)
            self.close(one["share_after"], truth.share_after[i], "share_after", absolute=1e-9)

    def compare_cell(self, cell, truth, name, i):
        norm = np.sqrt((truth.raw[i][name] ** 2).sum())
        where, tiny = f"{name}, {i}: ", 1e-9 * norm
        self.assertEqual(cell["name"], "abc"[i])
        self.close(cell["norm"], norm, where + "norm")
        self.close([cell[k] for k in ("real", "fake", "cross")], truth.energy_split(name, i),
                   where + "split", absolute=1e-9 * norm ** 2)
        self.close(cell["residual_norm"], truth.cell_norm[name][i], where + "residual_norm",
                   absolute=1e-7 * norm)
        self.close(cell["contribution"], truth.contribution[name][i], where + "contribution",
                   relative=1e-6, absolute=tiny ** 2)
        self.close(cell["share"], truth.share[name][i], where + "share", absolute=1e-6)
        if name not in truth.roles["matrix"]:
            self.assertEqual((cell["rank"], cell["max_rank"], cell["kept"]), (0, 0, 1))
            self.assertIsNone(cell["stable_rank"])
            return
        sigma, rank = truth.sigma[i][name], truth.rank[i][name]
        self.close(cell["sigma"], sigma, where + "sigma", relative=1e-6, absolute=1e-6 * sigma[0])
        self.assertEqual((cell["rank"], cell["max_rank"]), (rank, len(sigma)), where)
        energy = (sigma ** 2).sum()
        share = sigma / sigma.sum()
        self.close(cell["kept"], (sigma[:rank] ** 2).sum() / energy, where + "kept", absolute=1e-9)
        self.close(cell["stable_rank"], energy / sigma[0] ** 2, where + "stable_rank", relative=1e-6)
        entropy = -(share[share > 0] * np.log(share[share > 0])).sum()
        self.close(cell["effective_rank"], np.exp(entropy), where + "effective_rank", relative=1e-5)

    def compare_layers(self, figures, truth):
        known = {name: role for role, names in truth.roles.items() for name in names}
        self.assertEqual({layer["name"]: layer["role"] for layer in figures["layers"]}, known)
        names = [layer["name"] for layer in figures["layers"]]
        self.assertLess(names.index("blocks.1.mlp.weight"), names.index("blocks.10.mlp.weight"))
        for layer in figures["layers"]:
            name = layer["name"]
            array = self.model.base.get(name, self.model.specialists[0].get(name))
            self.assertEqual(layer["shape"], list(array.shape))
            if name not in truth.shared:
                self.assertEqual(layer["specialists"], [])
                continue
            self.close(layer["dominance"], truth.dominance[name], name + ": dominance", absolute=1e-6)
            for i, cell in enumerate(layer["specialists"]):
                self.compare_cell(cell, truth, name, i)

    def compare_weights(self, merged, dtypes, truth):
        self.assertEqual(set(merged), set(truth.merged))
        for name, expected in truth.merged.items():
            if name in truth.roles["buffer"]:
                np.testing.assert_array_equal(merged[name], expected)
                continue
            start = self.model.base.get(name, expected).astype(np.float64)
            change = np.abs(expected - start).max()
            error = np.abs(merged[name].astype(np.float64) - expected)
            bound = 2e-6 * change + 1.0001 * ulp(expected, dtypes[name])
            self.assertTrue((error <= bound).all(), f"{name}: {(error / bound).max()} of what is allowed")

    def check(self, options, arguments):
        truth = reference.Merge(self.model.base, self.model.specialists, options)
        figures = self.model.analyze(arguments)
        self.compare_figures(figures, truth)
        self.compare_layers(figures, truth)
        report, merged, dtypes = self.model.merge(arguments)
        self.compare_weights(merged, dtypes, truth)
        self.close(report["core_norm"], truth.core_norm, "core_norm of the merge")
        self.close(report["residual_norm"], truth.nbar, "nbar of the merge")
        self.close(report["eta"], truth.eta, "eta of the merge")
        self.assertEqual(report["tensors"], len(merged))

    def test_every_switch(self):
        for name, (changes, assignments) in CASES.items():
            with self.subTest(name):
                arguments = [word for one in assignments for word in ("--set", one)]
                self.check(reference.Options(**changes), arguments)

    def test_presets(self):
        for name, changes in reference.PRESETS.items():
            with self.subTest(name):
                self.check(reference.Options(**changes), ["--preset", name])

    def test_overrides_of_a_config(self):
        base, *specialists = self.model.files
        overrides = [("blocks.*", None, ("rank", 4)), ("blocks.1.*", "b", ("energy", 0.5)),
                     ("conv.weight", "c", ("zero", True)), ("pos.*", "a", ("full", True))]

        def rule(layer, i):
            found = ("ratio", 0.1)
            for glob, name, one in overrides:
                if reference.fnmatch.fnmatchcase(layer, glob) and name in (None, "abc"[i]):
                    found = one
            return found

        config = {"r2m": 1, "base": base, "specialists": [{"path": path} for path in specialists],
                  "residual": {"overrides": [
                      {"layer": glob, **({"specialist": name} if name else {}), "rank": {kind: value}}
                      for glob, name, (kind, value) in overrides]}}
        path = self.model.path("config.json")
        Path(path).write_text(json.dumps(config))
        out = self.model.path("config-out.safetensors")
        done = subprocess.run([R2M, "merge", path, "--cache", "none", "--quiet", "-o", out],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        truth = reference.Merge(self.model.base, self.model.specialists, reference.Options(rule=rule))
        self.compare_weights(*reference.read(out), truth)

    def test_output_dtypes(self):
        truth = reference.Merge(self.model.base, self.model.specialists, reference.Options())
        for dtype in ("f32", "f16", "bf16"):
            with self.subTest(dtype):
                _, merged, dtypes = self.model.merge(["--set", f"output.dtype={dtype}"])
                floating = {dtypes[name] for name in truth.shared + truth.roles["head"]}
                self.assertEqual(floating, {dtype.upper()})
                self.compare_weights(merged, dtypes, truth)

    def test_config_of_init_gives_the_same_bytes(self):
        base, *specialists = self.model.files
        path = self.model.path("init.json")
        init = [R2M, "init", "--base", base, *specialists, "--set", "alpha=0.35", "--force", "-o", path]
        self.assertEqual(subprocess.run(init, stdin=subprocess.DEVNULL).returncode, 0)
        self.model.merge(["--set", "alpha=0.35"], "direct.safetensors")
        done = subprocess.run([R2M, "merge", path, "--cache", "none", "--quiet", "--force", "-o",
                               self.model.path("from-config.safetensors")], stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(Path(self.model.path("direct.safetensors")).read_bytes(),
                         Path(self.model.path("from-config.safetensors")).read_bytes())


if __name__ == "__main__":
    unittest.main()
