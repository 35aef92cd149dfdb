"""Key p: the figure itself, on terminals that show pictures. The terminal is played here: it
answers what it is asked, and what comes is decoded by other programs."""

import base64
import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from scripted_screen import R2M, Room  # noqa: E402

PATIENCE = 60  # seconds until a screen that never comes is a failure
QUESTION = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c"
KITTY = b"\x1b_Gi=31;OK\x1b\\\x1b[?62;c"
KITTY_REFUSES = b"\x1b_Gi=31;EINVAL:no\x1b\\\x1b[?62;22c"
SIXEL = b"\x1b[?62;4;22c"
PLAIN = b"\x1b[?1;2c"
COLUMNS, ROWS, CELL = 100, 30, (9, 18)


class Terminal:
    """The program on a pseudo-terminal; answer: what is said when it asks what the terminal can."""

    def __init__(self, room, answer, columns=COLUMNS, rows=ROWS):
        self.answer, self.seen, self.asked = answer, b"", 0
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.chdir(room.path)
            env = dict(os.environ, TERM="xterm-256color", LC_ALL="C.UTF-8",
                       XDG_CONFIG_HOME=str(room.path / "config"), XDG_STATE_HOME=str(room.path / "state"))
            os.execve(R2M, [R2M, "demo.json"], env)
        self.resize(columns, rows)

    def resize(self, columns, rows):
        size = struct.pack("HHHH", rows, columns, columns * CELL[0], rows * CELL[1])
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, size)

    def send(self, keys):
        os.write(self.file, keys)

    def read_until(self, found, what):
        """Reads, answering, until found(all that was seen since the last forget)."""
        end = time.monotonic() + PATIENCE
        while not found(self.seen):
            if not select.select([self.file], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"{what} did not come: {self.seen[-400:]!r}")
            self.seen += os.read(self.file, 65536)
            if self.seen.count(QUESTION) > self.asked:
                self.asked += 1
                self.send(self.answer)
        return self.seen

    def forget(self):
        self.seen, self.asked = b"", 0

    def wait_for(self, text):
        return self.read_until(lambda seen: text in seen, text)

    def end(self):
        os.close(self.file)
        os.waitpid(self.pid, 0)


def kitty_picture(seen):
    """Body and keys of the one picture that was sent in chunks, or None."""
    parts = re.findall(rb"\x1b_G([^;\x1b]*);([^\x1b]*)\x1b\\", seen)
    parts = [(dict(p.split(b"=") for p in keys.split(b",")), body) for keys, body in parts if b"a=q" not in keys]
    if not parts or parts[-1][0][b"m"] != b"0":
        return None
    assert all(len(body) <= 4096 for _, body in parts)
    return parts[0][0], base64.b64decode(b"".join(body for _, body in parts), validate=True)


def sixel_picture(seen):
    found = re.search(rb"\x1bP[\d;]*q.*?\x1b\\", seen, re.S)
    return found and found.group()


