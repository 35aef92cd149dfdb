"""The smallest screen, many specialists, one, and long names: nothing is cut in a word or number,
nothing runs into the foot of the screen."""

import re
import sys
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))
import safetensors_file  # noqa: E402
from scripted_screen import ScriptTest  # noqa: E402

SMALL = ":resize 60 16"
BLOCK = "model.vision_tower.vision_model.encoder.layers."
PARTS = ["self_attention_with_relative_position_bias.query_projection_matrix.weight",
         "self_attention_with_relative_position_bias.key_projection_matrix.weight"]
SPECIALISTS = [f"a_specialist_with_a_really_long_name_of_{family}" for family in ("faceswap", "reenact")]


class Small(ScriptTest):
    def shown(self, *keys, source=("demo.json",), size=SMALL):
        """Rows of the screen after these keys."""
        self.play_steps(size, *keys, ":screendump shown.txt", source=source)
        rows = self.room.screen("shown.txt")
        self.assertEqual(len(rows), int(size.split()[2]))
        return rows

    def many(self):
        names = ["face_swap_v2", "face_reenactment", "entire_synthesis", "attribute_editing", "e5",
                 "diffusion", "gan", "x"]
        files = ["fs", "fr", "efs", "fe"]
        return ["--base", "base.safetensors",
                *[f"{name}={files[i % 4]}.safetensors" for i, name in enumerate(names)]]

    def long_names(self):
        dice = np.random.default_rng(0)
        base = {f"{BLOCK}{i}.{part}": dice.standard_normal((24, 32)).astype("f4")
                for i in range(2) for part in PARTS}
        safetensors_file.write(self.room.path / "long.safetensors", base)
        for name in SPECIALISTS:
            change = {key: (value + 0.1 * dice.standard_normal(value.shape)).astype("f4")
                      for key, value in base.items()}
            safetensors_file.write(self.room.path / f"{name}.safetensors", change)
        return ["--base", "long.safetensors", *[f"{name}.safetensors" for name in SPECIALISTS]]


class Many(Small):
    def test_a_summary_ends_above_the_foot(self):
        rows = self.shown("keys: 2", source=self.many())
        self.assertEqual(rows[-2].split(), ["face_swap_v2", "1/8"])
        text = " ".join(" ".join(rows).split())
        self.assertIn("then 4.138, 1.716, 0.7886, 0, 0, 0, 0", text)

    def test_a_formula_says_how_many_parts_have_no_room(self):
        rows = [row.split("│")[-1].strip() for row in
                self.shown("keys: 4", source=self.many(), size=":resize 80 24")]
        parts = [row for row in rows if re.search(r"\d%$", row)]
        self.assertIn(f"and {8 - len(parts)} more: view 2", rows)
        self.assertLess(0, len(parts))


class LongNames(Small):
    def test_layers_are_told_apart(self):
        labels = [row.split()[0] for row in self.shown("keys: 1", source=self.long_names())[3:5]]
        self.assertEqual({label[:3] for label in labels}, {"que", "key"})

    def test_numbers_of_the_map_stay_whole(self):
        left = self.shown("keys: 3", source=self.long_names())[-2]
        self.assertRegex(left, r"^ a_sp\S+: share% \d+, kept% \d+, Real% \d+, dom.% \S+, rank \d+$")

    def test_the_place_in_the_list_stays(self):
        self.assertRegex(self.shown("keys: 1", source=self.long_names())[-2], r" 2/6$")

    def test_a_chart_has_room_for_its_title(self):
        rows = self.shown("keys: 1", source=self.long_names(), size=":resize 80 24")
        title = rows[1].split("│")[1].split()[0]
        self.assertGreater(len(title), 15)


class One(Small):
    """The task vector of a single specialist is the whole core; no residual is left."""

    def source(self):
        return ["--base", "base.safetensors", "fs=fs.safetensors", "--set", "real.center=false"]

    def test_nothing_to_keep_is_the_same_everywhere(self):
        rows = self.shown("keys: 1", source=self.source(), size=":resize 80 24")
        header = rows[1].split("│")[0].split()
        layer = next(row for row in rows if row.startswith("  mlp.fc1")).split("│")[0].split()
        self.assertEqual(layer[header.index("kept%")], "100")
        self.assertIn("kept 100.0%", rows[-2])

    def test_an_empty_chart_has_no_numbers_of_size(self):
        rows = self.shown("keys: 1", source=self.source(), size=":resize 80 24")
        self.assertTrue(any("all values are zero" in row for row in rows))
        self.assertFalse(any("┤" in row for row in rows))

    def test_the_formula_does_not_divide_by_zero(self):
        text = "\n".join(self.shown("keys: 4", source=self.source(), size=":resize 80 24"))
        self.assertNotIn("/ 0", text)
        self.assertIn("eta = 0: there are no residuals", text)


class Smallest(Small):
    def test_the_plan_stands_in_line(self):
        rows = self.shown("keys: 4")
        border = next(i for i, row in enumerate(rows) if row.startswith("──"))
        self.assertTrue(all(row == "" or row[0] == " " for row in rows[border + 1:]), rows)
        self.assertNotIn("Formula", "\n".join(self.shown("keys: 4 G")[-4:]))

    def test_an_unsaved_plan_is_marked(self):
        self.assertTrue(self.shown("keys: 1")[0].startswith(" r2m 1"))
        self.assertTrue(self.shown("keys: 1 +")[0].startswith(" r2m*1"))

    def test_what_has_no_room_goes_on_in_the_foot(self):
        rows = self.shown("keys: :", "type: set alpha=much", "keys: Enter Esc :", "type: set nothing=1",
                          "keys: Enter")
        self.assertTrue(rows[-2].startswith(" error: nothing: unknown field"), rows[-2])
        self.assertTrue(rows[-1].endswith("eval.metric"), rows[-1])
        rows = self.shown("keys: :", "type: set alpha=much", "keys: Enter")
        self.assertEqual(" ".join((rows[-2] + rows[-1]).split()),
                         "error: alpha: much is not allowed; allowed is a number from 0 to 10")
        foot = self.shown("keys: :", "type: set alpha=much", "keys: Enter Esc")[-1]
        self.assertIn("q:quit", foot)

    def test_questions_are_whole(self):
        self.assertEqual(self.shown("keys: + q")[-2:],
                         [" Not saved (:write saves). Leave without saving? y/N",
                          " y:yes  any other key:no"])
        self.assertIn("Esc returns to step 1 ", self.shown("keys: + U")[-2])

    def test_what_runs_is_seen_in_every_view(self):
        for view in "1235":
            self.assertRegex(self.shown(f"keys: 5 Enter {view}")[-2], r"  (export )?\d+%(  \d+/\d+)?$")

    def test_the_result_of_a_merge_is_seen(self):
        rows = self.shown("keys: 5 Enter", ":wait")
        text = " ".join(" ".join(rows[8:-2]).split())
        self.assertRegex(text, r"merged checkpoint: 1.9 MB, 74 tensors, read back and verified")
        self.assertRegex(text, r"sha256 [0-9a-f]{20}")


if __name__ == "__main__":
    unittest.main()
