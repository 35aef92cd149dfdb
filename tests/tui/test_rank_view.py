"""Ranks copied from one place to others, and the list of what was done."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from scripted_screen import ScriptTest  # noqa: E402


class Copies(ScriptTest):
    def setUp(self):
        super().setUp()
        self.play("copy.script")

    def ranks(self, name):
        """Of every layer by its name in its module, a list for each block in turn."""
        found = {}
        for row in self.room.screen(name)[2:22]:
            words = row.split("│")[0].split()
            if words and words[0][0] not in "▾▸─":
                found.setdefault(words[0], []).append(words[1:4])
        return found

    def test_without_a_copy_it_says_so(self):
        self.assertIn("nothing is copied yet", self.room.screen("nothing.txt")[22])

    def test_one_rank_goes_to_all_of_its_kind(self):
        ranks = self.ranks("kind.txt")
        self.assertEqual(ranks["mlp.fc1"], [["30", "9", "9"]] * 3)
        self.assertEqual(ranks["mlp.fc2"], [["9", "9", "9"]] * 3)
        self.assertIn("fs ranks pasted, 4 layers", self.room.screen("kind.txt")[22])

    def test_a_specialist_gets_the_rules_of_another(self):
        config = self.room.path / "energy.json"
        text = (self.room.path / "demo.json").read_text().replace('"ratio": 0.1', '"energy": 0.9')
        config.write_text(text)
        layers = {one["name"]: one["specialists"] for one in
                  self.room.analyze("energy.json")["layers"] if one["role"] == "matrix"}
        for block, row in enumerate(self.ranks("specialist.txt")["mlp.fc1"]):
            cells = layers[f"backbone.encoder.layers.{block}.mlp.fc1.weight"]
            self.assertEqual(row, [str(cells[0]["rank"]), str(cells[1]["rank"]), "9"])

    def test_a_layer_gives_all_its_ranks_to_all(self):
        ranks = self.ranks("layer.txt")
        rows = [row for rows in ranks.values() for row in rows]
        self.assertEqual(rows[0][2], "9")
        self.assertEqual(len({row[2] for row in rows if row[2] != "6"}), 1)

    def test_the_list_says_what_was_done(self):
        rows = [row.split("│")[0] for row in self.room.screen("history.txt")]
        text = "\n".join(rows)
        for line in ("0 as it was opened", "1 fs rank 30, layers.0.mlp.fc1",
                     "2 fs ranks pasted, 4 layers", "5 all ranks pasted, 26 layers"):
            self.assertIn(line, text)
        self.assertIn("5/5", self.room.screen("history.txt")[22])

    def test_moving_in_the_list_goes_there(self):
        self.assertEqual(self.ranks("back.txt")["mlp.fc1"][0], ["30", "9", "9"])
        self.assertEqual(self.ranks("returned.txt"), self.ranks("layer.txt"))
        self.assertEqual({tuple(row) for row in self.ranks("start.txt")["mlp.fc1"]},
                         {("9", "9", "9")})

    def test_the_config_that_was_written_gives_these_ranks(self):
        rows = self.ranks("layer.txt")["mlp.fc1"]
        layers = {one["name"]: one["specialists"]
                  for one in self.room.analyze("copied.json")["layers"]}
        for block, row in enumerate(rows):
            cells = layers[f"backbone.encoder.layers.{block}.mlp.fc1.weight"]
            self.assertEqual(row, [str(one["rank"]) for one in cells])


if __name__ == "__main__":
    unittest.main()
