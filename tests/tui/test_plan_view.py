"""The plan beside a saved one: what differs is what two runs of analyze say."""

import json
import shutil
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from scripted_screen import ScriptTest  # noqa: E402


class Plan(ScriptTest):
    def setUp(self):
        super().setUp()
        shutil.copy(self.room.path / "demo.json", self.room.path / "saved.json")
        self.play("compare.script")

    def rows(self, dump):
        """Rows of the comparison below its titles."""
        rows = [row.split() for row in self.room.screen(dump)]
        first = next(i for i, row in enumerate(rows) if row[:2] == ["Layer", "of"])
        return rows[first + 1:-2]

    def layers(self, config):
        return [one for one in self.room.analyze(config)["layers"] if one["role"] == "matrix"]

    def test_settings_that_differ(self):
        text = "\n".join(self.room.screen("narrow.txt"))
        self.assertIn("A: saved.json", text)
        self.assertIn("weight of fs: 1 (A), 1.1 (B)", text)
        self.assertIn("overrides: 0 (A), 2 (B)", text)
        self.assertNotIn("alpha", text)

    def test_every_layer_is_that_of_analyze(self):
        changed = json.loads((self.room.path / "now.json").read_text())
        names = [one["name"] for one in self.layers("demo.json")]
        changed["specialists"][0]["weight"] = 1.1
        changed["residual"]["overrides"] = [
            {"layer": names[0], "specialist": "fs", "rank": {"rank": 10}},
            {"layer": names[2], "specialist": "fs", "rank": {"rank": 11}}]
        (self.room.path / "changed.json").write_text(json.dumps(changed))
        wanted = []
        for a, b in zip(self.layers("saved.json"), self.layers("changed.json")):
            for one, other in zip(a["specialists"], b["specialists"]):
                if any(abs(one[key] - other[key]) > 0.0005 for key in ("rank", "kept", "share")):
                    wanted.append([one["name"], str(one["rank"]), str(other["rank"]),
                                   f"{100 * one['kept']:.1f}", f"{100 * other['kept']:.1f}",
                                   f"{100 * one['share']:.1f}", f"{100 * other['share']:.1f}"])
        shown = [row[1:] for row in self.rows("wide.txt") if row]
        self.assertGreater(len(shown), 40)
        self.assertEqual(shown, wanted[:len(shown)])

    def test_another_core_has_spectra_of_its_own(self):
        self.assertIn("real.center: false (A), true (B)", "\n".join(self.room.screen("core.txt")))
        first = self.layers("saved.json")[0]["specialists"][0]
        self.assertEqual(self.rows("core.txt")[0][1:5:3],
                         ["fs", f"{100 * first['kept']:.1f}"])

    def overrides(self, dump):
        rows = [row.split("│")[0].split() for row in self.room.screen(dump) if "│" in row]
        return [row[2] for row in rows if row[:2] == ["fs", "in"] and len(row) > 3]

    def test_overrides_move_and_change(self):
        moved, changed = self.overrides("moved.txt"), self.overrides("layers.txt")
        self.assertEqual(len(moved), 2)
        self.assertIn("mlp.fc1", moved[0])
        self.assertIn("*mlp.fc2*", changed)
        self.assertIn("matches no matrix", self.room.screen("nowhere.txt")[-1])
        self.assertEqual(len(self.overrides("dropped.txt")), 1)
        written = json.loads((self.room.path / "now.json").read_text())
        self.assertEqual(len(written["residual"]["overrides"]), 1)


if __name__ == "__main__":
    unittest.main()