class Pictures(unittest.TestCase):
    def setUp(self):
        self.room = Room()
        self.addCleanup(self.room.folder.cleanup)

    def open(self, answer):
        terminal = Terminal(self.room, answer)
        self.addCleanup(terminal.end)
        terminal.wait_for(b"kept")  # spectra are there
        terminal.read_until(lambda seen: re.search(rb"r=\d+", seen), "the cut")
        terminal.forget()
        return terminal

    def decoded(self, program, picture, suffix):
        """Width, height and pixels, by a program that is not r2m."""
        source, target = self.room.path / f"picture.{suffix}", self.room.path / "picture.ppm"
        source.write_bytes(picture)
        subprocess.run([*program, str(source), str(target)], check=True, capture_output=True)
        return target.read_bytes()

    def test_kitty_gets_the_png_over_the_whole_screen(self):
        terminal = self.open(KITTY)
        terminal.send(b"p")
        terminal.read_until(kitty_picture, "the picture")
        keys, png = kitty_picture(terminal.seen)
        self.assertEqual((keys[b"c"], keys[b"r"], keys[b"f"]), (b"100", b"29", b"100"))
        width, height = struct.unpack(">II", png[16:24])
        self.assertEqual((width, height), (COLUMNS * CELL[0], (ROWS - 1) * CELL[1]))
        file = self.room.path / "picture.png"
        file.write_bytes(png)
        subprocess.run(["pngcheck", "-q", str(file)], check=True)
        terminal.wait_for(b"\x1b8")
        terminal.forget()
        terminal.send(b"p")  # any key: the picture is taken away and the screen comes back
        self.assertIn(b"\x1b_Ga=d,d=A,q=2\x1b\\", terminal.wait_for(b"Layers"))

    @unittest.skipUnless(shutil.which("sixel2png"), "libsixel-bin is not installed")
    def test_sixels_hold_the_figure(self):
        terminal = self.open(SIXEL)
        terminal.send(b"p")
        terminal.read_until(sixel_picture, "the picture")
        file, png = self.room.path / "p.six", self.room.path / "p.png"
        file.write_bytes(sixel_picture(terminal.seen))
        subprocess.run(["sixel2png", "-i", str(file), "-o", str(png)], check=True)
        width, height = struct.unpack(">II", png.read_bytes()[16:24])
        self.assertEqual(width, COLUMNS * CELL[0])
        self.assertAlmostEqual(height, (ROWS - 1) * CELL[1], delta=6)  # sixels are six pixels high
        palette = re.findall(rb"#\d+;2;(\d+);(\d+);(\d+)", sixel_picture(terminal.seen))
        for colour in ((100, 100, 100), (0, 45, 70), (84, 37, 0)):  # paper, and two specialists
            distances = [max(abs(int(a) - b) for a, b in zip(entry, colour)) for entry in palette]
            self.assertLessEqual(min(distances), 2, f"{colour} in {palette}")
        terminal.forget()
        terminal.send(b"\x1b")
        self.assertNotIn(b"\x1b_G", terminal.wait_for(b"Layers"))

    def shown(self, terminal, keys):
        """The picture that these keys bring, once it is computed; another key takes it away."""
        early = b"not computed yet"
        while not kitty_picture(terminal.seen):
            terminal.forget()
            terminal.send(keys)
            terminal.read_until(lambda seen: early in seen or (kitty_picture(seen) and b"\x1b8" in seen),
                                repr(keys))
        picture = kitty_picture(terminal.seen)[1]
        terminal.forget()
        terminal.send(b" ")
        terminal.wait_for(b"Layers")
        terminal.forget()
        return picture

    def test_every_view_has_a_figure(self):
        terminal = self.open(KITTY)
        pictures = {self.shown(terminal, bytes([view]) + b"p") for view in b"12345"}
        self.assertGreater(len(pictures), 2)

    def test_any_figure_by_its_name(self):
        """Pages of several charts, too; those of a specialist or a layer are of the selected one."""
        terminal = self.open(KITTY)
        terminal.send(b"jjj")  # a layer that has others of its kind
        names = ("overview", "multiples", "ranks", "energy", "spectrum", "cosines-residuals")
        pictures = [self.shown(terminal, f":picture {name}\r".encode()) for name in names]
        self.assertEqual(len(set(pictures)), len(names))
        size = (COLUMNS * CELL[0], (ROWS - 1) * CELL[1])
        self.assertEqual({struct.unpack(">II", png[16:24]) for png in pictures}, {size})
        terminal.send(b":picture nothing\r")
        terminal.wait_for(b"there is no figure nothing")
        self.assertEqual(self.shown(terminal, b"4p"), pictures[0])  # the plan's is the overview

    def test_the_map_shows_its_quantity(self):
        terminal = self.open(KITTY)
        self.shown(terminal, b":picture ranks\r")  # all is known from here on
        by_key = [self.shown(terminal, keys) for keys in (b"3p", b"mp", b"mp", b"mp", b"mp")]
        by_name = [self.shown(terminal, f":picture {name}\r".encode())
                   for name in ("map-share", "map-kept", "map-real", "map-dominance", "ranks")]
        self.assertEqual(by_key, by_name)

    def test_a_resize_draws_it_anew(self):
        terminal = self.open(KITTY)
        terminal.send(b"p")
        terminal.read_until(lambda seen: kitty_picture(seen) and b"\x1b8" in seen, "the picture")
        terminal.forget()
        terminal.resize(120, 40)
        terminal.read_until(kitty_picture, "the picture in its new size")
        self.assertEqual(kitty_picture(terminal.seen)[0][b"c"], b"120")

    def test_other_terminals_are_told_and_see_no_picture(self):
        for answer in (PLAIN, KITTY_REFUSES):
            with self.subTest(answer):
                terminal = self.open(answer)
                terminal.send(b"p")
                seen = terminal.wait_for(b"no pictures")
                self.assertIsNone(kitty_picture(seen))
                self.assertIsNone(sixel_picture(seen))
                self.assertEqual(seen.count(QUESTION), 1)
                terminal.forget()
                terminal.send(b"p")  # not asked again
                terminal.send(b"2")
                self.assertNotIn(QUESTION, terminal.wait_for(b"Eigenvalues"))

    def test_a_late_answer_is_not_read_as_keys(self):
        terminal = self.open(b"")  # silent for longer than the program waits
        terminal.send(b"p")
        terminal.wait_for(b"no pictures")
        terminal.forget()
        terminal.send(KITTY)  # its digits would change the view, its ; and c would be keys
        terminal.send(b"?")
        self.assertNotIn(b"is not bound", terminal.wait_for(b"keys of view 1, Layers"))

    def test_keys_typed_before_the_answer_are_kept(self):
        terminal = self.open(b"2" + PLAIN)
        terminal.send(b"p")
        terminal.wait_for(b"Eigenvalues")


if __name__ == "__main__":
    unittest.main()
