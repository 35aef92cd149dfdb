"""What the Specialists view says: who dominates, where, what mends it; cosines in full."""

import re
import sys
import unittest
from pathlib import Path

import safetensors_file

sys.path.insert(0, str(Path(__file__).parent))
from scripted_screen import ScriptTest  # noqa: E402


class Diagnosis(ScriptTest):
    def setUp(self):
        super().setUp()
        self.let_efs_dominate()
        self.play("diagnosis.script")

    def let_efs_dominate(self):
        """fr comes close to fs: what is left to share is mostly that of efs."""
        fs, fr = (safetensors_file.read(self.room.path / f"{name}.safetensors") for name in ("fs", "fr"))
        nearer = {name: (0.7 * fs[name] + 0.3 * array).astype("f4") if array.dtype == "f4" else array
                  for name, array in fr.items()}
        (self.room.path / "fr.safetensors").unlink()  # a link to the sample
        safetensors_file.write(self.room.path / "fr.safetensors", nearer)

    def text(self, dump):
        return " ".join(" ".join(self.room.screen(dump)).split())

    def test_where_shares_are_least_equal(self):
        layers = [one for one in self.room.analyze()["layers"] if one["role"] == "matrix"]
        worst = max(layers, key=lambda one: one["dominance"])
        leader = max(worst["specialists"], key=lambda one: one["share"])
        found = re.search(r"Least equal after matching: (\S+) \((\w+) (\d+)%\)", self.text("summary.txt"))
        self.assertIn(found[1], worst["name"])
        self.assertEqual((found[2], found[3]), (leader["name"], f"{100 * leader['share']:.0f}"))

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
        self.assertIn("efs.safetensors", "".join(rows))  # the file, not the middle of its path
        efs = next(row for row in rows if row.startswith(" efs"))
        share = next(one for one in self.room.analyze()["specialists"] if one["name"] == "efs")
        self.assertEqual(efs.count("█"), 2 * int(20 * share["share_before"]))


class Toggle(ScriptTest):
    def test_the_same_key_takes_it_back(self):
        self.play("toggle.script")
        names = {dump: [row.split()[0] for row in self.room.screen(dump)[2:5] if row.strip()]
                 for dump in ("off.txt", "on.txt", "taken.txt")}
        self.assertEqual(names["off.txt"], ["fs", "efs", "fr"])
        self.assertEqual(names["on.txt"], ["fs", "fr", "efs"])
        self.assertEqual(names["taken.txt"][:2], ["fs", "efs"])
        self.assertEqual(self.room.screen("named.txt")[-2].split(), ["fs", "1/2"])


class Weightless(ScriptTest):
    def test_a_weight_of_0_says_what_still_counts(self):
        (self.room.path / "keys").write_text(
            ":wait\nkeys: 2 e C-u 0 Enter\n:screendump zero.txt\n"
            "keys: +\n:screendump some.txt\n:quit\n")
        done = self.room.run("tui", "demo.json", "--script", "keys")
        self.assertEqual(done.returncode, 0, done.stderr)
        zero, some = ("\n".join(self.room.screen(dump)) for dump in ("zero.txt", "some.txt"))
        self.assertIn("fs has weight 0 but still counts in the Real core: Space leaves it out", zero)
        self.assertNotIn("weight 0", some)
        self.assertIn("weight of fs: 0.1", some)


if __name__ == "__main__":
    unittest.main()
