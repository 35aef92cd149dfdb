"""The spectrum on the screen: what its cursor reads is what numpy finds in the files."""

import re
import sys
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))
import safetensors_file  # noqa: E402
from scripted_screen import SAMPLES, ScriptTest  # noqa: E402

NAME = "backbone.encoder.layers.0.mlp.fc1.weight"
READING = re.compile(r"(\w+) index (\d+) of (\d+), sigma ([\d.e-]+) \(([\d.e-]+) sigma_1\), "
                     r"kept ([\d.]+)%")


def matrix(stem):
    tensor = safetensors_file.read(SAMPLES / f"{stem}.safetensors")[NAME]
    return np.asarray(tensor, dtype=np.float64)


class Spectrum(ScriptTest):
    def setUp(self):
        super().setUp()
        self.play("spectrum.script")

    def reading(self, name):
        for row in self.room.screen(name):
            found = READING.search(row)
            if found:
                return found
        self.fail("no reading:\n" + "\n".join(self.room.screen(name)))

    def assert_reads(self, name, who, sigma):
        found = self.reading(name)
        index = int(found[2])
        self.assertEqual((found[1], int(found[3])), (who, len(sigma)))
        kept = np.sum(sigma[:index] ** 2) / np.sum(sigma ** 2)
        self.assertLess(abs(float(found[4]) / sigma[index - 1] - 1), 0.006)
        self.assertLess(abs(float(found[5]) / (sigma[index - 1] / sigma[0]) - 1), 0.006)
        self.assertAlmostEqual(float(found[6]), 100 * kept, delta=0.051)
        return index

    def residual(self, who):
        layers = self.room.analyze("demo.json", "--spectra")["layers"]
        layer = next(one for one in layers if one["name"] == NAME)
        one = next(one for one in layer["specialists"] if one["name"] == who)
        return np.array(one["sigma"])

    def test_the_cursor_reads_residuals(self):
        self.assertEqual(self.assert_reads("cursor.txt", "fs", self.residual("fs")), 11)
        self.assert_reads("wide.txt", "fs", self.residual("fs"))

    def test_the_cursor_reads_task_vectors(self):
        sigma = np.linalg.svd(matrix("fs") - matrix("base"), compute_uv=False)
        self.assert_reads("tasks.txt", "fs", sigma)
        sigma = np.linalg.svd(matrix("fr") - matrix("base"), compute_uv=False)
        self.assert_reads("other.txt", "fr", sigma)

    def test_the_cursor_reads_the_base(self):
        self.assert_reads("base.txt", "base", np.linalg.svd(matrix("base"), compute_uv=False))

    def test_the_cut_goes_to_the_cursor(self):
        self.assertIn("r=11", "\n".join(self.room.screen("cut.txt")))
        self.assertIn("r=9", "\n".join(self.room.screen("plain.txt")))

    def test_what_is_shown_is_said(self):
        for name, words in (("tasks.txt", ["task vectors"]), ("base.txt", ["━base"]),
                            ("compared.txt", ["compared, sigma/sigma_1, linear", "residual r=9"]),
                            ("energy.txt", ["energy"]), ("zoomed.txt", ["zoomed"]),
                            ("edges.txt", ["GD", "MP"])):
            text = "\n".join(self.room.screen(name))
            for word in words:
                self.assertIn(word, text, name)

    def test_energy_rises_to_one(self):
        rows = [row.split("│", 1)[1] for row in self.room.screen("energy.txt") if "│" in row]
        self.assertTrue(any(row.startswith("    1┤") for row in rows[:4]), rows)

    def test_a_zoom_shows_fewer_indexes(self):
        axis = next(row for row in self.room.screen("zoomed.txt") if "└" in row)
        labels = self.room.screen("zoomed.txt")[self.room.screen("zoomed.txt").index(axis) + 1]
        shown = [int(word) for word in re.findall(r"\b\d+\b", labels.split("│")[1])]
        self.assertTrue(shown and max(shown) < 60, labels)

    def test_wide_screens_list_every_specialist_at_the_cursor(self):
        rows = self.room.screen("wide.txt")
        start = next(i for i, row in enumerate(rows) if "at index" in row)
        index = int(re.search(r"at index (\d+)", rows[start])[1])
        for who, row in zip(("fs", "fr", "efs"), rows[start + 1:]):
            sigma = self.residual(who)
            words = row.split()[-2:]
            kept = 100 * np.sum(sigma[:index] ** 2) / np.sum(sigma ** 2)
            self.assertLess(abs(float(words[0].rstrip(",")) / sigma[index - 1] - 1), 0.006)
            self.assertAlmostEqual(float(words[1].rstrip("%")), kept, delta=0.051)

    def test_ascii_shows_the_same(self):
        self.play("spectrum.script", locale="C")
        self.assertEqual(self.assert_reads("cursor.txt", "fs", self.residual("fs")), 11)
        for dump in self.room.path.glob("*.txt"):
            self.assertTrue(dump.read_bytes().isascii(), dump.name)


