"""What the Specialists view says: who dominates, where, what mends it; cosines in full."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from scripted_screen import ScriptTest  # noqa: E402


class Diagnosis(ScriptTest):
    def setUp(self):
        super().setUp()
        self.play("diagnosis.script")

    def text(self, dump):
        return " ".join(" ".join(self.room.screen(dump)).split())

    def test_where_shares_are_least_equal(self):
        layers = [one for one in self.room.analyze()["layers"] if one["role"] == "matrix"]
        worst = max(layers, key=lambda one: one["dominance"])
        leader = max(worst["specialists"], key=lambda one: one["share"])
        self.assertIn("Least equal after matching: position_embedding "
                      f"({leader['name']} {100 * leader['share']:.0f}%)", self.text("summary.txt"))
        self.assertIn("position_embedding", worst["name"])

    def test_the_key_mends_what_dominates(self):
        self.assertNotIn("m mends", self.text("summary.txt"))
        self.assertIn("m mends: norm_match=global", self.text("amiss.txt"))
        self.assertNotIn("m mends", self.text("mended.txt"))
        self.assertIn("m mends: norm_match=global", self.text("undone.txt"))
        rows = {dump: next(row.split() for row in self.room.screen(dump) if row.startswith(" efs"))
                for dump in ("summary.txt", "amiss.txt", "mended.txt")}
        self.assertEqual(rows["mended.txt"], rows["summary.txt"])
        self.assertEqual(rows["amiss.txt"][5], rows["amiss.txt"][6])  # not matched

    def test_cosines_come_first_on_their_page(self):
        rows = [row.split() for row in self.room.screen("residuals.txt")]
        at = next(i for i, row in enumerate(rows) if row[:3] == ["Cosines", "of", "task"])
        wanted = self.room.analyze()["cos_task_vectors"]
        for row, cosines in zip(rows[at + 2:], wanted):
            self.assertEqual(row[1:4], [f"{c:.2f}" for c in cosines])
        self.assertNotIn("Real core", self.text("residuals.txt"))

    def test_bars_where_there_is_room(self):
        rows = self.room.screen("wide.txt")
        self.assertIn("before matching", rows[1])
        efs = next(row for row in rows if row.startswith(" efs"))
        share = next(one for one in self.room.analyze()["specialists"] if one["name"] == "efs")
        self.assertEqual(efs.count("█"), 2 * int(20 * share["share_before"]))


if __name__ == "__main__":
    unittest.main()
