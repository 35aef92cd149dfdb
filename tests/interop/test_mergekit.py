"""mergekit itself on the YAML that r2m writes for it, and r2m on the same settings: the same weights.

mergekit merges plain files by its command mergekit-pytorch. R2M is the program.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy
    import safetensors.numpy
except ImportError:
    numpy = None

R2M = os.environ.get("R2M", "build/r2m")
MERGEKIT = pathlib.Path(sys.executable).with_name("mergekit-pytorch")
SOURCE = ["--base", *(f"samples/{name}.safetensors" for name in ("base", "fs", "fr", "efs"))]
WEIGHTS = ["specialists.fs.weight=2", "specialists.efs.weight=0.5"]


def run(*command, folder=None):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=folder)
    if done.returncode != 0:
        raise AssertionError(done.stderr)


@unittest.skipUnless(numpy and MERGEKIT.exists(), "mergekit is not installed")
class Mergekit(unittest.TestCase):
    def compare(self, method, *settings, astray=0):
        """astray: the share of a tensor's elements that may differ."""
        words = [w for one in (f"method={method}", *settings) for w in ("--set", one)]
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            run(R2M, "init", *SOURCE, *words, "--format", "mergekit", "-o", folder / "m.yaml")
            run(MERGEKIT, "m.yaml", "theirs", "--tensor-intersection", folder=folder)
            run(R2M, "merge", *SOURCE, *words, "-o", folder / "ours.safetensors")
            theirs = safetensors.numpy.load_file(folder / "theirs" / "model.safetensors")
            ours = safetensors.numpy.load_file(folder / "ours.safetensors")
        base = safetensors.numpy.load_file("samples/base.safetensors")
        for name in base:
            # They add and multiply in float32.
            tolerance = 4 * numpy.spacing(numpy.abs(theirs[name]).max())
            off = numpy.abs(ours[name] - theirs[name]) > tolerance
            self.assertLessEqual(off.sum(), astray * off.size, name)
            changed = numpy.abs(theirs[name] - base[name]).max()
            self.assertTrue(changed > 100 * tolerance or theirs[name].size < 100, name)

    def test_average(self):
        self.compare("average", *WEIGHTS)

    def test_task_arithmetic(self):
        self.compare("task_arithmetic", "task_arithmetic.lambda=-0.7", *WEIGHTS)

    def test_ties(self):
        """In float32 an election of signs may end otherwise where the sum is nearly 0."""
        self.compare("ties", astray=2e-4)
        self.compare("ties", "ties.density=0.4", "ties.lambda=0.6", *WEIGHTS, astray=2e-4)

    def test_dare_that_drops_nothing(self):
        self.compare("dare", "dare.drop=0", "dare.lambda=0.5", *WEIGHTS)


if __name__ == "__main__":
    unittest.main()
