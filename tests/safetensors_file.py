"""Safetensors files in numpy: read and written whole, in a few lines that share nothing with the C
sources; and files that break the rules on purpose."""

import hashlib
import json
import struct

import numpy as np

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1",
          "BOOL": "?"}


def parts(path):
    """The header as a dict, and the bytes behind it."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        return header, file.read()


def read(path):
    """A dict of arrays."""
    header, data = parts(path)
    header.pop("__metadata__", None)
    return {name: np.frombuffer(data[slice(*entry["data_offsets"])], DTYPES[entry["dtype"]])
            .reshape(entry["shape"]) for name, entry in header.items()}


def metadata(path):
    return parts(path)[0].get("__metadata__", {})


def dtype_name(array):
    return next(name for name, code in DTYPES.items() if np.dtype(code) == array.dtype)


def layout(tensors):
    """The header of a dict of arrays, without metadata."""
    header, offset = {}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": dtype_name(array), "shape": list(array.shape),
                        "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    return header


def content(tensors):
    return b"".join(np.ascontiguousarray(array).tobytes() for array in tensors.values())


def write(path, tensors, **entries):
    """entries: strings of the metadata."""
    header = {"__metadata__": entries} if entries else {}
    write_raw(path, {**header, **layout(tensors)}, content(tensors))


def write_raw(path, header, data, length=None):
    """A file as given, right or wrong. header: a dict, or text where a dict cannot say it (a name
    twice); length: what the first eight bytes say, where that is not the truth."""
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text) if length is None else length) + text + data)


def sha256_of(data):
    return hashlib.sha256(data).hexdigest()
