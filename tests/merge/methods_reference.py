"""The other merging methods in plain numpy: a second writing, whole arrays in float64.

vectors: the task vectors of one tensor; weights: N a_i, all 1 when equal.
"""

import hashlib

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def average(vectors, weights):
    return sum(w * v for w, v in zip(weights, vectors)) / len(vectors)


def task_arithmetic(vectors, weights, factor=0.3):
    return factor * sum(w * v for w, v in zip(weights, vectors))


def ties(vectors, weights, density=0.2, factor=1.0):
    kept = int(density * vectors[0].size)
    kept = max(kept, 1) if density > 0 else 0
    trimmed = []
    for v in vectors:
        order = np.sort(np.abs(v).ravel())[::-1]
        trimmed.append(np.where(np.abs(v) >= order[kept - 1], v, 0) if kept else 0 * v)
    stack, w = np.stack(trimmed), np.reshape(weights, (-1,) + (1,) * vectors[0].ndim)
    sign = np.where((w * stack).sum(0) >= 0, 1, -1)
    agree = (np.sign(stack) == sign) * w
    total = agree.sum(0)
    return factor * (agree * stack).sum(0) / np.where(total > 0, total, 1)


def mix(z):
    with np.errstate(over="ignore"):
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def dare(vectors, weights, name, drop=0.5, factor=0.3, seed=0):
    named = np.uint64(int(hashlib.sha256(name.encode()).hexdigest()[:16], 16))
    merged = 0
    with np.errstate(over="ignore"):
        for i, v in enumerate(vectors):
            key = mix(mix(np.uint64(seed)) ^ named) + mix(np.uint64(i + 1))
            places = np.arange(1, v.size + 1, dtype=np.uint64)
            chance = (mix(key + places * GOLDEN) >> np.uint64(11)).astype(float) / 2 ** 53
            keep = (chance >= drop).reshape(v.shape)
            merged = merged + factor * weights[i] * np.where(keep, v, 0) / (1 - drop)
    return merged


def matrix(v):
    return v.reshape(len(v), -1)


def cart(vectors, weights, ratio=0.12, factor=2.0):
    merged = mean = average(vectors, weights)
    for w, v in zip(weights, vectors):
        u, s, vt = np.linalg.svd(matrix(v - mean), full_matrices=False)
        r = max(1, int(ratio * len(s))) if ratio > 0 else 0
        merged = merged + factor * w * (u[:, :r] * s[:r] @ vt[:r]).reshape(v.shape)
    return merged


def polar(a):
    u, _, vt = np.linalg.svd(a, full_matrices=False)
    return u @ vt


def tsv_m(vectors, weights, alpha=1.0):
    parts = [np.linalg.svd(matrix(v), full_matrices=False) for v in vectors]
    k = len(parts[0][1]) // len(vectors)
    if k == 0:
        return average(vectors, weights)
    u = polar(np.concatenate([p[0][:, :k] for p in parts], 1))
    s = np.concatenate([w * p[1][:k] for w, p in zip(weights, parts)])
    vt = polar(np.concatenate([p[2][:k] for p in parts], 0))
    return (alpha * u * s @ vt).reshape(vectors[0].shape)


def iso_c(vectors, weights, alpha=1.0):
    total = sum(w * v for w, v in zip(weights, vectors))
    u, s, vt = np.linalg.svd(matrix(total), full_matrices=False)
    return (alpha * s.mean() * u @ vt).reshape(total.shape)
