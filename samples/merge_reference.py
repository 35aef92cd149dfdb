"""Weight average and R2M with its default settings, in plain numpy.

A second, slow and short writing of the method, to measure the samples and to
check the C program against. State dicts are dicts of numpy arrays. Here the
head is whatever the base lacks, which holds for the samples.
"""

import numpy as np


def is_matrix(array):
    return array.ndim >= 2 and min(array.shape[0], array[0].size) >= 2


def task_vectors(base, specialists):
    """Floating tensors of the base: specialist minus base, in float64."""
    names = [name for name in base if np.issubdtype(base[name].dtype, np.floating)]
    return [{name: s[name].astype(np.float64) - base[name].astype(np.float64) for name in names}
            for s in specialists]


def combine(weights, vectors):
    return {name: sum(w * v[name] for w, v in zip(weights, vectors)) for name in vectors[0]}


def norm(vector):
    return np.sqrt(sum((array ** 2).sum() for array in vector.values()))


def gram(vectors):
    """Inner products over the matrices, N x N."""
    names = [name for name in vectors[0] if is_matrix(vectors[0][name])]
    return sum(np.array([[np.vdot(a[name], b[name]) for b in vectors] for a in vectors]) for name in names)


def real_core(vectors, rank=1):
    """Weights w of the core on the matrices, and each specialist's part in it."""
    n = len(vectors)
    products = gram(vectors)
    top = np.linalg.eigh(products)[1][:, -rank:]
    weights = top @ top.T @ np.full(n, 1 / n)
    parts = np.abs(weights) * np.sqrt(np.diag(products))
    return weights, parts / parts.sum()


def truncate(array, ratio):
    if not is_matrix(array):
        return array
    u, sigma, vt = np.linalg.svd(array.reshape(len(array), -1), full_matrices=False)
    rank = max(1, int(ratio * len(sigma)))
    return (u[:, :rank] * sigma[:rank] @ vt[:rank]).reshape(array.shape)


def add(base, delta, specialists):
    """Base plus delta; heads (what the base lacks) averaged; buffers the base's."""
    merged = {name: (array + delta[name]).astype(array.dtype) if name in delta else array
              for name, array in base.items()}
    for name in specialists[0].keys() - base.keys():
        merged[name] = np.mean([s[name] for s in specialists], 0, dtype=np.float64).astype(np.float32)
    return merged


def weight_average(base, specialists):
    vectors = task_vectors(base, specialists)
    return add(base, combine([1 / len(vectors)] * len(vectors), vectors), specialists)


def r2m(base, specialists, ratio=0.1, alpha=0.6):
    vectors = task_vectors(base, specialists)
    n = len(vectors)
    mean = combine([1 / n] * n, vectors)
    on_matrices = combine(real_core(vectors)[0], vectors)
    core = {name: on_matrices[name] if is_matrix(mean[name]) else mean[name] for name in mean}
    residuals = [{name: truncate(v[name] - core[name], ratio) for name in v} for v in vectors]
    norms = np.array([norm(residual) for residual in residuals])
    target = norms.mean()
    residual = combine(target / norms / n, residuals)
    eta = alpha * norm(core) / target
    return add(base, {name: core[name] + eta * residual[name] for name in core}, specialists)
