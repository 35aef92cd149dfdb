"""Checkpoints of 5 GB made of holes: real headers, and weights that the disk never stores."""

import json
import math
import struct

TENSORS, ROWS, COLUMNS = 600, 2048, 1024
BYTES = 4 * ROWS * COLUMNS
NAMES = [f"model.layers.{number}.weight" for number in range(TENSORS)]


def safetensors(path):
    write_header(path, "F32", 4, [(name, [ROWS, COLUMNS]) for name in NAMES])


def language_model(path):
    """The shapes of a language model of 7 billion weights, in bf16: 13 GB."""
    wide, hidden, blocks, words = 4096, 11008, 32, 32000
    block = [(f"self_attn.{one}_proj", [wide, wide]) for one in "qkvo"]
    block += [("mlp.gate_proj", [hidden, wide]), ("mlp.up_proj", [hidden, wide]),
              ("mlp.down_proj", [wide, hidden]), ("input_layernorm", [wide]),
              ("post_attention_layernorm", [wide])]
    tensors = [(f"model.layers.{i}.{name}.weight", shape) for i in range(blocks)
               for name, shape in block]
    write_header(path, "BF16", 2, [("model.embed_tokens.weight", [words, wide]), *tensors,
                                   ("model.norm.weight", [wide]), ("lm_head.weight", [words, wide])])


def write_header(path, dtype, width, tensors):
    header, end = {}, 0
    for name, shape in tensors:
        start, end = end, end + width * math.prod(shape)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)


def string(text):
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def number(value):
    return b"J" + struct.pack("<i", value)


def pickle():
    """The state dict as torch writes it, without memo."""
    dict_end = b"\x89ccollections\nOrderedDict\n)RtR"
    shape, strides = number(ROWS) + number(COLUMNS), number(COLUMNS) + number(1)
    items = (string(name) + b"ctorch._utils\n_rebuild_tensor_v2\n((" + string("storage") +
             b"ctorch\nFloatStorage\n" + string(str(i)) + string("cpu") + number(ROWS * COLUMNS) +
             b"tQ" + number(0) + b"(" + shape + b"t(" + strides + b"t" + dict_end
             for i, name in enumerate(NAMES))
    return b"\x80\x02}(" + b"".join(items) + b"u."


def torch(path):
    """A zip archive with stored entries and zip64 offsets; checksums are 0: not computed."""
    small = [("a/data.pkl", pickle()), ("a/version", b"3\n")]
    records = [(name, len(data), data) for name, data in small]
    records += [(f"a/data/{i}", BYTES, None) for i in range(TENSORS)]
    directory = b""
    with open(path, "wb") as file:
        for name, size, data in records:
            at, raw = file.tell(), name.encode()
            file.write(struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, 0, 0, 0, 33, 0, size, size,
                                   len(raw), 0) + raw)
            file.write(data) if data is not None else file.seek(size, 1)
            zip64 = struct.pack("<HHQ", 1, 8, at) if at >= 0xFFFFFFFF else b""
            directory += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 20, 20, 0, 0, 0, 33, 0, size,
                                     size, len(raw), len(zip64), 0, 0, 0, 0,
                                     0xFFFFFFFF if zip64 else at) + raw + zip64
        start = file.tell()
        end = start + len(directory)
        count = len(records)
        file.write(directory + struct.pack("<IQHHIIQQQQ", 0x06064b50, 44, 45, 45, 0, 0, count,
                                           count, len(directory), start))
        file.write(struct.pack("<IIQI", 0x07064b50, 0, end, 1))
        file.write(struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, count, count, len(directory),
                               0xFFFFFFFF, 0))
