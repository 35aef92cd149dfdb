#!/usr/bin/python3
"""make bench: speed and memory on generated checkpoints, as one table of figures.

    bench.py BUILD [--only PATTERN] [--folder FOLDER] [--record]

PATTERN selects stages by their "title: function"; FOLDER keeps the generated files (default:
BUILD/bench); --record adds the figures to results.tsv beside this file. With PEERS=PYTHON in the
environment, an interpreter that has torch, the same work done by torch is measured too.

A new figure is a row that some function of STAGES returns, (name, value, unit); what it is compared
with stands in RATIOS, what it has to reach in GOALS.
"""

import argparse
import csv
import os
import platform
import re
import shutil
import subprocess
import time
from pathlib import Path

import large_files
from measure import Bench, json_of, run
from screen import latencies, latencies_exporting

CLIP, CLIP_SIX, VIT, MANY, LLAMA = ("clip", 3), ("clip", 6), ("vit", 3), ("many", 6), ("llama", 3)
CLIP_BLOCKS = 24
MIB = 1 << 20


def passes(model):
    """The passes over the weights of a model, each alone."""
    def measure(bench):
        folder, specialists = bench.model(*model), model[1]
        return (bench.stages(folder, specialists, 0, "gram")[1:] +
                bench.stages(folder, specialists, 0, "spectra")[1:])
    measure.__name__ = "passes"
    return measure


def preview(bench):
    return [row for row in bench.stages(bench.model(*MANY), 6, 0, "preview")
            if row[0] == "edit and preview"]


def screen(bench):
    command = [bench.program, *bench.source(*CLIP)]
    return latencies(command) + latencies_exporting([*command, "--force"], bench.out)


def lapack(bench):
    return bench.rows(bench.build / "tests/bench/lapack")


def torch(bench):
    """What a user of torch would run instead."""
    if bench.peer is None:
        return []
    return bench.rows(bench.peer, Path(__file__).parent / "torch_peer.py", bench.model(*CLIP), 3,
                      CLIP_BLOCKS)


def merging(bench, source, *options):
    return run([bench.program, "merge", *source, "-o", bench.out, "--force", *options], bench.out)


def merge(bench):
    done = merging(bench, bench.source(*CLIP))
    return [("merge command", done.seconds, "s"),
            ("merge command, processor", done.processor, "s"),
            ("merge, resident beside mapped files", done.memory, "MiB")]


def sweep(bench):
    """Four values of alpha, evaluated by a command that takes no time: the first one has the
    analysis to do, the others share it."""
    out = bench.folder / "sweep"
    run([bench.program, "sweep", *bench.source(*CLIP), "--vary", "alpha=0.2,0.4,0.6,0.8", "--eval",
         "echo auc: 1 #{}", "-o", out, "--quiet"])
    with open(out / "sweep.csv", newline="") as file:
        first, *further = [float(row["seconds"]) for row in csv.DictReader(file)]
    shutil.rmtree(out)
    return [("sweep, first point", first, "s"), ("sweep, further point", min(further), "s")]


def copy(bench):
    """At full rank a merge reads, adds, writes, and tells the sha256 of what is on the disk; beside
    it cp of a file of the output's size, alone and with the same digest."""
    file, copied = bench.model(*CLIP) / "s1.safetensors", bench.folder / "copy"
    full, synced, digested = [], [], []
    for _ in range(3):
        full.append(merging(bench, bench.source(*CLIP), "--set", "residual.rank.full=true"))
        synced.append(run(["sh", "-c", 'cp "$0" "$1" && sync "$1"', file, copied], copied))
        digested.append(run(["sh", "-c", 'cp "$0" "$1" && sync "$1" && sha256sum "$1"', file,
                             copied], copied))
    return [("cp and sync", min(synced).seconds, "s"),
            ("cp, sync and sha256sum", min(digested).seconds, "s"),
            ("full-rank merge", min(full).seconds, "s"),
            ("full-rank merge, processor", min(one.processor for one in full), "s")]


def memory(bench):
    """Peak resident memory beside mapped files."""
    source, figures = bench.source(*CLIP), bench.folder / "figures"
    tight = ["--memory", "64M"]
    return [("analyze, resident", run([bench.program, "analyze", *source]).memory, "MiB"),
            ("analyze within 64 MiB, resident",
             run([bench.program, "analyze", *source, *tight]).memory, "MiB"),
            ("inspect, resident", run([bench.program, "inspect", source[1]]).memory, "MiB"),
            ("plot, resident",
             run([bench.program, "plot", *source, "-o", figures], figures).memory, "MiB")]


def second_opening(bench):
    """A whole analysis, and the same again with what its cache keeps."""
    cache = bench.folder / "cache"
    command = [bench.program, "analyze", *bench.source(*CLIP), "--json", "--cache", cache]
    shutil.rmtree(cache, ignore_errors=True)
    first = run(command).seconds
    second = min(run(command).seconds for _ in range(5))
    shutil.rmtree(cache)
    return [("first analysis", first, "s"), ("second opening", 1000 * second, "ms")]


