"""Train the sample detectors: a base, and specialists for four forgery families.

    python3 samples/train.py --cache photographs --out weights

Needs torch, numpy, safetensors and pillow, and a Debian mirror for the
photographs, which are kept in the cache folder and nowhere else. Everything is
seeded: the same versions of the same libraries give the same weights.
"""

import argparse
import copy
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

import photographs
from forgeries import ADDED, DEGRADATIONS, FAMILIES, camera, ellipse, photographed, published
from vit import IMAGE, PATCH, WIDTH, Backbone, Detector

BASE_STEPS, BASE_RATE = 3000, 1e-3
STEPS, RATE, WARM_UP = 200, 1e-4, 30  # of a specialist
BATCH = 48


def generator(seed):
    return torch.Generator().manual_seed(seed)


def batches(bank, size, steps, seed):
    """Random patches as floats in [0, 1], flipped and transposed at random; the seed fixes them all."""
    rng = generator(seed)
    for _ in range(steps):
        images = bank[torch.randint(len(bank), (size,), generator=rng)].float() / 255
        flip, flop, transpose = (torch.rand(3, generator=rng) < 0.5).tolist()
        images = images.flip(2) if flip else images
        images = images.flip(3) if flop else images
        yield images.transpose(2, 3) if transpose else images


def schedule(optimizer, steps):
    """Linear warm-up over a tenth of the steps, then cosine down to zero."""
    def factor(step):
        warm = steps // 10
        return (step + 1) / warm if step < warm else 0.5 + 0.5 * np.cos(np.pi * (step - warm) / (steps - warm))
    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


# The base: which degradation was applied, and where?

def degrade(images, rng):
    """Each image degraded in a region, or not; with the kind per token, 0 being untouched."""
    mask = (ellipse(len(images), IMAGE, 0.05, rng) > 0.5).float()
    kind = torch.arange(len(images)) % (len(DEGRADATIONS) + 1)
    result = images.clone()
    for k, degradation in enumerate(DEGRADATIONS, 1):
        of_kind = kind == k
        result[of_kind] = degradation(images[of_kind], rng)
    covered = F.avg_pool2d(mask, PATCH).flatten(1) > 0.5
    return images + mask * (result - images), torch.cat([kind[:, None], covered * kind[:, None]], 1)


def whiten(backbone, bank):
    """Start the patch embedding from the principal directions of patches, each at unit variance."""
    corners = bank[:, :, :PATCH, :PATCH].float().flatten(1) / 127.5 - 1
    _, sigma, directions = torch.linalg.svd(corners - corners.mean(0), full_matrices=False)
    deviation = sigma[:WIDTH] / len(bank) ** 0.5
    weight = directions[:WIDTH] / (deviation[:, None] + 0.01)
    backbone.embeddings.patch_embedding.weight.data = weight.view(WIDTH, 3, PATCH, PATCH).contiguous()


def train_base(bank):
    torch.manual_seed(0)
    backbone, classify = Backbone(), nn.Linear(WIDTH, len(DEGRADATIONS) + 1)
    whiten(backbone, bank)
    parameters = [*backbone.parameters(), *classify.parameters()]
    optimizer = torch.optim.AdamW(parameters, BASE_RATE, weight_decay=0.01)
    rates, rng = schedule(optimizer, BASE_STEPS), generator(1)
    for step, images in enumerate(batches(bank, 60, BASE_STEPS, seed=2)):
        images, kind = degrade(images, rng)
        logits = classify(backbone(camera(images, rng)))
        loss = F.cross_entropy(logits[:, 0], kind[:, 0])
        loss = loss + F.cross_entropy(logits[:, 1:].flatten(0, 1), kind[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rates.step()
        if step % 100 == 99:
            right = (logits[:, 0].argmax(1) == kind[:, 0]).float().mean()
            print(f"base {step + 1:5d}  loss {loss:.3f}  kind right {right:.2f}", flush=True)
    return backbone


# The specialists: real or forged?

def train_specialist(start, bank, forges, seed):
    """Fine-tune a copy of `start`; the real images and their order are the same for every family.

    Several families share a batch in equal parts: joint training.
    """
    model = copy.deepcopy(start)
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=0)
    labels, rng, mean_loss = torch.arange(2).repeat_interleave(BATCH), generator(3 + 1000 * seed), np.log(2)
    for step, images in enumerate(batches(bank, BATCH, STEPS, seed=4 + 1000 * seed), 1):
        optimizer.param_groups[0]["lr"] = RATE * min(1, step / WARM_UP) * (0.5 + 0.5 * np.cos(np.pi * step / STEPS))
        real = photographed(images, rng)
        fake = torch.cat([forge(part, rng) for forge, part in zip(forges, real.split(BATCH // len(forges)))])
        loss = F.cross_entropy(model(published(torch.cat([real, fake]), rng)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mean_loss += 0.05 * (loss.item() - mean_loss)
    print(f"seed {seed}, {', '.join(forge.__name__ for forge in forges)}: mean loss {mean_loss:.3f}", flush=True)
    return model


def start_from(base, seed):
    """The base with a head drawn anew: one head for all specialists of a seed."""
    torch.manual_seed(6 + 100 * seed)
    start = Detector()
    start.load_state_dict(load_file(base), strict=False)
    return start


def save(state, path):
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path, metadata={"format": "pt"})


def training_bank(cache):
    return photographs.patches(photographs.TRAIN, cache, IMAGE, stride=IMAGE // 2, limit=400)[0]


def train(names, bank, base, folder, seed):
    """Train what is named, family or "joint", unless it is there; returns the files by name."""
    families = {**FAMILIES, **ADDED}
    recipes = {**{name: [forge] for name, forge in families.items()}, "joint": list(FAMILIES.values())}
    files = {name: folder / f"{name}.safetensors" for name in names}
    for name, file in files.items():
        if not file.exists():
            save(train_specialist(start_from(base, seed), bank, recipes[name], seed).state_dict(), file)
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder for the Debian packages and photographs")
    parser.add_argument("--out", type=Path, required=True, help="folder of the weights; files that are there stay")
    parser.add_argument("--seed", type=int, default=0, help="of the specialists (default: 0)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    begin, bank, base = time.monotonic(), training_bank(args.cache), args.out / "base.safetensors"
    if not base.exists():
        backbone = {f"backbone.{name}": tensor for name, tensor in train_base(bank).state_dict().items()}
        save(backbone, base)
    train([*FAMILIES, *ADDED], bank, base, args.out, args.seed)
    print(f"trained in {time.monotonic() - begin:.0f} seconds")


if __name__ == "__main__":
    main()
