#!/usr/bin/python3
"""make soak: random keys, clicks, resizes and commands on the real program until time is up.

    soak.py PROGRAM [--seconds N | --steps N] [--seed N]

The program runs on a pseudo-terminal in a folder of its own. It has to take every key, answer, leave
when asked to, end with 0 and say nothing of a sanitizer. The seed is printed: it gives the same run.
"""

import argparse
import fcntl
import os
import pty
import random
import select
import shutil
import signal
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path

SAMPLES = Path("samples").resolve()
PATIENCE = 60  # seconds without any answer: it hangs
SPECIAL = [b"\x1bOA", b"\x1bOB", b"\x1bOC", b"\x1bOD", b"\x1b[5~", b"\x1b[6~", b"\x1bOH", b"\x1bOF",
           b"\x1b[3~", b"\x1b[Z", b"\x1bOP", b"\t", b"\r", b"\x1b", b"\x7f", b"\x12", b"\x15", b"\x04",
           b"\x0c", b"\x03"]
COMMANDS = ["set alpha=0.5", "set norm_match=none", "set residual.rank.energy=0.9", "preset paper",
            "preset r2m", "theme dark", "theme monochrome", "graph ascii", "graph braille", "messages",
            "bind rank-up w", "bind rank-up + =", "write plan.json", "nonsense", "color header 31 bold",
            "export out.safetensors", "figures figures", "report reported"]
BAD = (b"Sanitizer", b"runtime error:", b"crashed:")


class Died(Exception):
    pass


class Program:
    """One run of the program; what it wrote last is kept for the report."""

    def __init__(self, path, folder):
        self.tail, self.status = b"", None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8", OPENBLAS_NUM_THREADS="1",
                              XDG_STATE_HOME=f"{folder}/state", XDG_CONFIG_HOME=f"{folder}/config")
            os.execv(path, [path, "demo.json", "--threads", "1"])
        self.resize(24, 80)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def drain(self, seconds):
        """Takes what is there; False when the program has ended."""
        while select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 1 << 16)
            except OSError:
                data = b""
            if not data:
                return False
            self.tail, seconds = (self.tail + data)[-20000:], 0
        return True

    def send(self, data):
        """False when the program has ended."""
        try:
            os.write(self.fd, data)
        except OSError:
            return False
        return self.drain(0.002)

    def end(self):
        """Its exit status, once it has ended."""
        limit = time.monotonic() + PATIENCE
        while True:
            open_still = self.drain(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return status
            if time.monotonic() > limit:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise Died("it hangs")
            if not open_still:
                time.sleep(0.01)


def mouse(dice):
    row, col = dice.randint(1, 60), dice.randint(1, 200)
    press = f"\x1b[<{dice.choice([0, 0, 64, 65])};{col};{row}M"
    drag = f"\x1b[<32;{dice.randint(1, 200)};{row}M" if dice.random() < 0.5 else ""
    return (press + drag + f"\x1b[<0;{col};{row}m").encode()


def step(program, dice):
    """One random deed; False when the program left."""
    kind = dice.random()
    if kind < 0.02:
        program.resize(dice.randint(1, 70), dice.randint(1, 240))
        return program.drain(0.002)
    if kind < 0.05:
        return program.send(mouse(dice))
    if kind < 0.07:
        return program.send(b"\x1b") and program.send(b":" + dice.choice(COMMANDS).encode() + b"\r")
    if kind < 0.25:
        return program.send(dice.choice(SPECIAL))
    return program.send(bytes([dice.randint(32, 126)]))


def leave(program):
    """Out of prompts and questions, then q and y."""
    for key in (b"\x03", b"\x1b", b"n", b"\x1b", b"\x03", b":q!\r", b"\x1b", b":q!\r"):
        if not program.send(key):
            break
        program.drain(0.05)
    return program.end()


def check(program, status):
    """Once the screen is given back, Ctrl-C may end what is left to do."""
    interrupted = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT
    if interrupted and b"\x1b[?1049l" in program.tail:
        status = 0
    if status != 0 or any(word in program.tail for word in BAD):
        raise Died(f"status {status}")


def soak(path, folder, dice, going_on):
    steps = runs = 0
    while going_on(steps):
        program, runs = Program(path, folder), runs + 1
        alive = program.drain(0.3)
        try:
            for _ in range(3000):
                alive = alive and going_on(steps) and step(program, dice)
                steps += 1
                if not alive:
                    break
            check(program, leave(program))
        except Died as why:
            sys.stderr.write(program.tail.decode(errors="replace"))
            sys.exit(f"\nsoak: {why} after {steps} steps")
    return steps, runs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    print(f"soak: seed {options.seed}", flush=True)

    def going_on(steps):
        return steps < options.steps if options.steps else time.monotonic() < end

    with tempfile.TemporaryDirectory(prefix="r2m-soak-") as folder:
        for file in SAMPLES.glob("*.safetensors"):
            os.symlink(file, f"{folder}/{file.name}")
        shutil.copy(SAMPLES / "demo.json", folder)
        path = os.path.abspath(options.program)
        steps, runs = soak(path, folder, random.Random(options.seed), going_on)
    print(f"soak: {steps} steps in {runs} runs, clean")


if __name__ == "__main__":
    main()
