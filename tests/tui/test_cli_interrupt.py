"""Long work on a terminal and its end before time: progress, signals, inputs cut while mapped."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import unittest

import numpy as np

from program_test import R2M, ProgramTest

SIDE, LAYERS = 640, 10  # a second or more of truncations on one worker
SOURCE = ["--base", "base.safetensors", "one.safetensors", "two.safetensors"]
MERGE = ["merge", *SOURCE, "-o", "out.safetensors", "--threads", "1"]


class Terminal:
    """A terminal of its own for one program's output. Its other side stays open here until the
    program has ended: what is still under way when the last one closes it may be lost."""

    END = b"\0end\0"

    def __init__(self, columns=80):
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def first(self):
        """Waits for something to be shown and returns it."""
        return os.read(self.ours, 1000)

    def rest(self, process):
        """All that is shown until the program ends."""
        shown, ended = b"", False
        while not shown.endswith(self.END):
            if not ended and process.poll() is not None:
                ended = True
                os.write(self.theirs, self.END)
            if select.select([self.ours], [], [], 0.01)[0]:
                shown += os.read(self.ours, 65536)
        os.close(self.ours)
        os.close(self.theirs)
        return shown.removesuffix(self.END).decode()


class LongWork(ProgramTest):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(5)
        weights = [random.standard_normal((SIDE, SIDE)).astype(np.float32) for _ in range(3)]
        for name, weight in zip(("base", "one", "two"), weights):
            self.write(name, {f"layers.{i}.weight": np.roll(weight, i) for i in range(LAYERS)})

    def start(self, *arguments, ignored=(), **more):
        env = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm"}

        def signals():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
        process = subprocess.Popen([R2M, *arguments], cwd=self.folder, env=env, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   preexec_fn=signals, **{"stderr": subprocess.PIPE, **more})
        self.addCleanup(process.stdout.close)
        return process

    def until_writing(self, process):
        """Returns while the output is under way."""
        while not list(self.folder.glob("*.r2m-part")):
            with self.assertRaises(subprocess.TimeoutExpired, msg="it ended undisturbed"):
                process.wait(0.005)

    def test_interrupted_merge_leaves_nothing_under_its_name(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            before = self.files()
            process = self.start(*MERGE)
            self.until_writing(process)
            process.send_signal(number)
            output, complaint = process.communicate()
            self.assertEqual((process.returncode, output), (128 + number, ""), complaint)
            for path in set(self.files()) - set(before):  # what --resume goes on with
                self.assertIn("out.safetensors.", path)
                self.assertTrue(path.endswith(".r2m-part"), path)
                (self.folder / path).unlink()

    def test_what_the_caller_ignores_does_not_stop_it(self):
        process = self.start(*MERGE, "--quiet", ignored=[signal.SIGHUP])  # as nohup does
        self.until_writing(process)
        process.send_signal(signal.SIGHUP)
        self.assertEqual(process.communicate(), ("", ""))
        self.assertEqual(process.returncode, 0)

    def test_interrupted_replacement_leaves_the_old_output(self):
        (self.folder / "out.safetensors").write_text("old")
        process = self.start(*MERGE, "--force")
        self.until_writing(process)
        process.send_signal(signal.SIGINT)
        process.communicate()
        self.assertEqual(process.returncode, 130)
        self.assertEqual((self.folder / "out.safetensors").read_text(), "old")

    def test_interrupted_adapters_leave_nothing_and_say_so(self):
        """A new folder appears with all of them; nothing is there to go on from."""
        before, process, complaint = self.files(), None, ""
        while "adapters are written" not in complaint:  # over too soon, or not begun
            if process is not None and (self.folder / "new").exists():
                shutil.rmtree(self.folder / "new")
            process = self.start("merge", *SOURCE, "-o", "new", "--adapters", "--threads", "1")
            while not list(self.folder.glob("new*")) and process.poll() is None:
                pass
            process.send_signal(signal.SIGINT)
            complaint = process.communicate()[1]
        self.assertEqual(process.returncode, 130)
        self.assertIn("r2m: new: stopped; 0 of 2 adapters are written, the next export begins anew",
                      complaint)
        self.assertEqual(self.files(), before)

    def test_interrupted_analysis(self):
        terminal = Terminal()
        process = self.start("analyze", *SOURCE, "--threads", "1", "-o", "table",
                             stderr=terminal.theirs)
        terminal.first()  # progress: the work has begun
        process.send_signal(signal.SIGINT)
        shown = terminal.rest(process)
        self.assertEqual(process.returncode, 130, shown)
        self.assertFalse((self.folder / "table").exists())

    def test_interrupted_report(self):
        before = self.files()
        terminal = Terminal()
        process = self.start("report", *SOURCE, "--threads", "1", "-o", "report",
                             stderr=terminal.theirs)
        terminal.first()  # progress: the work has begun
        process.send_signal(signal.SIGINT)
        shown = terminal.rest(process)
        self.assertEqual(process.returncode, 130, shown)
        self.assertEqual(self.files(), before)

    def test_progress_is_shown_on_a_terminal_and_cleared(self):
        terminal = Terminal()
        process = self.start(*MERGE, stderr=terminal.theirs)
        shown = terminal.rest(process)
        output, _ = process.communicate()
        self.assertEqual(process.returncode, 0, shown)
        self.assertIn("spectra", shown)  # reading and merging may be over before they are shown
        self.assertRegex(shown, r"\d+%")
        for line in re.split("\r\x1b\\[K", shown)[1:-1]:
            self.assertNotIn("\n", line)
        self.assertNotIn("\x1b", output)

    def test_quiet_and_pipes_have_no_progress(self):
        terminal = Terminal()
        process = self.start(*MERGE, "--quiet", stderr=terminal.theirs)
        self.assertEqual(terminal.rest(process), "")
        self.assertEqual(process.returncode, 0)
        process = self.start(*MERGE, "--force")
        self.assertNotIn("\r", process.communicate()[1])

    def test_input_that_is_cut_while_it_is_read(self):  # O2
        before, whole = self.files(), (self.folder / "two.safetensors").read_bytes()
        shards = ["--set", "output.shard_bytes=4000000"]
        for output, more in (("out.safetensors", []), ("out.pth", []), ("out/", shards)):
            process = self.start("merge", *SOURCE, "-o", output, "--threads", "1", *more)
            self.until_writing(process)
            os.truncate(self.folder / "two.safetensors", 4096)
            shown, complaint = process.communicate()
            self.assertEqual((process.returncode, shown), (1, ""), complaint)
            self.assertRegex(complaint, r"^r2m: [^\n]*two.safetensors: [^\n]*shorter[^\n]*\n$")
            self.assertEqual(self.files(), before)
            (self.folder / "two.safetensors").write_bytes(whole)

    def test_input_that_is_written_to_while_it_is_read(self):
        """Old and new weights would be mixed. A file that takes its name is no matter."""
        before, path = self.files(), self.folder / "two.safetensors"
        process = self.start(*MERGE)
        self.until_writing(process)
        with open(path, "r+b") as file:
            file.seek(-4, os.SEEK_END)
            file.write(bytes(4))
        output, complaint = process.communicate()
        self.assertEqual((process.returncode, output), (1, ""), complaint)
        self.assertEqual(complaint, "r2m: two.safetensors: was written to while it was read\n")
        self.assertEqual(self.files(), before)
        process = self.start(*MERGE)
        self.until_writing(process)
        (self.folder / "new").write_bytes(path.read_bytes())
        os.replace(self.folder / "new", path)
        self.assertEqual((process.communicate()[1], process.returncode), ("", 0))


class Tables(ProgramTest):
    """Standard output that is a terminal."""

    def shown(self, *arguments, columns=80, **env):
        terminal = Terminal(columns)
        process = subprocess.Popen([R2M, *arguments], cwd=self.folder, stdin=subprocess.DEVNULL,
                                   stdout=terminal.theirs, stderr=subprocess.DEVNULL,
                                   env={**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm", **env})
        shown = terminal.rest(process)
        self.assertEqual(process.returncode, 0)
        return shown.replace("\r\n", "\n")

    def test_columns_are_aligned_within_the_width(self):
        source = ["--base", "base.safetensors", "fs.safetensors", "efs.safetensors"]
        for columns in (80, 200):
            for command in (["analyze", *source], ["inspect", "base.safetensors"]):
                text = re.sub("\x1b\\[[0-9;]*m", "", self.shown(*command, columns=columns))
                self.assertNotIn("\t", text)
                self.assertLessEqual(max(map(len, text.splitlines())), columns)

    def test_colour(self):
        command = ["inspect", "base.safetensors"]
        self.assertIn("\x1b[", self.shown(*command))
        self.assertNotIn("\x1b[", self.shown(*command, "--color", "never"))
        self.assertNotIn("\x1b[", self.shown(*command, NO_COLOR="1"))
        self.assertIn("\x1b[", self.shown(*command, "--color=always", NO_COLOR="1"))

    def test_ascii(self):
        self.write("é", {"é.weight": np.ones((2, 2), np.float32)})
        self.assertIn("é.weight", self.shown("inspect", "base.safetensors", "é.safetensors"))
        text = self.shown("analyze", "--base", "é.safetensors", "é.safetensors", "--ascii")
        self.assertTrue(text.isascii(), text)

    def test_locale(self):
        """A locale that is not installed but names UTF-8 will do."""
        self.write("é", {"é.weight": np.ones((2, 2), np.float32)})
        for name in ("C.UTF-8", "xx_XX.UTF-8"):
            self.assertIn("é.weight", self.shown("inspect", "é.safetensors", LC_ALL=name))
        self.assertTrue(self.shown("inspect", "é.safetensors", LC_ALL="C").isascii())


if __name__ == "__main__":
    unittest.main()
