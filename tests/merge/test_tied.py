"""Tied tensors are one parameter: the analysis counts them once, and both names get the same bytes."""

import json
import unittest

import numpy as np

import safetensors_file
import torch_file
from program_test import ProgramTest

EMBED, OUT, BODY = "model.embed.weight", "lm_head.weight", "model.body.weight"


class Tied(ProgramTest):
    """A language model's embedding is its last layer, too; the name of that comes first in the
    alphabet and last in the file."""

    def model(self, seed, scale=1.0):
        random = np.random.default_rng(seed)
        embed, body = ((scale * random.standard_normal(shape)).astype(np.float32)
                       for shape in ((20, 8), (8, 8)))
        return embed, body

    def setUp(self):
        super().setUp()
        self.base_model = self.model(1)
        self.models = [[base + own for base, own in zip(self.base_model, self.model(seed, 0.01))]
                       for seed in (2, 3, 4)]

    def save(self, name, model, tied=True, torch=True):
        """With both names of the embedding, as one storage where tied, or with one name."""
        embed, body = model
        tensors = {EMBED: embed, BODY: body}
        if torch:
            tensors[OUT] = embed if tied else embed.copy()
            torch_file.write(self.folder / f"{name}.pth", tensors)
            return f"{name}.pth"
        safetensors_file.write(self.folder / f"{name}.safetensors", tensors)
        return f"{name}.safetensors"

    def source(self, base, others):
        return ["--base", self.save("b", self.base_model, **base),
                *[self.save(f"s{i}", model, **others) for i, model in enumerate(self.models)]]

    def analysis(self, *source):
        return json.loads(self.good("analyze", *source, "--json", "-q"))

    def merged(self, source, ending):
        self.good("merge", *source, "-o", f"out.{ending}", "--force", "-q")
        return {tensor["name"]: tensor["sha256"] for tensor in
                self.json("inspect", f"out.{ending}", "--json", "--hash")["tensors"]}

    def check(self, source, alone):
        """As the model in which the embedding has one name."""
        found = self.analysis(*source)
        for key in ("real", "eta", "residual_scale_nbar", "cos_task_vectors"):
            self.assertEqual(found[key], alone[key], key)
        roles = {layer["name"]: layer["role"] for layer in found["layers"]}
        self.assertEqual(roles, {EMBED: "matrix", BODY: "matrix", OUT: "tied"})

    def test_they_count_once(self):
        alone = self.analysis(*self.source({"torch": False}, {"torch": False}))
        once = self.merged(self.source({"torch": False}, {"torch": False}), "safetensors")
        for base in ({"torch": False}, {"torch": True}):
            source = self.source(base, {"torch": True})
            self.check(source, alone)
            for ending in ("safetensors", "pth"):
                merged = self.merged(source, ending)
                self.assertEqual(merged, {**once, OUT: once[EMBED]})

    def test_where_one_file_has_them_apart_they_are_two(self):
        source = self.source({}, {})
        for name, model in (("s1", self.models[1]), ("b", self.base_model)):
            self.save(name, model, tied=False)
            roles = {layer["name"]: layer["role"] for layer in self.analysis(*source)["layers"]}
            self.assertEqual(roles[OUT], "matrix")

    def test_specialists_without_the_second_name(self):
        once = self.merged(self.source({"torch": False}, {"torch": False}), "safetensors")
        merged = self.merged(self.source({"torch": True}, {"torch": False}), "safetensors")
        self.assertEqual(merged, {**once, OUT: once[EMBED]})

    def test_three_names(self):
        files = []
        for name, (embed, body) in zip("bst", [self.base_model, *self.models]):
            torch_file.write(self.folder / f"{name}.pth",
                             {"m": embed, "c": embed, "body": body, "a": embed})
            files.append(f"{name}.pth")
        roles = {layer["name"]: layer["role"] for layer in
                 self.analysis("--base", *files)["layers"]}
        self.assertEqual(roles, {"a": "tied", "body": "matrix", "c": "tied", "m": "matrix"})
        merged = self.merged(["--base", *files], "pth")
        self.assertEqual(len(merged), 4)
        self.assertEqual(len(set(merged.values())), 2)


if __name__ == "__main__":
    unittest.main()
