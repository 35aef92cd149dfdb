"""Adapters that r2m writes, loaded by PEFT: the weights that it merges are those of the residuals.

Runs where these libraries are installed: `make check-interop`. R2M is the program.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import warnings

try:
    import peft
    import safetensors.torch
    import torch
    import transformers
except ImportError:
    peft = None

R2M = os.path.abspath(os.environ.get("R2M", "build/r2m"))
NAMES = ["fs", "fr", "efs"]


def vision():
    return transformers.CLIPVisionModel(transformers.CLIPVisionConfig(
        hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        image_size=32, patch_size=8))


@unittest.skipIf(peft is None, "torch, safetensors, transformers and peft are not installed")
class Written(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        warnings.simplefilter("ignore")
        torch.manual_seed(3)
        model = vision()
        self.base = {k: v.clone() for k, v in model.state_dict().items() if v.is_floating_point()}
        self.save("base", self.base)
        common = {k: torch.randn_like(v) for k, v in self.base.items()}
        self.models = []
        for name in NAMES:
            changed = {k: v + 0.01 * (common[k] + torch.randn_like(v)) for k, v in self.base.items()}
            self.models.append(changed)
            self.save(name, changed)

    def save(self, name, tensors):
        safetensors.torch.save_file(tensors, self.folder / f"{name}.safetensors")

    def run_program(self, *arguments):
        done = subprocess.run([R2M, *arguments], capture_output=True, text=True, cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def source(self, *rules):
        return ["--base", "base.safetensors", *(f"{name}.safetensors" for name in NAMES),
                *(word for rule in rules for word in ("--set", rule))]

    def loaded(self, name, start):
        """State dict of the model with these weights, once PEFT has merged the adapter into it."""
        model = vision()
        model.load_state_dict(start, strict=False)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # keys missing or left over
            wrapped = peft.PeftModel.from_pretrained(model, self.folder / "out" / name)
        return wrapped.merge_and_unload().state_dict()

    def matrix(self, tensor):
        return tensor.reshape(len(tensor), -1).double()

    RULES = [["residual.rank.ratio=0.2"],
             ["residual.rank.energy=0.6"],  # another rank in every layer
             ["residual.rank.full=true", "alpha=1.5"]]

    def test_each_adapter_is_the_truncated_residual(self):
        for rules in self.RULES:
            with self.subTest(rules):
                self.run_program("merge", *self.source(*rules), "-o", "out", "--adapters", "--force")
                report = json.loads(self.run_program("analyze", *self.source(*rules), "--json"))
                weights = report["real"]["weights"]
                matrices = [one for one in report["layers"] if one["role"] == "matrix"]
                self.assertEqual(len(matrices), 14)
                for i, one in enumerate(report["specialists"]):
                    factor = report["eta"] * one["scale"] / 3
                    merged = self.loaded(one["name"], self.base)
                    for layer in matrices:
                        key, rank = layer["name"], layer["specialists"][i]["rank"]
                        taus = [self.matrix(m[key] - self.base[key]) for m in self.models]
                        core = sum(w * tau for w, tau in zip(weights, taus))
                        u, s, vt = torch.linalg.svd(taus[i] - core, full_matrices=False)
                        wanted = factor * (u[:, :rank] * s[:rank]) @ vt[:rank]
                        found = self.matrix(merged[key] - self.base[key])
                        self.assertLess((found - wanted).abs().max().item(), 1e-5)
                        self.assertGreater(wanted.abs().max().item(), 1e-4)

    def test_core_and_all_adapters_are_the_merge(self):
        rules = self.RULES[1]
        self.run_program("merge", *self.source(*rules), "-o", "out", "--adapters")
        self.run_program("merge", *self.source(*rules), "-o", "whole.safetensors")
        self.run_program("merge", *self.source(*rules, "alpha=0"), "-o", "core.safetensors")
        weights = safetensors.torch.load_file(self.folder / "core.safetensors")
        for name in NAMES:
            weights = self.loaded(name, weights)
        whole = safetensors.torch.load_file(self.folder / "whole.safetensors")
        for key, value in whole.items():
            if value.ndim >= 2:
                torch.testing.assert_close(weights[key], value, rtol=0, atol=2e-6)


if __name__ == "__main__":
    unittest.main()
