"""A folder with the samples, the program run in it by scripts, and the screens it dumps."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

R2M = os.path.abspath(os.environ.get("R2M", "build/r2m"))
SCRIPTS = Path("tests/tui/scripts").resolve()
SAMPLES = Path("samples").resolve()


class Room:
    """A folder with the samples in which programs run."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="r2m-scripts-")
        self.path = Path(self.folder.name)
        for file in SAMPLES.glob("*.safetensors"):
            (self.path / file.name).symlink_to(file)
        shutil.copy(SAMPLES / "demo.json", self.path / "demo.json")

    def run(self, *arguments, locale="C.UTF-8"):
        env = dict(os.environ, LC_ALL=locale, TERM="xterm-256color",
                   XDG_CONFIG_HOME=str(self.path / "config"),
                   XDG_STATE_HOME=str(self.path / "state"))
        return subprocess.run([R2M, *map(str, arguments)], cwd=self.path, env=env, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL)

    def script(self, name, **more):
        return self.run("tui", "demo.json", "--script", SCRIPTS / name, **more)

    def screen(self, name):
        """Rows of text of a dump."""
        text = (self.path / name).read_text(encoding="utf-8")
        return text.split("--- styles\n")[0].split("\n")[:-1]

    def analyze(self, config="demo.json", *more):
        done = self.run("analyze", config, "--json", *more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def words_of(rows, start):
    """The words of the first row that begins with that word."""
    for row in rows:
        words = row.replace("│", " │ ").split()
        if words and words[0] == start:
            return words
    raise AssertionError(f"no row begins with {start}:\n" + "\n".join(rows))


class ScriptTest(unittest.TestCase):
    def setUp(self):
        self.room = Room()
        self.addCleanup(self.room.folder.cleanup)

    def play_steps(self, *steps, source=("demo.json",), **more):
        """Lines of a script that is made for one test."""
        script = self.room.path / "steps.script"
        script.write_text("\n".join([":wait", *steps, ":quit", ""]))
        done = self.room.run("tui", *source, "--script", script, **more)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def play(self, name, **more):
        done = self.room.script(name, **more)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
