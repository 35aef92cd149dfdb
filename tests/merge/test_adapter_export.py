"""Residuals written as LoRA adapters: what they add up to, against numpy's truncated SVD, and what
the program itself reads back."""

import json
import os
import resource
import unittest

import numpy as np

import safetensors_file
from program_test import SOURCE, SPECIALISTS, ProgramTest

EMBEDDING = "embeddings.position_embedding.weight"
RULES = (["residual.rank.ratio=0.3"], ["residual.rank.full=true"], ["residual.rank.auto=true"],
         ["residual.rank.rank=5", "norm_match=layer", "residual.against=projection", "real.rank=2"],
         ["method=cart"])


def matrix(array):
    return array.reshape(len(array), -1).astype(float)


def truncated(array, rank):
    u, s, vt = np.linalg.svd(array, full_matrices=False)
    return (u[:, :rank] * s[:rank]) @ vt[:rank]


class Exported(ProgramTest):
    """The models of other tests, with an embedding besides."""

    def setUp(self):
        super().setUp()
        random = np.random.default_rng(6)
        for name in ["base", *SPECIALISTS]:
            path = self.folder / f"{name}.safetensors"
            start = getattr(self, "entries", np.zeros((9, 16)))
            own = (start + (0.01 if name != "base" else 1) * random.standard_normal((9, 16)))
            if name == "base":
                self.entries = own
            safetensors_file.write(path, {**safetensors_file.read(path),
                                          EMBEDDING: own.astype(np.float32)})

    def settings(self, rules):
        return [word for rule in rules for word in ("--set", rule)]

    def export(self, rules, *more):
        out = self.json("merge", *SOURCE, *self.settings(rules), "-o", "out", "--adapters",
                        "--json", "--force", *more)
        return {one["name"]: one for one in out["adapters"]}

    def adapter(self, name):
        """{weight's name: what the adapter adds, as a matrix}, and its config."""
        config = json.loads((self.folder / "out" / name / "adapter_config.json").read_text())
        tensors = safetensors_file.read(self.folder / "out" / name / "adapter_model.safetensors")
        added = {}
        for module in config["target_modules"]:
            start = f"base_model.model.{module}.lora_"
            if start + "A.weight" in tensors:
                a, b = (matrix(tensors[f"{start}{part}.weight"]) for part in "AB")
                update = b @ a
            else:
                a, b = (tensors[f"{start}embedding_{part}"].astype(float) for part in "AB")
                update = (b @ a).T
            rank = {k.replace("\\", ""): v for k, v in config["rank_pattern"].items()}
            alpha = {k.replace("\\", ""): v for k, v in config["alpha_pattern"].items()}
            self.assertEqual(rank, alpha)
            self.assertEqual(rank.get(module, config["r"]), len(a))
            added[module + ".weight"] = update
        self.assertEqual(config["lora_alpha"], config["r"])
        return added, config

    def merged(self, name, rules):
        self.good("merge", *SOURCE, *self.settings(rules), "-o", name, "--force")
        return safetensors_file.read(self.folder / name)

    def test_core_and_adapters_are_the_merge(self):
        for rules in RULES[:4]:
            with self.subTest(rules):
                written = [k for k, one in self.export(rules).items() if one["modules"] > 0]
                whole = self.merged("whole.safetensors", rules)
                core = self.merged("core.safetensors", [*rules, "alpha=0"])
                parts = [self.adapter(name)[0] for name in written]
                names = set().union(*parts)
                self.assertEqual(len(names), 2 if "auto" in rules[0] else 5)
                for name in names:
                    sum_of_all = matrix(core[name]) + sum(p[name] for p in parts if name in p)
                    np.testing.assert_allclose(sum_of_all, matrix(whole[name]), rtol=0, atol=3e-7)

    def residuals(self, report):
        """R_i of every matrix, from the weights of the core alone."""
        base, *models = (safetensors_file.read(self.folder / f"{n}.safetensors")
                         for n in ["base", *SPECIALISTS])
        weights = report["real"]["weights"]
        for layer in report["layers"]:
            if layer["role"] != "matrix":
                continue
            tau = [matrix(m[layer["name"]]) - matrix(base[layer["name"]]) for m in models]
            core = sum(w * t for w, t in zip(weights, tau))
            yield layer, [t - core for t in tau]

    def test_each_is_the_truncated_residual(self):
        for rules in RULES[:3]:
            with self.subTest(rules):
                written = self.export(rules)
                report = self.json("analyze", *SOURCE, *self.settings(rules), "--json")
                parts = [self.adapter(name)[0] if written[name]["modules"] else {}
                         for name in SPECIALISTS]
                for layer, residuals in self.residuals(report):
                    for i, one in enumerate(report["specialists"]):
                        factor = report["eta"] * one["scale"] / 3
                        wanted = factor * truncated(residuals[i], layer["specialists"][i]["rank"])
                        found = parts[i].get(layer["name"], 0 * wanted)
                        np.testing.assert_allclose(found, wanted, rtol=0,
                                                   atol=1e-5 * np.abs(wanted).max() + 1e-12)

    def test_the_program_reads_their_spectra(self):
        self.export(RULES[0])
        report = self.json("analyze", *SOURCE, *self.settings(RULES[0]), "--json", "--spectra")
        for i, name in enumerate(SPECIALISTS):
            back = self.json("analyze", "--base", "base.safetensors", f"out/{name}", "--set",
                             "method=task_arithmetic", "--json", "--spectra")
            spectra = {layer["name"]: layer["specialists"][0]["sigma"] for layer in back["layers"]
                       if layer["role"] == "matrix"}
            factor = report["eta"] * report["specialists"][i]["scale"] / 3
            for layer in report["layers"]:
                if layer["role"] == "matrix":
                    cell = layer["specialists"][i]
                    wanted = factor * np.array(cell["sigma"])
                    wanted[cell["rank"]:] = 0
                    np.testing.assert_allclose(spectra[layer["name"]], wanted, rtol=0,
                                               atol=1e-6 * wanted[0])

    def test_what_they_cannot_hold_is_said(self):
        out = self.export(RULES[0])
        report = self.json("analyze", *SOURCE, *self.settings(RULES[0]), "--json")
        for i, name in enumerate(SPECIALISTS):
            energy = [(layer["role"], layer["specialists"][i]["residual_norm"] ** 2)
                      for layer in report["layers"] if layer["role"] in ("matrix", "vector")]
            lost = sum(e for role, e in energy if role == "vector") / sum(e for _, e in energy)
            self.assertAlmostEqual(out[name]["left_out_share"], lost, delta=1e-9)
            self.assertEqual(out[name]["left_out"], sum(role == "vector" for role, _ in energy))
            self.assertEqual(out[name]["modules"], 5)
        said = self.run_program("merge", *SOURCE, "-o", "again", "--adapters").stderr
        self.assertRegex(said, r"warning: fs: \d tensors that an adapter cannot hold, such as biases")

    def test_a_kernel_keeps_its_shape(self):
        self.export(["residual.rank.rank=3"])
        tensors = safetensors_file.read(self.folder / "out/fs/adapter_model.safetensors")
        self.assertEqual(tensors["base_model.model.conv.lora_A.weight"].shape, (3, 3, 3, 3))
        self.assertEqual(tensors["base_model.model.conv.lora_B.weight"].shape, (8, 3, 1, 1))
        module = "base_model.model." + EMBEDDING.removesuffix(".weight")
        self.assertEqual(tensors[module + ".lora_embedding_A"].shape, (3, 9))

    def test_the_config_names_no_folders(self):
        self.export(RULES[0])
        self.assertEqual(self.adapter("fs")[1]["base_model_name_or_path"], "base.safetensors")

    def test_a_residual_of_nothing_gives_no_adapter(self):
        done = self.run_program("merge", *SOURCE, "--set", "residual.rank.zero=true", "-o", "out",
                                "--adapters")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("efs: no residual that an adapter can hold: none is written", done.stderr)
        self.assertFalse((self.folder / "out/fs").exists())
        self.export(RULES[0])
        self.assertTrue((self.folder / "out/fs").exists())
        self.export(["residual.rank.zero=true"])  # replaces it by none
        self.assertFalse((self.folder / "out/fs").exists())

    def test_refusals(self):
        again = [*SOURCE, "-o", "out", "--adapters"]
        self.good("merge", *again)
        self.refused(1, "merge", *again, says=["out/fs/adapter_model.safetensors", "exists"])
        self.good("merge", *again, "--force")
        self.refused(2, "merge", "--base", "base.safetensors", "out/fs", "out/fr", "-o", "out",
                     "--adapters", "--force", says=["is one of the inputs"])
        self.refused(2, "merge", *SOURCE, "-o", "new", "--adapters", "--set", "method=ties",
                     says=["method", "TIES"])
        self.refused(2, "merge", *SOURCE, "-o", "new", "--adapters", "--dry-run",
                     says=["--dry-run"])
        self.refused(2, "merge", "--base", "base.safetensors", "..=fs.safetensors", "-o", "new",
                     "--adapters", says=["cannot be a folder"])

    def test_a_disk_that_is_too_small_leaves_nothing(self):
        """Not one adapter of several: the second does not fit any more."""
        self.good("init", *SOURCE, "--set", "residual.rank.rank=1", "-o", "plan.json")
        plan = json.loads((self.folder / "plan.json").read_text())
        plan["residual"]["overrides"] = [{"layer": "*", "specialist": SPECIALISTS[1],
                                          "rank": {"full": True}}]
        (self.folder / "plan.json").write_text(json.dumps(plan))
        self.good("merge", "plan.json", "-o", "out", "--adapters")
        first, second = (os.path.getsize(self.folder / f"out/{name}/adapter_model.safetensors")
                         for name in SPECIALISTS[:2])
        self.assertLess(first, second)

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (first, first))
        self.refused(1, "merge", "plan.json", "-o", "new", "--adapters",
                     says=["new", SPECIALISTS[1], "ulimit"], preexec_fn=limit)

    def test_adapters_of_adapters(self):
        """Adapters as specialists: their rank bounds that of what is written."""
        self.export(["residual.rank.rank=2"])
        source = ["--base", "base.safetensors", *(f"out/{name}" for name in SPECIALISTS)]
        self.good("merge", *source, "--set", "residual.rank.full=true", "-o", "second",
                  "--adapters")
        found = safetensors_file.read(self.folder / "second/fs/adapter_model.safetensors")
        self.assertEqual(found["base_model.model.blocks.10.mlp.lora_A.weight"].shape, (6, 18))


if __name__ == "__main__":
    unittest.main()
