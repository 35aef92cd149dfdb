"""Train the sample detectors: a base, and specialists for three forgery families.

    python3 samples/train.py --cache photographs

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

import merge_reference
import photographs
from forgeries import DEGRADATIONS, FAMILIES, camera, ellipse
from vit import IMAGE, PATCH, WIDTH, Backbone, Detector

BASE_STEPS, BASE_RATE = 3000, 1e-3
STEPS, RATE, ENOUGH = 500, 5e-5, 0.35  # a specialist stops when its mean loss falls to ENOUGH
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

def train_specialist(start, bank, forge):
    """Fine-tune a copy of `start`; the real images and their order are the same for every family.

    It stops early, so that an easy family does not drive its weights far from the others'.
    """
    model = copy.deepcopy(start)
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=0)
    warm_up = torch.optim.lr_scheduler.LinearLR(optimizer, 0.03, total_iters=30)
    labels, rng, mean_loss = torch.arange(2).repeat_interleave(BATCH), generator(3), np.log(2)
    for step, images in enumerate(batches(bank, BATCH, STEPS, seed=4), 1):
        images = camera(torch.cat([images, forge(images, rng)]), rng)
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        warm_up.step()
        mean_loss += 0.05 * (loss.item() - mean_loss)
        if mean_loss < ENOUGH:
            break
    print(f"{forge.__name__}: {step} steps, mean loss {mean_loss:.3f}", flush=True)
    return model


# Figures.

def test_images(cache):
    """Real patches of unseen photographs, and their forgeries by family."""
    bank, _ = photographs.patches(photographs.TEST, cache, IMAGE, stride=IMAGE, limit=100)
    rng = generator(5)
    real = bank[torch.randperm(len(bank), generator=rng)].float() / 255  # so that donors are other photographs
    return camera(real, rng), {name: camera(forge(real, rng), rng) for name, forge in FAMILIES.items()}


@torch.no_grad()
def scores(model, images):
    logits = torch.cat([model(part) for part in images.split(100)])
    return (logits[:, 1] - logits[:, 0]).numpy()


def auc(real, fake):
    """The chance that a forged patch scores above a real one."""
    return ((fake[:, None] > real).mean() + (fake[:, None] >= real).mean()) / 2


def aucs(state, real, fakes):
    model = Detector()
    model.load_state_dict({name: torch.as_tensor(tensor) for name, tensor in state.items()})
    on_real = scores(model, real)
    return [auc(on_real, scores(model, fake)) for fake in fakes.values()]


def report(folder, cache):
    """Print the table of the README from the files in `folder`."""
    base, *specialists = ({name: tensor.numpy() for name, tensor in load_file(folder / f"{file}.safetensors").items()}
                          for file in ["base", *FAMILIES])
    real, fakes = test_images(cache)
    rows = {"base, mean head": merge_reference.add(base, {}, specialists)}
    rows.update(zip(FAMILIES, specialists))
    rows["weight average"] = merge_reference.weight_average(base, specialists)
    rows["R2M, defaults"] = merge_reference.r2m(base, specialists)
    print(f"\nAUC on {len(real)} real patches of unseen photographs and as many forgeries per family\n")
    print("| | " + " | ".join(name.upper() for name in FAMILIES) + " | mean |")
    print("|---" * (len(FAMILIES) + 2) + "|")
    for label, state in rows.items():
        found = aucs(state, real, fakes)
        print(f"| {label} | " + " | ".join(f"{value:.3f}" for value in [*found, np.mean(found)]) + " |")
    vectors = merge_reference.task_vectors(base, specialists)
    products = merge_reference.gram(vectors)
    norms = np.sqrt(np.diag(products))
    parts = merge_reference.real_core(vectors)[1]
    print("\nTask vectors, over the matrices\n")
    print("| | norm | " + " | ".join(f"cosine {name}" for name in FAMILIES) + " | part in the Real core |")
    print("|---" * (len(FAMILIES) + 3) + "|")
    for i, name in enumerate(FAMILIES):
        cosines = " | ".join(f"{value:.2f}" for value in products[i] / norms[i] / norms)
        print(f"| {name} | {norms[i]:.3f} | {cosines} | {parts[i]:.2f} |")


def save(state, path):
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path, metadata={"format": "pt"})


def train(folder, cache, keep_base):
    bank, _ = photographs.patches(photographs.TRAIN, cache, IMAGE, stride=IMAGE // 2, limit=400)
    if not keep_base:
        backbone = {f"backbone.{name}": tensor for name, tensor in train_base(bank).state_dict().items()}
        save(backbone, folder / "base.safetensors")
    torch.manual_seed(6)
    start = Detector()  # for its head
    start.load_state_dict(load_file(folder / "base.safetensors"), strict=False)
    for name, forge in FAMILIES.items():
        save(train_specialist(start, bank, forge).state_dict(), folder / f"{name}.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder for the Debian packages and photographs")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder of the weights (default: here)")
    parser.add_argument("--keep-base", action="store_true", help="train the specialists only, from the base in --out")
    parser.add_argument("--report", action="store_true", help="only print the table, from the weights in --out")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if not args.report:
        begin = time.monotonic()
        train(args.out, args.cache, args.keep_base)
        print(f"trained in {time.monotonic() - begin:.0f} seconds")
    report(args.out, args.cache)


if __name__ == "__main__":
    main()
