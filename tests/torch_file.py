"""Torch files without torch: a state dict whose tensors may share their elements."""

import pickle
import zipfile

import numpy as np


def text(value):
    data = value.encode()
    return b"X" + len(data).to_bytes(4, "little") + data


def number(value):
    return b"J" + int(value).to_bytes(4, "little", signed=True)


def numbers(values):
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(key, array):
    """What torch pickles for a whole float32 storage."""
    strides = [int(np.prod(array.shape[d + 1:])) for d in range(array.ndim)]
    storage = (b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(str(key)) + text("cpu") +
               number(array.size) + b"tQ")
    return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(0) + numbers(array.shape) +
            numbers(strides) + b"\x89ccollections\nOrderedDict\n)RtR")


def write(path, tensors):
    """tensors: float32 arrays by name; the same array under two names is one storage."""
    storages = []
    for array in tensors.values():
        if not any(array is other for other in storages):
            storages.append(array)
    keys = {name: next(k for k, other in enumerate(storages) if array is other)
            for name, array in tensors.items()}
    body = b"".join(text(name) + tensor(keys[name], array) for name, array in tensors.items())
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", pickle.PROTO + b"\x02}(" + body + b"u.")
        for key, array in enumerate(storages):
            archive.writestr(f"a/data/{key}", array.astype("<f4").tobytes())
        archive.writestr("a/version", "3\n")
