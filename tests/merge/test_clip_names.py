"""CLIP in two ways of naming: whatever the files use, the merge is the same numbers, in the layout
that was asked for."""

import numpy as np

import clip_names
import safetensors_file
from program_test import ProgramTest

RANKS = ["--set", "residual.rank.ratio=0.3", "--quiet"]


class ClipNames(ProgramTest):
    def setUp(self):
        super().setUp()
        self.base = clip_names.clip(1)
        self.models = [clip_names.tuned(self.base, seed) for seed in (2, 3)]

    def merge(self, base, specialists, *more, out="m.safetensors"):
        self.write("b", base)
        for number, specialist in enumerate(specialists):
            self.write(f"s{number}", specialist)
        names = [f"s{number}.safetensors" for number in range(len(specialists))]
        self.good("merge", "--base", "b.safetensors", *names, "-o", out, "--force", *RANKS, *more)
        return safetensors_file.read(self.folder / out)

    def assert_same(self, found, wanted):
        self.assertEqual(set(found), set(wanted))
        for name, values in wanted.items():
            self.assertEqual((name, found[name].shape), (name, values.shape))
            self.assertEqual(found[name].tobytes(), np.ascontiguousarray(values).tobytes(), name)

    def test_whole_models_of_either_kind(self):
        truth = self.merge(self.base, self.models)
        self.assertFalse(np.array_equal(truth["visual_projection.weight"],
                                        self.base["visual_projection.weight"]))
        stacked = [clip_names.open_clip(model) for model in self.models]
        prefixed = clip_names.open_clip(self.models[1], "module.model.")
        own = clip_names.open_clip(self.base)
        wanted = clip_names.open_clip(truth)
        self.assert_same(self.merge(self.base, stacked), truth)
        self.assert_same(self.merge(self.base, [self.models[0], prefixed]), truth)
        self.assert_same(self.merge(own, stacked), wanted)
        self.assert_same(self.merge(own, self.models), wanted)
        self.assert_same(self.merge(own, [stacked[0], self.models[1]]), wanted)

    def test_the_layout_is_the_one_asked_for(self):
        truth = self.merge(self.base, self.models)
        stacked = [clip_names.open_clip(model, "net.") for model in self.models]
        asked = ["--set", "output.names=specialists"]
        self.assert_same(self.merge(self.base, stacked, *asked),
                         clip_names.open_clip(truth, "net."))
        self.assert_same(self.merge(clip_names.open_clip(self.base), self.models, *asked), truth)

    def test_detectors_meet_a_stacked_base(self):
        detectors = [clip_names.detector(model, prefix, ids=ids, seed=seed)
                     for seed, (model, prefix, ids) in
                     enumerate(zip(self.models, ("backbone.", "backbone."), (True, False)))]
        reference = self.merge(self.base, [clip_names.detector(m, seed=i)
                                           for i, m in enumerate(self.models)])
        head = {name: values for name, values in reference.items() if name.startswith("head.")}
        merged = self.merge(clip_names.open_clip(self.base), detectors)
        wanted = clip_names.open_clip(reference)
        self.assert_same(merged, {**wanted, **head})
        merged = self.merge(clip_names.open_clip(self.base), detectors,
                            "--set", "output.names=specialists")
        self.assert_same(merged, {**clip_names.detector(reference, ids=True), **head})

    def test_stacked_parts_of_other_types_and_sizes(self):
        half = {name: values.astype(np.float16) for name, values in
                clip_names.open_clip(self.base).items()}
        exact = {name: values.astype(np.float32) for name, values in half.items()}
        stacked = [clip_names.open_clip(model) for model in self.models]
        merged = self.merge(half, self.models)
        wanted = self.merge(exact, stacked)
        self.assert_same(merged, {name: v.astype(np.float16) for name, v in wanted.items()})


if __name__ == "__main__":
    import unittest
    unittest.main()
