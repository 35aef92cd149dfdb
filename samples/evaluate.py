"""How well detectors tell forged patches from real ones: AUC per forgery family.

    python3 samples/evaluate.py --cache photographs merged.safetensors
    r2m merge samples/demo.json -o merged.safetensors --eval 'python3 samples/evaluate.py --json --cache photographs {}'

Families that the sample specialists were trained on, families that none of them has seen, and both
on photographs of a second source. Needs torch, numpy, safetensors and pillow, and a Debian mirror.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

import photographs
from forgeries import ADDED, FAMILIES, UNSEEN, photographed, published
from vit import IMAGE, Detector

FORGERIES = {**FAMILIES, **ADDED, **UNSEEN}
SPLITS = {"validation": photographs.VALIDATION, "test": photographs.TEST, "second": photographs.SECOND}


def images_of(split, cache):
    """Real patches of photographs never trained on, and their forgeries by family."""
    rng = torch.Generator().manual_seed(5)
    bank, _ = photographs.patches(SPLITS[split], cache, IMAGE, stride=IMAGE, limit=30)
    bank = bank[torch.randperm(len(bank), generator=rng)].float() / 255  # so that donors are other photographs
    real = photographed(bank, rng)
    return published(real, rng), {name: published(forge(real, rng), rng) for name, forge in FORGERIES.items()}


@torch.no_grad()
def scores(model, images):
    logits = torch.cat([model(part) for part in images.split(100)])
    return (logits[:, 1] - logits[:, 0]).numpy()


def auc(real, fake):
    """The chance that a forged patch scores above a real one."""
    return float((fake[:, None] > real).mean() + (fake[:, None] >= real).mean()) / 2


def aucs(file, images, names=FORGERIES):
    """AUC of the checkpoint for each family named."""
    real, fakes = images
    model = Detector()
    model.load_state_dict(load_file(file))
    on_real = scores(model, real)
    return {name: auc(on_real, scores(model, fakes[name])) for name in names}


def summary(found, added=False):
    """Means over seen and unseen families; the fourth family is seen once its specialist is added."""
    seen = [*FAMILIES, *(ADDED if added else [])]
    return {"seen": float(np.mean([found[name] for name in seen])),
            "unseen": float(np.mean([found[name] for name in found if name not in seen]))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", help="checkpoints")
    parser.add_argument("--cache", type=Path, required=True, help="folder for the Debian packages and photographs")
    parser.add_argument("--split", choices=SPLITS, default="test", help="photographs (default: test)")
    parser.add_argument("--json", action="store_true", help="one JSON object for one checkpoint")
    args = parser.parse_args()
    torch.set_num_threads(1)
    images = images_of(args.split, args.cache)
    for file in args.files:
        found = aucs(file, images)
        found = {**summary(found), **found}
        if args.json:
            print(json.dumps(found))
        else:
            print(f"{file}: " + "  ".join(f"{name} {value:.3f}" for name, value in found.items()))


if __name__ == "__main__":
    main()
