"""The map's quantities are those of analyze, and its wide form has every number of a layer."""

import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from scripted_screen import ScriptTest  # noqa: E402

LAYER = "layers.0.mlp.fc1.weight"


class MapView(ScriptTest):
    @classmethod
    def numbers(cls, layer):
        """What the five quantities say of each specialist of a layer of analyze."""
        n = len(layer["specialists"])
        equal = 1 / n
        rows = []
        for one in layer["specialists"]:
            total = one["real"] + one["fake"] + one["cross"]
            rows.append([100 * one["share"], 100 * one["kept"], 100 * one["real"] / total,
                         100 * (one["share"] - equal) / (1 - equal), one["rank"]])
        return rows

    def test_quantities(self):
        self.play("map.script")
        layer = next(one for one in self.room.analyze()["layers"] if one["name"].endswith(LAYER))
        wanted = self.numbers(layer)
        for q, dump in enumerate(["share", "kept", "real", "dominance", "rank"]):
            row = next(r for r in self.room.screen(dump + ".txt") if r.startswith(" 0.mlp.fc1"))
            found = [int(n) for n in re.findall(r" ([+-]?\d+)(?= |$)", row)][:3]
            self.assertEqual(found, [round(one[q]) for one in wanted], dump)

    def test_the_panel_of_a_wide_screen(self):
        self.play("map.script")
        report = self.room.analyze()
        layer = next(one for one in report["layers"] if one["name"].endswith(LAYER))
        rows = [row.split("│")[1] for row in self.room.screen("rank.txt") if "│" in row]
        self.assertIn(LAYER, rows[0])
        self.assertIn(f"dominance {layer['dominance']:.2f}", rows[1])
        for one, wanted in zip(layer["specialists"], self.numbers(layer)):
            row = next(r.split() for r in rows if r.split()[:1] == [one["name"]])
            self.assertEqual([int(n) for n in row[1:]], [round(n) for n in wanted])

    def test_legend_and_cursor(self):
        self.play("map.script", locale="C")
        rows = self.room.screen("kept.txt")
        self.assertIn("kept residual energy, %", rows[1])
        self.assertTrue(all(ord(c) < 128 for row in rows for c in row))
        self.assertRegex(rows[-2], r"fs: share% \d+, kept% \d+, Real% \d+, dom.% \S+, rank \d+")

    def test_the_legend_ends_with_a_word_or_a_number(self):
        """Where "twice the equal share" has no room, the share itself is said."""
        self.play_steps(*[step for size in ("60 16", "80 24") for step in
                          (f":resize {size}", "keys: 3", *[step for q in range(5) for step in
                             (f":screendump {q}{size[:2]}.txt", "keys: m")])])
        ends = {size: [re.split("█ ", self.room.screen(f"{q}{size}.txt")[1])[1].strip()
                       for q in range(5)] for size in (60, 80)}
        self.assertEqual(ends[60], ["67", "100", "100", "100", "full rank"])
        self.assertEqual(ends[80], ["twice the equal share", "100", "100", "100", "full rank"])

    def test_columns_without_room_are_counted(self):
        """Of twelve specialists a screen of 80 columns shows six; the selected one is among them."""
        script = self.room.path / "many.script"
        script.write_text(":wait\nkeys: 3\n:screendump first.txt\n"
                          "keys: h\n:screendump last.txt\n:quit\n")
        many = [f"s{i}=fs.safetensors" for i in range(12)]
        done = self.room.run("tui", "--base", "base.safetensors", *many, "--script", script)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for name, shown in (("first.txt", "s0"), ("last.txt", "s11")):
            legend, titles = self.room.screen(name)[1:3]
            columns = re.findall(r"\bs\d+\b", titles)
            self.assertIn(shown, columns)
            self.assertTrue(legend.rstrip().endswith(f"h l: {12 - len(columns)} more"), legend)

    def test_enter_opens_the_layer(self):
        self.play("map.script")
        rows = self.room.screen("layer.txt")
        self.assertNotIn("dom.", rows[1])
        first = next(one for one in self.room.analyze()["layers"] if one["role"] == "matrix")
        fr = first["specialists"][1]
        self.assertIn(f"fr r={fr['rank']} of {fr['max_rank']}", rows[-2])


if __name__ == "__main__":
    unittest.main()