class Axes(ScriptTest):
    """Labels of the logarithmic axes in panes of many sizes: decades and, of each, the same digits."""

    SIZES = [(60 + 7 * i, 16 + i) for i in range(24)]

    def play_sizes(self):
        self.play_steps(*[step for width, height in self.SIZES
                          for step in (f":resize {width} {height}", f":screendump {width}.txt")])

    def assert_regular(self, labels, where):
        """A row of 1, 2, 5, 10, ... or of powers of ten, without a gap."""
        marks = []
        for label in labels:
            digit, exponent = f"{float(label):.0e}".split("e")
            marks.append((int(exponent), int(digit)))
        digits = sorted({digit for _, digit in marks})
        if len(labels) < 2:
            return
        self.assertIn(digits, ([1], [1, 2, 5], [2, 5], [1, 5], [1, 2]), where)
        every = [(power, digit) for power in range(marks[0][0], marks[-1][0] + 1) for digit in
                 ([1, 2, 5] if len(digits) > 1 and len(labels) > 2 else digits)]
        self.assertEqual(marks, [one for one in every if marks[0] <= one <= marks[-1]], where)

    def test_labels_are_regular(self):
        self.play_sizes()
        seen = set()
        for width, height in self.SIZES:
            rows = self.room.screen(f"{width}.txt")
            labels = [found[1] for row in rows
                      if (found := re.search(r"(?:^|│) *([\d.e+-]+)┤", row))]
            self.assert_regular(labels[::-1], f"y axis at {width}x{height}: {labels}")
            seen.add(len(labels))
            axis = next(i for i, row in enumerate(rows) if "└" in row)
            start = rows[axis].index("└")
            labels = re.findall(r"[\w.=]+", rows[axis + 1][start:].split("│")[0])
            labels = [label.replace("r=9", "10") for label in labels]  # it stands in the place of 10
            self.assert_regular(labels, f"x axis at {width}x{height}: {labels}")
        self.assertGreater(max(seen), 5)


class Pointer(ScriptTest):
    def setUp(self):
        super().setUp()
        self.play("drag.script")

    def ranks(self, name):
        return [int(row.split()[1]) for row in self.room.screen(name) if row.startswith("  mlp.fc1")]

    def cut(self, name):
        axis = next(row for row in self.room.screen(name) if "└" in row)
        return axis.index("┼")

    def test_the_cut_is_dragged(self):
        self.assertEqual(self.cut("back.txt"), 61)
        rank = self.ranks("dragged.txt")[0]
        self.assertTrue(20 < rank < 40, rank)
        self.assertEqual(self.cut("dragged.txt"), 72)
        self.assertIn(f"r={rank}", "\n".join(self.room.screen("dragged.txt")))

    def test_a_drag_is_one_step(self):
        self.assertEqual(self.ranks("back.txt"), [9, 9, 9])

    def test_the_cursor_is_dragged(self):
        at = [int(READING.search("\n".join(self.room.screen(name)))[2])
              for name in ("cursor.txt", "moved.txt")]
        self.assertTrue(1 < at[0] < at[1] < 9, at)

    def test_titles_sort(self):
        shares = {name: [int(row.split("│")[0].split()[-2]) for row in self.room.screen(name)[2:21]]
                  for name in ("sorted.txt", "turned.txt")}
        self.assertEqual(shares["sorted.txt"], sorted(shares["sorted.txt"], reverse=True))
        self.assertEqual(shares["turned.txt"], sorted(shares["turned.txt"]))
        self.assertTrue(any("layers.0 (6)" in row for row in self.room.screen("model.txt")))


if __name__ == "__main__":
    unittest.main()
