"""R2M in plain numpy: a second writing of the method (method.md), to check the program against.

Everything is whole arrays in float64 and full SVDs; nothing is shared with the C sources. Files are
safetensors, read and written here in a few lines.
"""

import fnmatch
import json
import struct

import numpy as np

DTYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "I64": np.int64, "U8": np.uint8}


def read(path):
    """A dict of arrays; BF16 becomes float32, which holds it exactly. And the dtypes by name."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        part = data[slice(*entry["data_offsets"])]
        if entry["dtype"] == "BF16":
            array = (np.frombuffer(part, np.uint16).astype(np.uint32) << 16).view(np.float32)
        else:
            array = np.frombuffer(part, DTYPES[entry["dtype"]])
        tensors[name] = array.reshape(entry["shape"])
    return tensors, {name: entry["dtype"] for name, entry in header.items()}


def write(path, tensors):
    names = {np.dtype(dtype): name for name, dtype in DTYPES.items()}
    header, offset = {}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": names[array.dtype], "shape": list(array.shape),
                        "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in tensors.values():
            file.write(np.ascontiguousarray(array).tobytes())


class Options:
    """The hyperparameters, with method.md's defaults. rule: (kind, value), or a function of layer
    name and specialist index that gives one."""

    def __init__(self, **changes):
        self.rank, self.center, self.normalize, self.block_norm = 1, False, False, "none"
        self.blend, self.tensors, self.gamma_twice = 1.0, "matrices", False
        self.against, self.rule, self.norm_match = "core", ("ratio", 0.1), "global"
        self.eta, self.alpha, self.core_scale, self.weights = "unit", 0.6, 1.0, None
        self.head = ["head.*", "classifier.*"]
        for name, value in changes.items():
            assert hasattr(self, name), name
            setattr(self, name, value)


PRESETS = {
    "r2m": {},
    "paper": {"center": True, "against": "projection"},
    "script": {"block_norm": "fro_sqrtp", "tensors": "script", "gamma_twice": True,
               "rule": ("full", True), "eta": "script"},
}


def marchenko_pastur_median(beta):
    """Median of the law of the eigenvalues, by a fine trapezoid rule in an angle that takes away
    the square roots at both edges."""
    low, high = (1 - np.sqrt(beta)) ** 2, (1 + np.sqrt(beta)) ** 2
    angle = np.linspace(0, np.pi, 2_000_001)
    value = (low + high) / 2 - (high - low) / 2 * np.cos(angle)
    with np.errstate(divide="ignore", invalid="ignore"):
        density = ((high - low) / 2 * np.sin(angle)) ** 2 / (2 * np.pi * beta * value)
    density[~np.isfinite(density)] = (high - low) / (2 * np.pi * beta)  # beta = 1 at 0
    mass = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(angle))])
    return np.interp(mass[-1] / 2, mass, value)


def chosen_rank(rule, sigma, rows, cols):
    """Section 3, the rank rules."""
    kind, value = rule
    full, beta = len(sigma), min(rows, cols) / max(rows, cols)
    energy = np.cumsum(sigma ** 2)
    if kind == "ratio":
        return max(int(value * full), 1 if value > 0 else 0)
    if kind == "rank":
        return min(value, full)
    if kind == "energy":
        return int(np.searchsorted(energy, value * energy[-1] * (1 - 1e-14)) + 1) if value > 0 else 0
    if kind == "gd":
        omega = 0.56 * beta ** 3 - 0.95 * beta ** 2 + 1.82 * beta + 1.43
        return int((sigma > omega * np.median(sigma)).sum())
    if kind == "mp":
        scale = np.median(sigma) / np.sqrt(max(rows, cols) * marchenko_pastur_median(beta))
        return int((sigma > scale * (np.sqrt(rows) + np.sqrt(cols))).sum())
    if kind == "auto":
        scale = np.median(sigma) / np.sqrt(marchenko_pastur_median(beta))
        y = sigma[sigma > scale * (1 + np.sqrt(beta))] / scale
        if not len(y):
            return 0
        p = ((y ** 2 - beta - 1) ** 2 - 4 * beta) / y ** 2
        return int(np.exp(-(p / p.sum() * np.log(p / p.sum())).sum()) + 0.5)
    return {"full": full, "zero": 0}[kind]


def roles(base, specialists, head):
    """Names by role, section 1."""
    found = {"matrix": [], "vector": [], "head": [], "buffer": []}
    for name in list(base) + [n for n in specialists[0] if n not in base]:
        array = base.get(name, specialists[0].get(name))
        if not np.issubdtype(array.dtype, np.floating):
            role = "buffer"
        elif name not in base or any(fnmatch.fnmatchcase(name, glob) for glob in head):
            role = "head"
        else:
            rows, cols = (len(array), array[0].size) if array.ndim >= 2 else (1, array.size)
            role = "matrix" if min(rows, cols) >= 2 else "vector"
        found[role].append(name)
    return found


def inner(one, other, names, gamma=None):
    return sum((1 if gamma is None else gamma[n]) * np.vdot(one[n], other[n]) for n in names)


def combine(coefficients, vectors, name):
    return sum(c * v[name] for c, v in zip(coefficients, vectors))


class Merge:
    """All figures of a merge, and the merged tensors in float64 (merged)."""

    def __init__(self, base, specialists, options):
        self.options, self.n = options, len(specialists)
        self.base, self.specialists = base, specialists
        self.roles = roles(base, specialists, options.head)
        self.shared = self.roles["matrix"] + self.roles["vector"]
        self.raw = [{name: s[name].astype(np.float64) - base[name].astype(np.float64)
                     for name in self.shared} for s in specialists]
        self.find_core()
        self.find_residuals()
        self.match_norms()
        self.merge()

    def find_core(self):
        """Section 2."""
        o, n, matrices = self.options, self.n, self.roles["matrix"]
        norms = np.sqrt([inner(t, t, matrices) for t in self.raw])
        self.d = norms.mean() / norms if o.normalize else np.ones(n)
        self.tau = [{k: d * v for k, v in t.items()} for d, t in zip(self.d, self.raw)]
        self.member = matrices if o.tensors == "matrices" else [
            name for name in self.shared if "ln" not in name and "bias" not in name]
        self.gamma = {}
        for name in self.member:
            size = np.sqrt(sum((t[name] ** 2).sum() for t in self.tau))
            root = np.sqrt(self.tau[0][name].size)
            self.gamma[name] = {"none": 1.0, "fro": 1 / size, "fro_sqrtp": root / size}[o.block_norm]
        gram = np.array([[inner(a, b, self.member, self.gamma) for b in self.tau] for a in self.tau])
        centering = np.eye(n) - np.ones((n, n)) / n
        values, vectors = np.linalg.eigh(centering @ gram @ centering if o.center else gram)
        self.eigenvalues = values[::-1]
        top = [k for k in range(n)[::-1] if values[k] > n * np.finfo(float).eps * values[-1]][:o.rank]
        u = vectors[:, top]
        if o.center:
            self.projection = centering @ u @ np.diag(1 / values[top]) @ u.T @ centering @ gram
        else:
            self.projection = u @ u.T
        self.weights = (1 - o.blend) / n + o.blend * self.projection @ np.full(n, 1 / n)
        self.parts = np.abs(self.weights) * np.sqrt([inner(t, t, matrices) for t in self.tau])
        self.parts /= self.parts.sum()
        mean = {name: combine(np.full(n, 1 / n), self.tau, name) for name in self.shared}
        self.core = {name: combine(self.weights, self.tau, name) if name in self.member
                     else mean[name] for name in self.shared}
        if o.gamma_twice:
            self.core.update({name: self.gamma[name] * self.core[name] for name in self.member})
        self.core_norm = np.sqrt(inner(self.core, self.core, self.shared))
        self.mean_norm = np.sqrt(inner(mean, mean, self.shared))
        self.cos_core_mean = inner(self.core, mean, self.member) / np.sqrt(
            inner(self.core, self.core, self.member) * inner(mean, mean, self.member))

    def find_residuals(self):
        """Section 3."""
        o = self.options
        self.residual, self.rank, self.sigma = [], [], []
        for i, tau in enumerate(self.tau):
            off = {name: tau[name] - (self.core[name] if o.against == "core" else
                                      combine(self.projection[:, i], self.tau, name))
                   for name in self.shared}
            rank, sigma = {}, {}
            for name in self.roles["matrix"]:
                matrix = off[name].reshape(len(off[name]), -1)
                u, sigma[name], vt = np.linalg.svd(matrix, full_matrices=False)
                rule = o.rule(name, i) if callable(o.rule) else o.rule
                r = rank[name] = chosen_rank(rule, sigma[name], *matrix.shape)
                if r < len(sigma[name]):
                    off[name] = (u[:, :r] * sigma[name][:r] @ vt[:r]).reshape(off[name].shape)
            self.residual.append(off)
            self.rank.append(rank)
            self.sigma.append(sigma)

    def scales(self, residual_norms, task_norms):
        alive = residual_norms > 1e-6 * task_norms
        nbar = np.where(alive, residual_norms, 0).mean()
        with np.errstate(divide="ignore", invalid="ignore"):
            return nbar, np.where(alive, nbar / residual_norms, 0)

    def match_norms(self):
        """Section 4."""
        o, n = self.options, self.n
        weights = np.ones(n) if o.weights is None else np.array(o.weights, float)
        self.a = weights / weights.sum()
        norm = lambda vector, names: np.sqrt(inner(vector, vector, names))
        self.residual_norms = np.array([norm(r, self.shared) for r in self.residual])
        self.nbar, s = self.scales(self.residual_norms,
                                   np.array([norm(t, self.shared) for t in self.tau]))
        self.scale = np.ones(n) if o.norm_match in ("none", "layer") else s
        self.cell_norm, self.cell_scale, self.contribution = {}, {}, {}
        for name in self.shared:
            norms = np.array([norm(r, [name]) for r in self.residual])
            tasks = np.array([norm(t, [name]) for t in self.tau])
            scale = self.scales(norms, tasks)[1] if o.norm_match == "layer" else self.scale
            self.cell_norm[name], self.cell_scale[name] = norms, scale
            self.contribution[name] = (self.a * scale * norms) ** 2
        share = lambda energies: energies / energies.sum() if energies.sum() > 0 else 0 * energies
        self.share = {name: share(c) for name, c in self.contribution.items()}
        self.share_before = share((self.a * self.residual_norms) ** 2)
        self.share_after = share(sum(self.contribution.values()))
        self.dominance = {name: max(0, (s.max() - 1 / n) / (1 - 1 / n)) if n > 1 else 0
                          for name, s in self.share.items()}

    def merge(self):
        """Section 5."""
        o = self.options
        size = o.alpha * self.core_norm
        self.eta = {"unit": size / self.nbar if self.nbar > 0 else 0, "script": size,
                    "absolute": o.alpha}[o.eta]
        self.merged = {}
        for name in self.shared:
            residual = combine(self.a * self.cell_scale[name], self.residual, name)
            change = o.core_scale * self.core[name] + self.eta * residual
            self.merged[name] = self.base[name].astype(np.float64) + change
        for name in self.roles["head"]:
            self.merged[name] = sum(s[name].astype(np.float64) if name in s else 0
                                    for s in self.specialists) / self.n
        for name in self.roles["buffer"]:
            self.merged[name] = self.base.get(name, self.specialists[0].get(name))

    def energy_split(self, name, i):
        """real, fake, cross of the raw task vector, section 6."""
        real = combine(self.projection[:, i], self.tau, name) / self.d[i]
        fake = self.raw[i][name] - real
        return (real ** 2).sum(), (fake ** 2).sum(), 2 * (real * fake).sum()

    def real_share(self, i):
        weights = self.gamma
        real = sum(weights[name] * self.energy_split(name, i)[0] for name in self.member)
        return real / inner(self.raw[i], self.raw[i], self.member, weights)

    def cosines(self):
        gram = np.array([[inner(a, b, self.shared) for b in self.raw] for a in self.raw])
        norms = np.sqrt(np.diag(gram))
        return gram / np.outer(norms, norms)
