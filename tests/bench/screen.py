"""The real program on a pseudo-terminal, timed from outside."""

import fcntl
import os
import pty
import select
import struct
import termios
import time

KEYS = 300
IDLE_SECONDS = 5


class Screen:
    def __init__(self, command, columns=200, rows=60):
        self.start = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8")
            os.execv(command[0], [str(c) for c in command])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        return os.read(self.fd, 1 << 16) if ready else b""

    def first_frame(self):
        """Seconds from exec until the footer of the first frame is out."""
        seen = b""
        while b"quit" not in seen:
            seen += self.read(5)
        return time.perf_counter() - self.start

    def settle(self):
        while self.read(0.05):
            pass

    def key(self, key):
        """Seconds from the key to the last byte of the repaint it causes."""
        start = last = time.perf_counter()
        os.write(self.fd, key)
        wait = 0.1
        while self.read(wait):
            last, wait = time.perf_counter(), 0.004
        return last - start

    def settle_down(self):
        """Until the background work has ended: nothing is written for two seconds."""
        while self.read(2):
            pass

    def processor_ticks(self):
        with open(f"/proc/{self.pid}/stat", encoding="utf-8") as stat:
            return sum(int(n) for n in stat.read().rsplit(")", 1)[1].split()[11:13])

    def processor_share(self, seconds):
        """Share of one processor used while nothing is pressed."""
        before = self.processor_ticks()
        time.sleep(seconds)
        return (self.processor_ticks() - before) / os.sysconf("SC_CLK_TCK") / seconds

    def quit(self):
        os.write(self.fd, b"q")
        time.sleep(0.2)
        os.write(self.fd, b"y")
        while True:
            try:
                if not os.read(self.fd, 1 << 16):
                    break
            except OSError:
                break
        os.waitpid(self.pid, 0)


def latencies(command):
    """First frame and key to repaint, as rows."""
    screen = Screen(command)
    first = screen.first_frame()
    screen.settle()
    delays = sorted(screen.key(b"jj+k-"[i % 5:i % 5 + 1]) for i in range(KEYS))
    screen.settle_down()
    idle = screen.processor_share(IDLE_SECONDS)
    screen.quit()
    return [("first frame", 1e3 * first, "ms"),
            ("key to repaint, median", 1e3 * delays[KEYS // 2], "ms"),
            ("key to repaint, 99th percentile", 1e3 * delays[KEYS * 99 // 100], "ms"),
            ("idle, processor", 100 * idle, "%")]


def latencies_exporting(command, out):
    """Key to repaint while the merged checkpoint is written, as a row."""
    screen = Screen(command)
    screen.first_frame()
    screen.settle_down()
    os.write(screen.fd, f":export {out}\r".encode())
    screen.settle()
    delays = sorted(screen.key(b"jk2341"[i % 6:i % 6 + 1]) for i in range(KEYS))
    screen.quit()
    return [("key to repaint while exporting, 99th percentile", 1e3 * delays[KEYS * 99 // 100],
             "ms")]
