#!/usr/bin/python3
"""make bench: speed and memory on generated checkpoints, as one table of figures.

    bench.py BUILD [FOLDER]     FOLDER keeps the generated files (default: BUILD/bench)

CLIP ViT-L/14 vision shapes x 3 specialists (4.85 GB with the base) for the passes, the merge and the
screen; 150 small matrices x 6 specialists for the preview.
"""

import fcntl
import os
import platform
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

KEYS = 300

# What the figures have to stay under, in their units.
GOALS = {"first frame": 100, "key to repaint, 99th percentile": 16, "edit and preview": 1,
         "merge, resident beside mapped files": 1024}


def generate(build, folder, model, specialists):
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / f"s{specialists}.safetensors").exists():
        subprocess.run([build / "tests/bench/generate", model, folder, str(specialists)], check=True)


def stages(build, folder, specialists, *out):
    """The rows that stages.c prints, as (name, value, unit)."""
    command = [build / "tests/bench/stages", folder, str(specialists), *out]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [(name, float(value), unit) for name, value, unit in (line.split() for line in lines)]


def sources(folder, specialists):
    return ["--base", folder / "base.safetensors",
            *(folder / f"s{i}.safetensors" for i in range(1, specialists + 1))]


def peak_anonymous(command):
    """Largest resident memory beside mapped files, in MiB, sampled while the command runs; seconds."""
    start, peak = time.monotonic(), 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            break
        found = re.search(r"RssAnon:\s+(\d+)", status)
        peak = max(peak, int(found[1]) if found else 0)
        time.sleep(0.01)
    if process.wait() != 0:
        raise SystemExit(f"failed: {command}")
    return peak / 1024, time.monotonic() - start


class Screen:
    """The real program on a pseudo-terminal."""

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


def screen_figures(program, source):
    screen = Screen([program, *source])
    first = screen.first_frame()
    screen.settle()
    delays = sorted(screen.key(b"jj+k-"[i % 5:i % 5 + 1]) for i in range(KEYS))
    screen.quit()
    return [("first frame", 1e3 * first, "ms"),
            ("key to repaint, median", 1e3 * delays[KEYS // 2], "ms"),
            ("key to repaint, 99th percentile", 1e3 * delays[KEYS * 99 // 100], "ms")]


def main():
    build = Path(sys.argv[1]).resolve()
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else build / "bench")
    program, clip, many = build / "r2m", folder / "clip", folder / "many"
    generate(build, clip, "clip", 3)
    generate(build, many, "many", 6)
    if shutil.disk_usage(folder).free < 2e9:
        raise SystemExit("bench needs 2 GB of free disk space beside the generated files")
    rows = [(f"CLIP ViT-L/14 x 3: {n.replace('_', ' ')}", v, u)
            for n, v, u in stages(build, clip, 3)]
    rows += [(f"150 matrices x 6: {n.replace('_', ' ')}", v, u)
             for n, v, u in stages(build, many, 6) if n == "edit_and_preview"]
    rows += [(f"CLIP ViT-L/14 x 3: {n}", v, u) for n, v, u in screen_figures(program, sources(clip, 3))]
    out = folder / "merged.safetensors"
    memory, seconds = peak_anonymous([program, "merge", *sources(clip, 3), "-o", out, "--force"])
    out.unlink()
    rows += [("CLIP ViT-L/14 x 3: whole merge command", seconds, "s"),
             ("CLIP ViT-L/14 x 3: merge, resident beside mapped files", memory, "MiB")]
    by_name = {name.split(": ")[1]: value for name, value, _ in rows}
    rows.append(("CLIP ViT-L/14 x 3: gram pass / plain read on one thread",
                 by_name["gram pass"] / by_name["plain read one thread"], ""))
    print(f"{platform.machine()}, {os.cpu_count()} processors")
    for name, value, unit in rows:
        goal = GOALS.get(name.split(": ")[1])
        verdict = f"goal: under {goal}{'' if value < goal else '  MISSED'}" if goal else ""
        print(f"{name:62} {value:10.3g} {unit:5} {verdict}".rstrip())


if __name__ == "__main__":
    main()