def figures(bench):
    """Every figure at 300 DPI by two workers, analysis not counted."""
    folder = bench.model(*CLIP)
    rows = bench.stages(folder, CLIP[1], 2, "figures")[1:]
    shutil.rmtree(folder / "figures")
    return rows


def language_model(bench):
    """One matrix of each shape, merged within 4 GiB; the dry run of the whole model, whose files
    are headers and holes."""
    told = json_of([bench.program, "merge", *bench.source(*LLAMA), "-o", bench.out, "--dry-run",
                    "--json", "--memory", "4G"])
    done = merging(bench, bench.source(*LLAMA), "--memory", "4G")
    names = [bench.folder / f"whole{i}.safetensors" for i in range(4)]
    for name in names:
        large_files.language_model(name)
    whole = json_of([bench.program, "merge", "--base", *names, "-o", bench.out, "--dry-run",
                     "--json", "--memory", "4G"])
    for name in names:
        name.unlink()
    return [("merge of a slice", done.seconds, "s"), ("slice, resident", done.memory, "MiB"),
            ("slice, told before", told["memory_bytes"] / MIB, "MiB"),
            ("whole, told before", whole["memory_bytes"] / MIB, "MiB"),
            ("whole, output", whole["output_bytes"] / 1e9, "GB")]


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
    ("CLIP ViT-L/14 x 3", passes(CLIP)),
    ("CLIP ViT-L/14 x 3", lapack),
    ("CLIP ViT-L/14 x 3", torch),
    ("CLIP ViT-L/14 x 3", merge),
    ("CLIP ViT-L/14 x 3", second_opening),
    ("CLIP ViT-L/14 x 3", sweep),
    ("CLIP ViT-L/14 x 3", copy),
    ("CLIP ViT-L/14 x 3", formats),
    ("CLIP ViT-L/14 x 3", screen),
    ("CLIP ViT-L/14 x 3", memory),
    ("CLIP ViT-L/14 x 3", figures),
    ("CLIP ViT-L/14 x 6", passes(CLIP_SIX)),
    ("ViT-B/16 x 3", passes(VIT)),
    ("150 matrices x 6", preview),
    ("7B bf16 x 3", language_model),
    ("5 GB file", opening),
)

# New row: the quotient of two others of the same title.
RATIOS = (
    ("Gram pass / plain read", "Gram pass", "plain read"),
    ("spectra: share of dgemm's speed", "spectra speed", "dgemm"),
    ("sgesdd / spectra pass", "sgesdd of 96 x 3 squares and 48 x 3 tall", "spectra pass"),
    ("torch.linalg.svd / spectra pass", "torch.linalg.svd", "spectra pass"),
    ("torch.linalg.svdvals / spectra pass", "torch.linalg.svdvals", "spectra pass"),
    ("torch merge loop / merge", "torch merge loop", "merge command"),
    ("sweep: further point / merge", "sweep, further point", "merge command"),
    ("cp / full-rank merge", "cp and sync", "full-rank merge"),
    ("cp with sha256sum / full-rank merge", "cp, sync and sha256sum", "full-rank merge"),
    ("pth / safetensors", "full-rank merge, pth", "full-rank merge, safetensors"),
)

# What a figure has to stay under or to reach, in its unit.
GOALS = {
    "first frame": ("<", 100),
    "key to repaint, 99th percentile": ("<", 16),
    "key to repaint while exporting, 99th percentile": ("<", 16),
    "idle, processor": ("<", 0.5),
    "edit and preview": ("<", 1),
    "all figures": ("<", 10),
    "plot, resident": ("<", 500),
    "merge, resident beside mapped files": ("<", 1024),
    "Gram pass / plain read": (">", 0.7),
    "torch.linalg.svd / spectra pass": (">", 5),
    "torch.linalg.svdvals / spectra pass": (">", 2),
    "torch merge loop / merge": (">", 5),
    "cp / full-rank merge": (">", 0.8),
    "slice, resident": ("<", 4096),
    "whole, told before": ("<", 4097),
    "pth / safetensors": ("<", 1.1),
    "second opening": ("<", 200),
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
    """One line a figure, behind those of earlier runs; the load tells how alone the run was."""
    head = [time.strftime("%Y-%m-%d"), version(bench), machine(),
            f"load {os.getloadavg()[0]:.1f}"]
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
    os.environ["R2M_CACHE"] = "none"  # but where a stage asks for one
    bench, rows = Bench(build, folder, os.environ.get("PEERS")), []
    for title, stage in STAGES:
        if re.search(options.only, f"{title}: {stage.__name__}"):
            rows += [(title, *row) for row in stage(bench)]
    rows += ratios(rows)
    print(f"{version(bench)}, {machine()}")
    for title, name, value, unit in rows:
        print(f"{title + ': ' + name:62} {value:10.3g} {unit:7} {verdict(name, value)}".rstrip())
    if options.record:
        record(bench, rows)


if __name__ == "__main__":
    main()
