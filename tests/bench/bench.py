#!/usr/bin/python3
"""make bench: speed and memory on generated checkpoints, as one table of figures.

    bench.py BUILD [--only TEXT] [--folder FOLDER] [--record]

TEXT selects stages whose title contains it; FOLDER keeps the generated files (default:
BUILD/bench); --record adds the figures to results.tsv beside this file. With PEERS=PYTHON in the
environment, an interpreter that has torch, the same work done by torch is measured too.

A new figure is a row that some function of STAGES returns, (name, value, unit); what it is compared
with stands in RATIOS, what it has to reach in GOALS.
"""

import argparse
import os
import platform
import subprocess
import time
from pathlib import Path

import large_files
from measure import Bench, run
from screen import latencies

CLIP, MANY = ("clip", 3), ("many", 6)


def gram(bench):
    return bench.stages(bench.model(*CLIP), 3, 0, "gram")


def spectra(bench):
    return bench.stages(bench.model(*CLIP), 3, 0, "spectra")[1:]


def preview(bench):
    return bench.stages(bench.model(*MANY), 6, 0, "preview")[1:]


def screen(bench):
    return latencies([bench.program, *bench.source(*CLIP)])


def merge(bench):
    command = [bench.program, "merge", *bench.source(*CLIP), "-o", bench.out, "--force"]
    seconds, memory = run(command, bench.out)
    return [("merge command", seconds, "s"), ("merge, resident beside mapped files", memory, "MiB")]


def formats(bench):
    """Merges at full rank, in turn: reading and writing is all they do."""
    best = {}
    for _ in range(3):
        for ending in ("safetensors", "pth"):
            out = bench.folder / f"out.{ending}"
            command = [bench.program, "merge", *bench.source(*CLIP, ending), "-o", out, "--force",
                       "--set", "residual.rank.full=true"]
            best[ending] = min(run(command, out)[0], best.get(ending, 1e9))
    return [(f"full-rank merge, {ending}", seconds, "s") for ending, seconds in best.items()]


def opening(bench):
    """The whole command on a file that lies in holes: start, header, end."""
    rows = []
    for ending, make in (("safetensors", large_files.safetensors), ("pth", large_files.torch)):
        path = bench.folder / f"large.{ending}"
        make(path)
        command = [bench.program, "inspect", path, "--quiet"]
        seconds = min(run(command)[0] for _ in range(5))
        rows.append((f"open {ending}", 1000 * seconds, "ms"))
        path.unlink()
    return rows


STAGES = (
    ("CLIP ViT-L/14 x 3", gram),
    ("CLIP ViT-L/14 x 3", spectra),
    ("150 matrices x 6", preview),
    ("CLIP ViT-L/14 x 3", screen),
    ("CLIP ViT-L/14 x 3", merge),
    ("CLIP ViT-L/14 x 3", formats),
    ("5 GB file", opening),
)

# New row: the quotient of two others of the same title.
RATIOS = (
    ("Gram pass / plain read", "Gram pass", "plain read"),
    ("pth / safetensors", "full-rank merge, pth", "full-rank merge, safetensors"),
)

# What a figure has to stay under or to reach, in its unit.
GOALS = {
    "first frame": ("<", 100),
    "key to repaint, 99th percentile": ("<", 16),
    "edit and preview": ("<", 1),
    "merge, resident beside mapped files": ("<", 1024),
    "Gram pass / plain read": (">", 0.7),
    "pth / safetensors": ("<", 1.1),
    "open safetensors": ("<", 50),
    "open pth": ("<", 50),
}


def ratios(rows):
    """The rows of RATIOS that can be made, behind their dividend's title."""
    values = {(title, name): value for title, name, value, _ in rows}
    titles = dict.fromkeys(title for title, *_ in rows)
    return [(title, name, values[title, above] / values[title, below], "")
            for title in titles for name, above, below in RATIOS
            if (title, above) in values and (title, below) in values]


def verdict(name, value):
    if name not in GOALS:
        return ""
    sign, goal = GOALS[name]
    met = value < goal if sign == "<" else value > goal
    return f"goal {sign} {goal}" + ("" if met else "  MISSED")


def machine():
    names = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {len(os.sched_getaffinity(0))} processors"


def version(bench):
    out = subprocess.run([bench.program, "--version"], check=True, capture_output=True, text=True)
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True,
                            text=True, cwd=Path(__file__).parent)
    return " ".join([*out.stdout.split()[:2], commit.stdout.strip()]).strip()


def record(bench, rows):
    """One line a figure, behind those of earlier runs."""
    head = [time.strftime("%Y-%m-%d"), version(bench), machine()]
    with open(Path(__file__).parent / "results.tsv", "a", encoding="utf-8") as results:
        for title, name, value, unit in rows:
            print(*head, title, name, f"{value:.4g}", unit, sep="\t", file=results)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    build = options.build.resolve()
    folder = (options.folder or build / "bench").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    bench, rows = Bench(build, folder, os.environ.get("PEERS")), []
    for title, stage in STAGES:
        if options.only in f"{title}: {stage.__name__}":
            rows += [(title, *row) for row in stage(bench)]
    rows += ratios(rows)
    print(f"{version(bench)}, {machine()}")
    for title, name, value, unit in rows:
        print(f"{title + ': ' + name:62} {value:10.3g} {unit:7} {verdict(name, value)}".rstrip())
    if options.record:
        record(bench, rows)


if __name__ == "__main__":
    main()
