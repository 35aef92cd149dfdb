"""The real program in real terminals: tmux plays them, keys are sent, cells are read. Every view at
80x24 and 200x60, and no more colours than the terminal has."""

import os
import re
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from scripted_screen import R2M, Room  # noqa: E402

PATIENCE = 60  # seconds; a screen that never comes is a failure, a slow one is not
VIEWS = {
    "1": ["Layer", "mlp.fc1", "r="],
    "2": ["Specialist", "before%", "Real core", "Eigenvalues", "Cosines of task vectors"],
    "3": ["share after matching", "fs", "fr", "efs"],
    "4": ["Hyperparameter", "alpha", "Formula, in numbers", "eta = alpha"],
    "5": ["merged checkpoint", "demo-merged.safetensors", "figures", "config"],
}
WIDE = {  # what the room of 200x60 is used for
    "1": ["stable", "|tau|", "Real|Fake|cross", "Whole model"],
    "2": ["before matching", "after matching", "Cosines of residuals"],
    "3": ["twice the equal share", "full rank 96"],
    "4": ["weight of efs", "eta = alpha |core| / nbar"],
    "5": ["Written under another name"],
}


class Terminal:
    """A tmux of its own with the program in it."""

    def __init__(self, room, width, height, term="xterm-256color", terminfo=None, **env):
        self.line = ["tmux", "-L", f"r2m-test-{os.getpid()}-{id(self)}", "-f", "/dev/null"]
        variables = {"TERM": term, "LC_ALL": "C.UTF-8", "XDG_CONFIG_HOME": str(room.path / "config"),
                     "XDG_STATE_HOME": str(room.path / "state"), **env}
        if terminfo:
            variables["TERMINFO"] = str(terminfo)
        assignments = [f"{name}={value}" for name, value in variables.items()]
        self.run("-u", "new-session", "-d", "-x", str(width), "-y", str(height), "-c", str(room.path),
                 "env", "-u", "NO_COLOR", *assignments, R2M, "demo.json")

    def run(self, *words):
        done = subprocess.run([*self.line, *words], capture_output=True, text=True, check=True)
        return done.stdout

    def keys(self, *names):
        self.run("send-keys", *names)

    def screen(self, *how):
        return self.run("capture-pane", "-p", *how)

    def wait_for(self, *texts):
        """The screen once it holds all of them."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            screen = self.screen()
            if all(text in screen for text in texts):
                return screen
            time.sleep(0.02)
        raise AssertionError(f"{texts} did not come:\n{screen}")

    def end(self):
        """The program ends by the hang-up, and has written its state by then."""
        pid = self.run("display-message", "-p", "#{pane_pid}").strip()
        subprocess.run([*self.line, "kill-server"], capture_output=True)
        end = time.monotonic() + PATIENCE
        while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
            time.sleep(0.02)


def palettes(screen):
    """What the colours of a screen captured with escapes ask of a terminal: 0, 8, 16 or 256."""
    need = 0
    for codes in re.findall(r"\x1b\[([\d;]*)m", screen):
        numbers = [int(n or 0) for n in codes.split(";")]
        if re.search(r"(38|48);5;", codes):
            need = max(need, 256)
        elif any(90 <= n <= 107 for n in numbers):
            need = max(need, 16)
        elif any(30 <= n <= 37 or 40 <= n <= 47 for n in numbers):
            need = max(need, 8)
    return need


@unittest.skipUnless(shutil.which("tmux"), "tmux is not installed")
class Terminals(unittest.TestCase):
    def setUp(self):
        self.room = Room()
        self.addCleanup(self.room.folder.cleanup)

    def open(self, width, height, **more):
        terminal = Terminal(self.room, width, height, **more)
        self.addCleanup(terminal.end)
        terminal.wait_for("1 Layers", "r=")
        return terminal

    def check_views(self, width, height, expected):
        terminal = self.open(width, height)
        for key, words in expected.items():
            terminal.keys(key)
            rows = terminal.wait_for(*words).rstrip("\n").split("\n")
            self.assertEqual(len(rows), height, f"view {key}: the footer is the last row")
            self.assertIn("help", rows[-1])
            self.assertIn("5 Export", rows[0])
            self.assertLessEqual(max(map(len, rows)), width)

    def test_every_view_at_80x24(self):
        self.check_views(80, 24, VIEWS)

    def test_every_view_at_200x60(self):
        self.check_views(200, 60, {key: words + WIDE[key] for key, words in VIEWS.items()})

    def test_a_resize_is_followed(self):
        terminal = self.open(80, 24)
        terminal.run("resize-window", "-x", "120", "-y", "40")
        rows = terminal.wait_for("?:help").rstrip("\n").split("\n")
        end = time.monotonic() + PATIENCE
        while len(rows) != 40 and time.monotonic() < end:
            rows = terminal.screen().rstrip("\n").split("\n")
        self.assertEqual(len(rows), 40)
        terminal.run("resize-window", "-x", "40", "-y", "10")
        terminal.wait_for("r2m needs 60x16")
        terminal.run("resize-window", "-x", "80", "-y", "24")
        terminal.wait_for("1 Layers", "r=")

    def terminfo(self, colours):
        """A terminal like xterm with that many colours; ncurses-term need not be installed."""
        folder = self.room.path / f"terminfo-{colours}"
        source = subprocess.run(["infocmp", "-x", "xterm"], capture_output=True, text=True, check=True).stdout
        name = f"r2m-{colours}color"
        source = re.sub(r"^xterm[^\n]*,$", f"{name}|for a test,", source, flags=re.M)
        source = re.sub(r"colors#\w+", f"colors#{colours}", source)
        source = re.sub(r"pairs#\w+", f"pairs#{colours * colours}", source)
        if colours > 8:
            set_colour = r"\E[%?%p1%{8}%<%tX%p1%d%eY%p1%{8}%-%d%;m"
            source = re.sub(r"setaf=[^,]*", lambda _: "setaf=" + set_colour.replace("X", "3").replace("Y", "9"),
                            source)
            source = re.sub(r"setab=[^,]*", lambda _: "setab=" + set_colour.replace("X", "4").replace("Y", "10"),
                            source)
        file = folder.with_suffix(".ti")
        file.write_text(source)
        subprocess.run(["tic", "-x", "-o", str(folder), str(file)], check=True, capture_output=True)
        return {"term": name, "terminfo": folder}

    def test_no_more_colours_than_there_are(self):
        found = {}
        for colours in (8, 16):
            terminal = self.open(80, 24, **self.terminfo(colours))
            found[colours] = palettes(terminal.screen("-e"))
        found[256] = palettes(self.open(80, 24).screen("-e"))
        found[0] = palettes(self.open(80, 24, NO_COLOR="1").screen("-e"))
        self.assertEqual(found[0], 0)
        self.assertEqual(found[8], 8)
        self.assertIn(found[16], (8, 16))
        self.assertEqual(found[256], 256)

    def test_a_terminal_without_a_cursor_is_refused(self):
        done = subprocess.run([R2M, "demo.json"], cwd=self.room.path, env=dict(os.environ, TERM="dumb"),
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(len(done.stderr.strip().split("\n")), 1)


if __name__ == "__main__":
    unittest.main()
