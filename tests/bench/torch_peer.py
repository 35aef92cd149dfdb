"""torch_peer.py FOLDER SPECIALISTS BLOCKS: the loops that a user of torch would write, one NAME
VALUE UNIT a line. One block of the generated tower is done, with one thread or all, whichever is
faster for one matrix; times are multiplied by BLOCKS."""

import sys
import time

import torch
from safetensors import safe_open

RATIO, ALPHA = 0.1, 0.6
BLOCK = "backbone.encoder.layers.0."


def block(folder, specialists):
    """Per weight matrix: base and specialists."""
    names = ["base", *(f"s{i}" for i in range(1, specialists + 1))]
    files = [safe_open(f"{folder}/{name}.safetensors", "pt") for name in names]
    keys = [key for key in files[0].keys() if key.startswith(BLOCK) and "_proj.w" in key or
            key.startswith(BLOCK) and ".fc" in key and key.endswith("weight")]
    return {key: [file.get_tensor(key) for file in files] for key in keys}


def residuals(tensors):
    base, *rest = tensors
    taus = [one - base for one in rest]
    core = sum(taus) / len(taus)
    return base, core, [tau - core for tau in taus]


def truncate(matrix):
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    rank = max(1, int(RATIO * len(s)))
    return (u[:, :rank] * s[:rank]) @ vh[:rank]


def merge(weights):
    parts = {key: residuals(tensors) for key, tensors in weights.items()}
    cut = {key: [truncate(r) for r in rs] for key, (_, _, rs) in parts.items()}
    count = len(next(iter(cut.values())))
    norms = [sum(rs[i].norm() ** 2 for rs in cut.values()).sqrt() for i in range(count)]
    mean = sum(norms) / count
    return {key: base + core + ALPHA * sum(mean / norm * r for norm, r in zip(norms, cut[key])) / count
            for key, (base, core, _) in parts.items()}


def seconds(work):
    start, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - processor


def choose_threads(matrix):
    """Where others use the processors too, torch's threads wait for each other."""
    took = {}
    for threads in (1, torch.get_num_threads()):
        torch.set_num_threads(threads)
        took[threads] = min(seconds(lambda: torch.linalg.svd(matrix))[0] for _ in range(2))
    best = min(took, key=took.get)
    torch.set_num_threads(best)
    return best


def main():
    folder, specialists, blocks = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    weights = block(folder, specialists)
    matrices = [r for tensors in weights.values() for r in residuals(tensors)[2]]
    threads = choose_threads(matrices[0])
    print("torch_threads", threads, "")
    for name, work in (("torch.linalg.svd", lambda: [torch.linalg.svd(m, full_matrices=False)
                                                     for m in matrices]),
                       ("torch.linalg.svdvals", lambda: [torch.linalg.svdvals(m) for m in matrices]),
                       ("torch_merge_loop", lambda: merge(weights))):
        wall, processor = seconds(work)
        print(name, wall * blocks, "s")
        print(f"{name},_processor", processor * blocks, "s")


if __name__ == "__main__":
    main()
