"""r2m plot where it cannot: every refusal names what is wrong, and no file is left half written."""

import resource
import subprocess
import unittest

import numpy as np

from program_test import SOURCE, ProgramTest

PLOT = ["plot", *SOURCE]


def limit_files(size):
    """A limit on the size of files is a full disk without root."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class Refusals(ProgramTest):
    def test_format(self):
        self.refused(2, *PLOT, "-o", "out", "--format", "gif", says=["gif", "png", "svg", "pdf"])

    def test_sizes(self):
        for words, says in ((["--width", "0"], "--width 0"), (["--height", "-1"], "--height -1"),
                            (["--dpi", "nan"], "--dpi nan"),
                            (["--width", "1000", "--dpi", "100"], "100000 x 400 pixels"),
                            (["--width", "0.01"], "3 x 1200 pixels"),
                            (["--width", "1000", "--format", "svg"], "1000 x 4 inches")):
            with self.subTest(words):
                self.refused(2, *PLOT, "-o", "out", *words, says=[says])

    def test_layers_and_figures_that_nobody_has(self):
        self.refused(2, *PLOT, "-o", "out", "--layer", "blocks.2.mpl.weight",
                     says=["blocks.2.mpl.weight", "there are blocks.2.mlp.weight"])
        self.refused(2, *PLOT, "-o", "out", "--figure", "energy,map-kpet",
                     says=["map-kpet", "did you mean map-kept?"])
        self.refused(2, *PLOT, "-o", "out", "--figure", "", says=["there are", "spectrum"])

    def test_folders_are_tried_before_the_analysis(self):
        """Files with a NaN, which the analysis would refuse, are not read."""
        self.base["conv.weight"].flat[0] = np.nan
        self.write("base", self.base)
        (self.folder / "file").write_text("")
        for folder, says in (("/proc/self/x", "cannot be made"), ("/proc/self", "cannot be written"),
                             ("file", "a file is in the way"), ("no/such/out", "cannot be made")):
            with self.subTest(folder):
                self.refused(1, *PLOT, "-o", folder, says=[folder, says])
        self.refused(1, *PLOT, "-o", "out", says=["conv.weight"])


class Choice(ProgramTest):
    def drawn(self, folder, *more):
        self.good(*PLOT, "-o", folder, "--format", "svg", *more)
        return {path.stem: path.read_bytes() for path in (self.folder / folder).iterdir()}

    def test_every_figure_is_drawn_alone_by_its_name(self):
        drawn = self.drawn("all")
        self.assertIn("spectrum-blocks.2.mlp.weight", drawn)
        self.assertIn("multiples-mlp", drawn)
        for number, name in enumerate(drawn):
            self.assertEqual(self.drawn(f"out{number}", "--figure", name), {name: drawn[name]})
        self.assertEqual(self.drawn("some", "--figure", "energy-*,spectrum"),
                         {name: drawn[name] for name in drawn if name.startswith(("energy", "spectrum"))})

    def test_only_what_is_drawn_again_is_in_the_way(self):
        self.drawn("out", "--figure", "energy-fs")
        self.assertEqual(len(self.drawn("out", "--figure", "energy-fr,ranks")), 3)
        for figure in ("energy-f?", "energy", "energy-fs,map-kept"):
            self.refused(1, *PLOT, "-o", "out", "--figure", figure, "--format", "svg",
                         says=["exists", "--force"])

    def test_figures_of_another_format_are_not_in_the_way(self):
        self.drawn("out", "--figure", "ranks")
        self.good(*PLOT, "-o", "out", "--figure", "ranks", "--format", "pdf")
        self.assertEqual(sorted(path.name for path in (self.folder / "out").iterdir()),
                         ["ranks.pdf", "ranks.svg"])

    def test_a_name_that_is_nearly_one(self):
        for given, meant in (("spectrum-blocks.2.mpl.weight", "spectrum-blocks.2.mlp.weight"),
                             ("energy-sf", "energy-fs"), ("enrgy", "energy")):
            self.refused(2, *PLOT, "-o", "out", "--figure", given, says=[f"did you mean {meant}?"])


class FullDisk(ProgramTest):
    def whole(self, folder):
        for path in folder.iterdir():
            self.assertEqual(path.suffix, ".svg")
            subprocess.run(["xmllint", "--noout", path], check=True)

    def test_what_is_written_is_whole(self):
        self.good(*PLOT, "-o", "room", "--format", "svg")
        sizes = sorted(path.stat().st_size for path in (self.folder / "room").iterdir())
        done = self.run_program(*PLOT, "-o", "full", "--format", "svg",
                                preexec_fn=limit_files(sizes[-1] - 1))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"(?m)^r2m: full/\S+\.svg: ")
        self.whole(self.folder / "full")
        self.assertLess(len(list((self.folder / "full").iterdir())), len(sizes))

    def test_figures_that_are_there_survive(self):
        self.good(*PLOT, "-o", "out", "--format", "svg")
        before = {path.name: path.read_bytes() for path in (self.folder / "out").iterdir()}
        self.refused(1, *PLOT, "-o", "out", "--format", "svg", "--force", says=["out/", ".svg"],
                     preexec_fn=limit_files(100))
        self.assertEqual(before, {path.name: path.read_bytes()
                                  for path in (self.folder / "out").iterdir()})


if __name__ == "__main__":
    unittest.main()
