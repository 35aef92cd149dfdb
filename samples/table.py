"""The benchmark of the samples: what merging keeps of the specialists, over three training seeds.

    python3 samples/table.py --cache photographs --r2m build/r2m > table.md

Specialists of seeds that are not there yet are trained into the cache folder (about a minute each on
an idle processor). All merges are made by r2m. The best settings of a method are those with the
highest mean over seen families on the validation photographs, over all seeds; the table is measured
on the test photographs and on a second source, which no choice has looked at.
"""

import argparse
import itertools
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

import evaluate
import train
from forgeries import ADDED, FAMILIES, UNSEEN

SEEDS = [0, 1, 2]
R2M_DEFAULT = "R2M, defaults"


def grid(**choices):
    """Every combination of the choices, as settings; __ stands for a dot."""
    keys = [key.replace("__", ".") for key in choices]
    return [dict(zip(keys, values)) for values in itertools.product(*choices.values())]


# Method: its settings by default, and what is tried for the best ones.
METHODS = {
    "weight average": ({"method": "average"}, []),
    "task arithmetic": ({"method": "task_arithmetic"},
                        grid(method=["task_arithmetic"], task_arithmetic__lambda=[0.2, 0.3, 0.35, 0.4, 0.5])),
    "TIES": ({"method": "ties"}, grid(method=["ties"], ties__density=[0.1, 0.2, 0.5], ties__lambda=[1, 1.5])),
    "DARE": ({"method": "dare"}, grid(method=["dare"], dare__drop=[0.5], dare__lambda=[0.25, 0.3, 0.4, 0.5])),
    "CART": ({"method": "cart"}, grid(method=["cart"], cart__lambda=[1, 2, 4], cart__ratio=[0.06, 0.12])),
    "TSV-M": ({"method": "tsv_m"}, grid(method=["tsv_m"], tsv_m__alpha=[0.6, 0.8, 1, 1.2, 1.5])),
    "Iso-C": ({"method": "iso_c"}, grid(method=["iso_c"], iso_c__alpha=[0.7, 1, 1.3, 1.6, 2])),
    "R2M": ({}, grid(alpha=[0.6, 1, 2, 3], real__normalize=["false", "true"],
                     residual__rank__ratio=[0.05, 0.1, 0.3])),
}
# One switch of R2M at a time, the rest by default.
SWITCHES = [
    *grid(alpha=[0, 0.3, 1, 1.5, 2, 3]), *grid(residual__rank__ratio=[0.02, 0.05, 0.3, 1]),
    {"residual.rank.gd": "true"}, {"residual.rank.mp": "true"}, {"residual.rank.energy": 0.9},
    {"residual.rank.auto": "true"},
    {"norm_match": "none"}, {"norm_match": "layer"}, {"residual.against": "projection"},
    {"real.normalize": "true"}, {"real.rank": 2}, {"real.center": "true"}, {"eta": "absolute"},
    {"core_scale": 1.2},
]
PRESETS = ["paper", "script"]
# Ranks where residuals count for more than by default: rules from spectra alone, and searched ones.
LOUD = {"alpha": 2}
RULES = [{"residual.rank.auto": "true"}, {"residual.rank.gd": "true"}, {"residual.rank.mp": "true"},
         {"residual.rank.energy": 0.9}]
RATIOS = grid(residual__rank__ratio=[0.02, 0.05, 0.1, 0.2, 0.4, 1])
SEARCHED = 24  # evaluations of a greedy search, by kind of layer, then by layer


