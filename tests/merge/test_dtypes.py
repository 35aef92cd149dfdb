"""Every floating dtype of a base with every one of its specialists: analyze and merge against numpy,
with types written here from their definition (sign, exponent, mantissa) and not from the program.
"""

import itertools
import unittest

import numpy as np

import safetensors_file
from program_test import ProgramTest


def small_floats(exponent_bits, mantissa_bits, finite_only=False):
    """The value of every code of a type of at most 16 bits; NaN for those that are no number."""
    bits = 1 + exponent_bits + mantissa_bits
    codes = np.arange(2 ** bits)
    sign = np.where(codes >> (bits - 1), -1.0, 1.0)
    exponent = (codes >> mantissa_bits) & (2 ** exponent_bits - 1)
    mantissa = codes & (2 ** mantissa_bits - 1)
    bias = 2 ** (exponent_bits - 1) - 1
    normal = (1 + mantissa / 2 ** mantissa_bits) * 2.0 ** (exponent - bias)
    values = sign * np.where(exponent == 0, mantissa / 2 ** mantissa_bits * 2.0 ** (1 - bias), normal)
    if finite_only:  # E4M3: one NaN of each sign, no infinity
        return np.where((codes & 0x7F) == 0x7F, np.nan, values)
    return np.where(exponent == 2 ** exponent_bits - 1, np.nan, values)


TABLES = {"F8_E4M3": small_floats(4, 3, True), "F8_E5M2": small_floats(5, 2),
          "F16": small_floats(5, 10), "BF16": small_floats(8, 7)}
WIDE = {"F32": np.float32, "F64": np.float64}
TYPES = [*TABLES, *WIDE]
SHAPES = {"layers.0.weight": (24, 16), "layers.0.bias": (24,), "conv.weight": (6, 3, 2, 2)}


def encode(dtype, values):
    """(bytes, the values that they mean)."""
    if dtype in WIDE:
        array = values.astype(WIDE[dtype])
        return array.tobytes(), array.astype(np.float64)
    table = TABLES[dtype]
    order = np.argsort(table)[:np.count_nonzero(~np.isnan(table))]
    place = np.clip(np.searchsorted(table[order], values), 1, len(order) - 1)
    low, high = order[place - 1], order[place]
    codes = np.where(values - table[low] < table[high] - values, low, high)
    return codes.astype("u1" if len(table) == 256 else "<u2").tobytes(), table[codes]


def decode(dtype, data):
    if dtype in WIDE:
        return np.frombuffer(data, WIDE[dtype]).astype(np.float64)
    table = TABLES[dtype]
    return table[np.frombuffer(data, "u1" if len(table) == 256 else "<u2")]


def room(dtype, values):
    """Half the distance to the neighbours in that type, and what float64 arithmetic may be off."""
    if dtype in WIDE:
        step = np.spacing(np.abs(values).astype(WIDE[dtype])).astype(np.float64)
    else:
        numbers = np.sort(TABLES[dtype][~np.isnan(TABLES[dtype])])
        place = np.clip(np.searchsorted(numbers, values), 1, len(numbers) - 1)
        step = numbers[place] - numbers[place - 1]
    return step / 2 + 1e-14


