"""Some thousand random keys; `make soak` presses them for minutes."""

import os
import subprocess
import sys
import unittest

R2M = os.path.abspath(os.environ.get("R2M", "build/r2m"))


class Soak(unittest.TestCase):
    def test_random_keys_end_clean(self):
        done = subprocess.run([sys.executable, "tests/tui/soak.py", R2M, "--steps", "3000",
                               "--seed", "11"], text=True, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr[-4000:])
        self.assertIn("clean", done.stdout)


if __name__ == "__main__":
    unittest.main()