class Bench:
    """Specialists of every seed, merged by r2m and evaluated; each result is computed once."""

    def __init__(self, args):
        self.r2m, self.cache, self.known = args.r2m, args.cache, {}
        self.images = {split: thinned(evaluate.images_of(split, args.cache), args.stride) for split in evaluate.SPLITS}
        shipped, bank = Path(__file__).parent, None
        self.base, self.files = shipped / "base.safetensors", {}
        for seed in SEEDS:
            folder = args.cache / f"seed-{seed}"
            folder.mkdir(parents=True, exist_ok=True)
            names = [*FAMILIES, *ADDED, "joint"]
            if not all((folder / f"{name}.safetensors").exists() for name in names):
                bank = train.training_bank(args.cache) if bank is None else bank
            self.files[seed] = train.train(names, bank, self.base, folder, seed)

    def merge(self, seed, names, settings, preset, file):
        words = [self.r2m, "merge", "--quiet", "--force", "--base", self.base, "-o", file]
        words += ["--preset", preset] if preset else []
        words += [f"--set={key}={value}" for key, value in settings.items()]
        subprocess.run([*words, *(f"{name}={self.files[seed][name]}" for name in names)], check=True,
                       stderr=subprocess.DEVNULL)

    def found(self, split, seed, names, settings=None, preset=None):
        """AUC by family of a merge (settings) or of one checkpoint (settings None)."""
        key = (split, seed, tuple(names), str(settings), preset)
        if key not in self.known:
            wanted = FAMILIES if split == "validation" else evaluate.FORGERIES
            with tempfile.TemporaryDirectory() as folder:
                file = self.files[seed][next(iter(names))]
                if settings is not None:
                    file = Path(folder) / "merged.safetensors"
                    self.merge(seed, names, settings, preset, file)
                self.known[key] = evaluate.aucs(file, self.images[split], wanted)
        return self.known[key]

    def search(self, seed, folder):
        """The config of a greedy search for the best mean over seen families in validation."""
        measure = f"{sys.executable} {evaluate.__file__} --cache {self.cache} --split validation --json {{}}"
        subprocess.run([self.r2m, "sweep", "--quiet", "--base", self.base, "--greedy", str(SEARCHED),
                        *(f"--set={key}={value}" for key, value in LOUD.items()), "--eval", measure,
                        "--metric", "seen", "-o", folder,
                        *(f"{name}={self.files[seed][name]}" for name in FAMILIES)], check=True)
        return Path(folder) / "best.json"

    def searched(self, seed):
        """The means of what a search finds, in every split."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "merged.safetensors"
            subprocess.run([self.r2m, "merge", "--quiet", self.search(seed, folder), "-o", file], check=True)
            return {split: evaluate.summary(evaluate.aucs(file, self.images[split])) for split in evaluate.SPLITS}

    def seen(self, settings):
        """Mean over seeds and seen families on the validation photographs."""
        return np.mean([list(self.found("validation", seed, FAMILIES, settings).values()) for seed in SEEDS])

    def best(self, candidates):
        return max(candidates, key=self.seen)


def thinned(images, stride):
    real, fakes = images
    return real[::stride], {name: fake[::stride] for name, fake in fakes.items()}


def figures(bench, split, names, settings=None, preset=None, added=False):
    """Per seed: AUC by family, means over seen and unseen ones; stacked over seeds."""
    found = [bench.found(split, seed, names, settings, preset) for seed in SEEDS]
    rows = [{**one, **evaluate.summary(one, added)} for one in found]
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def spread(values):
    return f"{values.mean():.3f} ± {values.std(ddof=1):.3f}"


def row(bench, label, names, settings=None, preset=None, added=False):
    test = figures(bench, "test", names, settings, preset, added)
    second = figures(bench, "second", names, settings, preset, added)
    families = [f"{test[name].mean():.3f}" for name in evaluate.FORGERIES]
    cells = [label, *families, spread(test["seen"]), spread(test["unseen"]), spread(second["seen"]),
             spread(second["unseen"])]
    print("| " + " | ".join(cells) + " |", flush=True)
    return test, second


def head(bench):
    families = [name.upper() for name in FAMILIES] + [name for name in [*ADDED, *UNSEEN]]
    print("| | " + " | ".join(families) + " | seen | unseen | seen, 2nd source | unseen, 2nd source |")
    print("|---" * (len(families) + 5) + "|")


def text_of(settings):
    return ", ".join(f"{key} {value}" for key, value in settings.items() if key != "method") or "defaults"


def print_methods(bench):
    print(f"\n### Methods: {len(SEEDS)} seeds, three specialists (AUC; mean ± spread over seeds)\n")
    head(bench)
    for name in FAMILIES:
        row(bench, f"specialist {name}", [name])
    row(bench, "joint training", ["joint"])
    for method, (default, candidates) in METHODS.items():
        row(bench, f"**{R2M_DEFAULT}**" if method == "R2M" else method, FAMILIES, default)
        if candidates:
            best = bench.best(candidates)
            row(bench, f"{method}, best: {text_of(best)}", FAMILIES, best)
    for preset in PRESETS:
        row(bench, f"R2M, preset {preset}", FAMILIES, {}, preset)


def switch_row(bench, label, settings):
    parts = [figures(bench, split, FAMILIES, settings)[key] for split in ("test", "second")
             for key in ("seen", "unseen")]
    cells = [label, f"{bench.seen(settings):.3f}", *map(spread, parts)]
    print("| " + " | ".join(cells) + " |", flush=True)


def print_switches(bench):
    print("\n### One switch of R2M at a time\n")
    print("The rest by default; the validation column is what settings are chosen by.\n")
    print("| | validation, seen | seen | unseen | seen, 2nd source | unseen, 2nd source |\n|---|---|---|---|---|---|")
    for settings in [{}, *SWITCHES]:
        switch_row(bench, text_of(settings), settings)


def print_ranks(bench):
    print(f"\n### Ranks by rules and by search, {text_of(LOUD)}\n")
    print("| | validation, seen | seen | unseen | seen, 2nd source | unseen, 2nd source |\n|---|---|---|---|---|---|")
    for settings in [*RULES, *RATIOS]:
        switch_row(bench, text_of(settings), {**LOUD, **settings})
    found = [bench.searched(seed) for seed in SEEDS]
    parts = [spread(np.array([one[split][key] for one in found])) for split in ("test", "second")
             for key in ("seen", "unseen")]
    validation = np.mean([one["validation"]["seen"] for one in found])
    print(f"| greedy search, {SEARCHED} evaluations | {validation:.3f} | " + " | ".join(parts) + " |", flush=True)


def print_composed(bench):
    """The fourth specialist is added, everything merged again."""
    print("\n### A fourth specialist is added\n")
    head(bench)
    four = [*FAMILIES, *ADDED]
    row(bench, "specialist fe", list(ADDED), added=True)
    for label, settings in (("weight average", {"method": "average"}), (R2M_DEFAULT, {})):
        three, _ = row(bench, f"{label}, of three", FAMILIES, settings)
        all_four, _ = row(bench, f"{label}, of four", four, settings, added=True)
        change = [f"{name} {all_four[name].mean() - three[name].mean():+.3f}" for name in four]
        print(f"\n{label}: " + ", ".join(change) + "\n" if label == R2M_DEFAULT else "", end="")


def print_task_vectors(bench):
    print("\n### Task vectors of seed 0\n\n| | norm over matrices | cosines |\n|---|---|---|")
    base, four = load_file(bench.base), [*FAMILIES, *ADDED]
    taus = []
    for name in four:
        state = load_file(bench.files[0][name])
        taus.append(torch.cat([(state[key] - base[key]).flatten() for key in base
                               if base[key].is_floating_point() and base[key].dim() > 1]).double())
    for name, tau in zip(four, taus):
        cosines = ", ".join(f"{other} {float(tau @ two / tau.norm() / two.norm()):.2f}"
                            for other, two in zip(four, taus) if other != name)
        print(f"| {name} | {float(tau.norm()):.3f} | {cosines} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder for photographs and trained seeds")
    parser.add_argument("--r2m", default="build/r2m", help="the program (default: build/r2m)")
    parser.add_argument("--stride", type=int, default=1, help="every so many patches only, for a quick look")
    args = parser.parse_args()
    torch.set_num_threads(1)
    bench = Bench(args)
    print("# What merging the samples keeps\n")
    print("Made by `make samples-table`; `README.md` says what was measured, and how.")
    print_methods(bench)
    print_switches(bench)
    print_ranks(bench)
    print_composed(bench)
    print_task_vectors(bench)


if __name__ == "__main__":
    main()
