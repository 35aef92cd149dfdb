"""Threads: any number gives the same bytes, more than there are processors do no harm, and by
default there are as many as the process may use."""

import os
import unittest

from program_test import SOURCE, ProgramTest

SHARDS = ["--set", "output.shard_bytes=2000"]


class Threads(ProgramTest):
    def content(self, name):
        path = self.folder / name
        if path.is_dir():
            return {file.name: file.read_bytes() for file in path.iterdir()}
        return path.read_bytes()

    def test_merges_have_the_same_bytes(self):
        kinds = {"m.safetensors": [], "m.pth": [], "m/": SHARDS,
                 "e.safetensors": ["--set", "residual.rank.energy=0.8"],
                 "t.safetensors": ["--set", "method=ties"],
                 "v.safetensors": ["--set", "method=tsv_m"]}
        for name, more in kinds.items():
            contents = []
            for count in (1, 2, 8):
                self.good("merge", *SOURCE, *more, "-o", f"{count}{name}", "--threads", count)
                contents.append(self.content(f"{count}{name}"))
            self.assertEqual(contents[0], contents[1], name)
            self.assertEqual(contents[0], contents[2], name)

    def test_analyses_have_the_same_bytes(self):
        analyze = ["analyze", *SOURCE, "--json", "--spectra"]
        one = self.good(*analyze, "--threads", 1)
        for count in (2, 8):
            self.assertEqual(self.good(*analyze, "--threads", count), one)

    def test_far_too_many_do_no_harm(self):
        self.good("merge", *SOURCE, "-o", "1.pth", "--threads", 1)
        only = min(os.sched_getaffinity(0))
        for name, more in {"many": {}, "blas": {"env": {"OPENBLAS_NUM_THREADS": "16"}},
                           "bound": {"preexec_fn": lambda: os.sched_setaffinity(0, {only})}}.items():
            self.good("merge", *SOURCE, "-o", f"{name}.pth", "--threads", 200, "--memory", "8G",
                      **more)
            self.assertEqual(self.content(f"{name}.pth"), self.content("1.pth"))

    def test_the_default_is_what_the_process_may_use(self):
        only = min(os.sched_getaffinity(0))
        plan = ["merge", *SOURCE, "-o", "m.safetensors", "--dry-run", "--json", "--memory", "8G"]
        self.assertLessEqual(self.json(*plan)["threads"], len(os.sched_getaffinity(0)))
        bound = self.good(*plan, preexec_fn=lambda: os.sched_setaffinity(0, {only}))
        self.assertIn('"threads": 1,', bound)


if __name__ == "__main__":
    unittest.main()
