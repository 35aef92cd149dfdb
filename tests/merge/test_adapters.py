"""LoRA adapters saved by PEFT (tests/interop/make_adapter_files.py) against what PEFT merges them
into, and mixtures of adapters and whole models against the same models written out."""

import json
import unittest
from pathlib import Path

import numpy as np

import program_test
import safetensors_file

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "adapter"
BASE = FIXTURES / "base.safetensors"
MERGED = sorted(path.name.removesuffix(".merged.safetensors")
                for path in FIXTURES.glob("*.merged.safetensors"))


def whole(name):
    """The model that PEFT makes of the base and one adapter."""
    return {**safetensors_file.read(BASE),
            **safetensors_file.read(FIXTURES / f"{name}.merged.safetensors")}


def numbers(value, path=""):
    """Every number of a JSON document with the place where it stands."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from numbers(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from numbers(item, f"{path}[{index}]")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, value


class AdapterTest(program_test.ProgramTest):
    def close(self, found, expected, tolerance=1e-6):
        self.assertEqual(found.keys(), expected.keys())
        for name, values in expected.items():
            np.testing.assert_allclose(found[name], values, rtol=0, atol=tolerance, err_msg=name)

    def test_one_adapter_is_what_peft_merges(self):
        self.assertGreaterEqual(len(MERGED), 12)
        for name in MERGED:
            with self.subTest(name):
                self.good("merge", "--base", BASE, FIXTURES / name, "-o", f"{name}.safetensors")
                self.close(safetensors_file.read(self.folder / f"{name}.safetensors"), whole(name))

    def sources(self):
        """Adapters, and adapters beside a whole model; each with the same models written out."""
        for name in ("patterns", "stabilised", "half"):
            safetensors_file.write(self.folder / f"{name}.safetensors", whole(name))
        models = ["patterns.safetensors", "stabilised.safetensors", "half.safetensors"]
        adapters = [FIXTURES / "patterns", FIXTURES / "stabilised"]
        for own, others in ((adapters, models[:2]), ([*adapters, models[2]], models)):
            yield ["--base", BASE, *own], ["--base", BASE, *others]

    def test_adapters_are_analyzed_like_whole_models(self):
        for source, models in self.sources():
            found = self.json("analyze", *source, "--spectra", "--json")
            expected = self.json("analyze", *models, "--spectra", "--json")
            self.assertEqual(found.pop("match")[0]["format"], "lora")
            expected.pop("match")
            for (place, value), (other, wanted) in zip(numbers(found), numbers(expected),
                                                       strict=True):
                self.assertEqual(place, other)
                self.assertAlmostEqual(value, wanted, delta=1e-5 * max(1, abs(wanted)), msg=place)

    def test_adapters_are_merged_like_whole_models(self):
        for source, models in self.sources():
            for rule in ("rank=1", "rank=2", "full=true", "rank=11"):
                with self.subTest(rule):
                    for files, out in ((source, "one"), (models, "two")):
                        self.good("merge", *files, "--set", f"residual.rank.{rule}", "--force",
                                  "-o", f"{out}.safetensors")
                    self.close(safetensors_file.read(self.folder / "one.safetensors"),
                               safetensors_file.read(self.folder / "two.safetensors"), 1e-5)

    def test_the_weights_of_an_adapter_stand_for_it(self):
        file = FIXTURES / "plain" / "adapter_model.safetensors"
        config = FIXTURES / "plain" / "adapter_config.json"
        for path in (file, config, f"{FIXTURES}/plain/"):
            found = self.json("inspect", path, "--json")
            self.assertEqual((found["format"], found["file"]), ("lora", str(config)))
            self.assertEqual(len(found["tensors"]), 16)

    def test_inspect_shows_the_factors(self):
        found = self.json("inspect", FIXTURES / "bin", "--json", "--hash")
        raw = self.json("inspect", FIXTURES / "bin" / "adapter_model.bin", "--json", "--hash")
        self.assertEqual(found, raw)
        names = {tensor["name"] for tensor in found["tensors"]}
        self.assertIn("base_model.model.blocks.0.up.lora_A.weight", names)

    def test_inspect_shows_what_changes(self):
        found = self.json("inspect", FIXTURES / "patterns", "--json")["weights"]
        rows = {weight["name"]: (weight["shape"], weight["rank"], round(weight["scale"], 9))
                for weight in found}
        self.assertEqual(rows["blocks.0.up.weight"], ([20, 12], 2, 3.5))
        self.assertEqual(rows["blocks.0.query.weight"], ([12, 12], 3, round(1 / 3, 9)))
        self.assertEqual(rows["blocks.1.down.weight"], ([12, 20], 5, 1))
        found = self.json("inspect", FIXTURES / "stabilised", "--json")["weights"]
        self.assertEqual({weight["scale"] for weight in found}, {3})
        table = self.good("inspect", FIXTURES / "head")
        self.assertIn("blocks.0.up.weight\t[20, 12]\t4\t2\n", table)
        self.assertIn("\nhead.weight\t[2, 12]\t\t\n", table)

    def test_another_prefix_is_voted_away(self):
        base = {f"backbone.{name}": values
                for name, values in safetensors_file.read(BASE).items()}
        safetensors_file.write(self.folder / "other.safetensors", base)
        self.good("merge", "--base", "other.safetensors", FIXTURES / "plain", "-o",
                  "out.safetensors")
        self.close(safetensors_file.read(self.folder / "out.safetensors"),
                   {f"backbone.{name}": values for name, values in whole("plain").items()})

    def refuses(self, change, *says, base=BASE):
        """An adapter whose config is changed like this is refused in these words."""
        folder = self.folder / "changed"
        folder.mkdir(exist_ok=True)
        config = json.loads((FIXTURES / "plain" / "adapter_config.json").read_text())
        (folder / "adapter_config.json").write_text(json.dumps({**config, **change}))
        weights = FIXTURES / "plain" / "adapter_model.safetensors"
        (folder / "adapter_model.safetensors").write_bytes(weights.read_bytes())
        self.refused(1, "analyze", "--base", base, folder, says=("changed", *says))

    def test_what_is_no_low_rank_term_is_refused_by_name(self):
        for name, says in (("dora", "DoRA"), ("pissa", "pissa")):
            self.refused(1, "analyze", "--base", BASE, FIXTURES / name, says=(name, says))
        self.refuses({"peft_type": "LOHA"}, "LOHA")
        self.refuses({"layer_replication": [[0, 2]]}, "layer_replication")
        self.refuses({"alora_invocation_tokens": [1]}, "alora_invocation_tokens")
        self.refuses({"target_parameters": ["w"]}, "target_parameters")
        self.refuses({"r": 5}, "lora_A", "the config says 5")
        self.refuses({"rank_pattern": {"(": 2}}, "regular expression")

    def test_an_adapter_of_another_base_is_refused(self):
        tensors = safetensors_file.read(BASE)
        missing = {name: values for name, values in tensors.items() if "up.weight" not in name}
        safetensors_file.write(self.folder / "missing.safetensors", missing)
        self.refuses({}, "up.weight", "the base has none", base="missing.safetensors")
        self.refused(1, "analyze", "--base", FIXTURES / "plain", FIXTURES / "plain",
                     says=("is an adapter",))


if __name__ == "__main__":
    unittest.main()
