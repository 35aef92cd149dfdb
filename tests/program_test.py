"""What tests of the whole program share: a folder of its own, small models in it, and a run."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy as np

import safetensors_file

R2M = os.path.abspath(os.environ.get("R2M", "build/r2m"))

SHAPES = {"blocks.0.attn.weight": (24, 16), "blocks.0.attn.bias": (24,),
          "blocks.2.mlp.weight": (12, 30), "blocks.10.mlp.weight": (18, 18),
          "conv.weight": (8, 3, 3, 3), "norm.weight": (16,)}
SOURCE = ["--base", "base.safetensors", "fs.safetensors", "efs.safetensors", "fr.safetensors"]
SPECIALISTS = ["fs", "efs", "fr"]


def random_tensors(seed, scale=1.0, base=None):
    random = np.random.default_rng(seed)
    fresh = {name: (scale * random.standard_normal(shape)).astype(np.float32)
             for name, shape in SHAPES.items()}
    return fresh if base is None else {name: base[name] + fresh[name] for name in SHAPES}


class ProgramTest(unittest.TestCase):
    """A folder with base.safetensors, fs, efs and fr; the program runs in it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="r2m-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.base = random_tensors(1)
        self.write("base", self.base)
        for seed, name in enumerate(SPECIALISTS, start=2):
            self.write(name, self.specialist(seed))

    def specialist(self, seed):
        head = np.full((2, 16), seed, np.float32)
        return {**random_tensors(seed, 0.01, self.base), "head.weight": head}

    def write(self, name, tensors):
        safetensors_file.write(self.folder / f"{name}.safetensors", tensors)

    def run_program(self, *arguments, **more):
        env = {**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(self.folder), **more.pop("env", {})}
        more.setdefault("stdout", subprocess.PIPE)
        return subprocess.run([R2M, *map(str, arguments)], cwd=self.folder, env=env, text=True,
                              errors="surrogateescape", stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, **more)

    def good(self, *arguments, **more):
        """Standard output of a run that must succeed."""
        done = self.run_program(*arguments, **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def json(self, *arguments):
        return json.loads(self.good(*arguments))

    def refused(self, code, *arguments, says=(), **more):
        """A run that must fail with that code, with every one of these words on standard error,
        nothing on standard output and nothing left behind. Returns standard error."""
        before = self.files()
        done = self.run_program(*arguments, **more)
        self.assertEqual(done.returncode, code, done.stderr)
        for word in says:
            self.assertIn(word, done.stderr)
        for line in done.stderr.splitlines():
            self.assertRegex(line, r"^(r2m: \S|Try 'r2m )")
        self.assertFalse(done.stdout, "standard output carries only results")
        self.assertEqual(self.files(), before)
        return done.stderr

    def files(self):
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*"))