class Types(ProgramTest):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(7)
        fresh = {name: random.standard_normal(shape) / 2 for name, shape in SHAPES.items()}
        self.values = {}
        for dtype, kind in itertools.product(TYPES, ("base", "first", "second")):
            step = 0 if kind == "base" else 1
            wanted = {name: values + step * random.standard_normal(values.shape) / 8
                      for name, values in fresh.items()}
            self.values[dtype, kind] = self.write_as(f"{dtype}-{kind}", dtype, wanted)

    def write_as(self, stem, dtype, tensors):
        header, data, stored = {}, b"", {}
        for name, values in tensors.items():
            part, stored[name] = encode(dtype, values)
            header[name] = {"dtype": dtype, "shape": list(values.shape),
                            "data_offsets": [len(data), len(data) + len(part)]}
            data += part
        safetensors_file.write_raw(self.folder / f"{stem}.safetensors", header, data)
        return stored

    def taus(self, base, *files):
        return [{name: self.values[file][name] - self.values[base, "base"][name]
                 for name in SHAPES} for file in files]

    def test_every_pair_is_merged(self):
        """One specialist, nothing cut: the merge is the specialist, rounded to the base's type."""
        for base, other in itertools.product(TYPES, TYPES):
            with self.subTest(base=base, specialist=other):
                self.good("merge", "--base", f"{base}-base.safetensors",
                          f"{other}-first.safetensors", "-o", "out.safetensors", "--force")
                header, data = safetensors_file.parts(self.folder / "out.safetensors")
                for name in SHAPES:
                    self.assertEqual(header[name]["dtype"], base)
                    found = decode(base, data[slice(*header[name]["data_offsets"])])
                    wanted = self.values[other, "first"][name].reshape(-1)
                    self.assertTrue(np.all(np.abs(found - wanted) <= room(base, wanted)), name)

    def test_every_pair_is_analyzed(self):
        """Without blend the core is the mean: the residuals of two are half their difference."""
        for base, other in itertools.product(TYPES, TYPES):
            third = TYPES[(TYPES.index(other) + 1) % len(TYPES)]
            with self.subTest(base=base, specialists=(other, third)):
                found = self.json("analyze", "--base", f"{base}-base.safetensors",
                                  f"a={other}-first.safetensors", f"b={third}-second.safetensors",
                                  "--json", "--spectra", "--set", "real.blend=0")
                taus = self.taus(base, (other, "first"), (third, "second"))
                matrices = [name for name in SHAPES if "bias" not in name]
                flat = [np.concatenate([tau[n].reshape(-1) for n in SHAPES]) for tau in taus]
                cosine = flat[0] @ flat[1] / np.linalg.norm(flat[0]) / np.linalg.norm(flat[1])
                self.assertAlmostEqual(found["cos_task_vectors"][0][1], cosine, delta=1e-9)
                for layer in found["layers"]:
                    first, second = (tau[layer["name"]] for tau in taus)
                    for tau, one in zip((first, second), layer["specialists"]):
                        self.assertAlmostEqual(one["norm"], np.linalg.norm(tau), delta=1e-9)
                    if layer["name"] in matrices:
                        matrix = ((first - second) / 2).reshape(len(first), -1)
                        sigma = np.linalg.svd(matrix, compute_uv=False)
                        np.testing.assert_allclose(layer["specialists"][0]["sigma"], sigma,
                                                   rtol=0, atol=1e-6 * sigma[0])

    def test_buffers_are_the_base_s_and_agree_elsewhere(self):
        extra = {"position_ids": np.arange(5, dtype=np.int64), "mask": np.array([True, False])}
        base = {**self.base, **extra}
        other = {**self.specialist(2), "position_ids": np.arange(5, dtype=np.int64) + 1,
                 "mask": np.array([1, 0], np.uint8), "steps": np.array(7, np.int32)}
        self.write("base", base)
        self.write("fs", other)
        self.good("merge", "--base", "base.safetensors", "fs.safetensors", "-o", "out.safetensors")
        found = safetensors_file.read(self.folder / "out.safetensors")
        for name, values in {**extra, "steps": other["steps"]}.items():
            self.assertEqual(found[name].dtype, values.dtype)
            np.testing.assert_array_equal(found[name], values)
        self.write("fr", {**self.specialist(3), "steps": np.array(8, np.int32)})
        self.refused(1, "merge", "--base", "base.safetensors", "fs.safetensors", "fr.safetensors",
                     "-o", "two.safetensors", says=["fr.safetensors", "steps", "differs"])


if __name__ == "__main__":
    unittest.main()
