"""Memory that a merge or an analysis may take: what it says beforehand, and that the result does not
depend on it."""

import unittest

import numpy as np

from program_test import SHAPES, SOURCE, ProgramTest

MERGE = ["merge", *SOURCE, "-o", "out.safetensors", "--set", "residual.rank.ratio=0.4"]
LARGE = [f"large.{i}.weight" for i in range(8)]  # so that their vectors count


class Memory(ProgramTest):
    def specialist(self, seed):
        random = np.random.default_rng(seed)
        return {**super().specialist(seed),
                **{name: random.standard_normal((300, 300)).astype(np.float32) for name in LARGE}}

    def setUp(self):
        super().setUp()
        zero = np.zeros((300, 300), np.float32)
        self.write("base", {**self.base, **dict.fromkeys(LARGE, zero)})

    def needs(self, *arguments):
        return self.json(*MERGE, "--dry-run", "--json", "--threads", "2", *arguments)

    def test_less_memory_means_more_passes_then_fewer_threads(self):
        plenty = self.needs("--memory", "1G")
        self.assertEqual((plenty["threads"], plenty["passes"]), (2, 3))
        kept = self.needs("--memory", str(plenty["memory_bytes"] - 1))  # none found while writing
        least = kept["memory_bytes"]
        self.assertEqual((kept["threads"], kept["passes"]), (2, 3))
        self.assertLess(least, plenty["memory_bytes"])
        tight = self.needs("--memory", str(least - 1))
        self.assertEqual((tight["threads"], tight["passes"]), (2, 4))
        self.assertLess(tight["memory_bytes"], least)
        self.assertGreater(tight["operations"], plenty["operations"])
        narrow = self.needs("--memory", str(least - (4 << 20)))
        self.assertEqual(narrow["threads"], 1)
        self.assertGreater(plenty["seconds"], 0)
        self.assertFalse((self.folder / "out.safetensors").exists())

    def test_too_little_is_refused_before_the_work(self):
        self.refused(1, *MERGE, "--memory", "1M", says=["out.safetensors", "at least", "MiB"])
        self.refused(1, *MERGE, "--memory", "1M", "--dry-run", says=["at least"])

    def test_the_result_does_not_depend_on_memory_or_threads(self):
        plenty = self.needs("--memory", "1G")["memory_bytes"]
        least = self.needs("--memory", str(plenty - 1))["memory_bytes"]
        digests = {self.json(*MERGE, "--json", "--force", "-q", *more)["sha256"]
                   for more in (["--memory", "1G"], ["--memory", str(least)],
                                ["--memory", str(least - 1)],
                                ["--threads", "1"], ["--threads", "2"], ["--threads", "8"],
                                ["--threads", "2", "--memory", str(least - (4 << 20))])}
        self.assertEqual(len(digests), 1)

    def test_methods_that_take_a_tensor_whole_say_so(self):
        """The change in doubles, for each thread, and what decomposes it."""
        least = self.needs("--set", "method=average")["memory_bytes"]
        for method, doubles in (("ties", 1), ("dare", 1), ("iso_c", 4), ("tsv_m", 5)):
            with self.subTest(method):
                memory = self.needs("--set", f"method={method}")["memory_bytes"]
                self.assertGreater(memory, least + 2 * doubles * 8 * 300 * 300)

    def test_an_analysis_says_what_it_needs(self):
        needs = self.json("analyze", *SOURCE, "--dry-run", "--json", "--threads", 3)
        self.assertEqual((needs["threads"], needs["passes"]), (3, 2))
        operations = sum(rows * cols * min(rows, cols) + 4 / 3 * min(rows, cols) ** 3
                         for rows, cols in [*self.matrices(), *[(300, 300)] * len(LARGE)])
        self.assertAlmostEqual(needs["operations"] / (3 * operations), 1, places=6)
        self.assertGreater(needs["seconds"], 0)
        text = self.good("analyze", *SOURCE, "--dry-run", "--memory", "512M")
        self.assertIn("peak memory", text)
        self.assertNotIn("real core", text)

    def matrices(self):
        return [(shape[0], int(np.prod(shape[1:]))) for shape in SHAPES.values() if len(shape) > 1]

    def test_fewer_threads_within_less_memory(self):
        needs = ["analyze", *SOURCE, "--dry-run", "--json", "--threads", "4"]
        full = self.json(*needs)["memory_bytes"]
        self.assertEqual(self.json(*needs, "--memory", str(full))["threads"], 4)
        tight = self.json(*needs, "--memory", str(full - 1))
        self.assertEqual(tight["threads"], 3)
        self.assertLess(tight["memory_bytes"], full)

    def test_every_command_that_analyzes_refuses_too_little(self):
        sweep = ["--vary", "alpha=0.1,0.2", "-o", "s"]
        for command in (["analyze"], ["plot", "-o", "p"], ["report", "-o", "r"], ["sweep", *sweep],
                        ["merge", "--adapters", "-o", "a"], ["tui", "--script", "keys"]):
            with self.subTest(command=command[0]):
                (self.folder / "keys").write_text("q\n")
                self.refused(1, *command, *SOURCE, "--memory", "1M", "-q",
                             says=["at least", "MiB of memory, 1 are allowed"])

    def test_figures_do_not_depend_on_memory(self):
        least = self.json("analyze", *SOURCE, "--dry-run", "--json", "--threads",
                          "1")["memory_bytes"]
        texts = {self.good("analyze", *SOURCE, "--json", "-q", *more)
                 for more in (["--threads", "4"], ["--threads", "4", "--memory", str(least)])}
        self.assertEqual(len(texts), 1)

    def test_a_sweep_within_memory(self):
        plan = [*SOURCE, "--vary", "alpha=0.1,0.2", "--eval", "echo '{\"size\": 1}' #{}",
                "--threads", "4", "-q"]
        least = self.needs("--threads", "1", "--memory", "1G")["memory_bytes"]
        self.good("sweep", *plan, "-o", "s", "--memory", str(least))
        lines = (self.folder / "s/sweep.jsonl").read_text().splitlines()
        self.assertEqual(sum('"size"' in line for line in lines), 2)

    def test_forms_of_a_size(self):
        sizes = {self.needs("--memory", size)["memory_bytes"]
                 for size in ("1G", "1g", "1GiB", "1024M", "1048576KB", "1073741824", "0.5T")}
        self.assertEqual(len(sizes), 1)
        for bad in ("", "x", "-1G", "0", "1X", "1Gb", "G", "1e99"):
            self.refused(2, *MERGE, f"--memory={bad}", says=["--memory", "512M"])


if __name__ == "__main__":
    unittest.main()
