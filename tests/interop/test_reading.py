"""Files that torch, safetensors and huggingface_hub write, large and in every variant, read by
r2m: names, dtypes, shapes and the sha256 of every tensor's bytes are those that the libraries give.

Runs where these libraries are installed: `make check-interop`. R2M is the program.
"""

import hashlib
import itertools
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

try:
    import safetensors.torch
    import torch
except ImportError:
    torch = None
try:
    import huggingface_hub
except ImportError:
    huggingface_hub = None

R2M = os.environ.get("R2M", "build/r2m")
NAMES = {"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16",
         "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float8_e4m3fnuz": "F8_E4M3FNUZ",
         "float8_e5m2fnuz": "F8_E5M2FNUZ", "float8_e8m0fnu": "F8_E8M0", "int64": "I64",
         "int32": "I32", "int16": "I16", "int8": "I8", "uint64": "U64", "uint32": "U32",
         "uint16": "U16", "uint8": "U8", "bool": "BOOL", "complex64": "C64"}
SHAPES = [(), (1,), (0, 3), (7,), (5, 3), (2, 3, 4), (4, 3, 2, 2), (1, 1, 1, 1, 2), (129, 65)]


def inspect(path, *more):
    done = subprocess.run([R2M, "inspect", str(path), "--json", "--hash", *more],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def raw(tensor):
    """The bytes of the contiguous little-endian form, as the library itself has them."""
    flat = tensor.detach().resolve_conj().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def described(tensors):
    return {name: (NAMES[str(tensor.dtype).removeprefix("torch.")], list(tensor.shape),
                   hashlib.sha256(raw(tensor)).hexdigest()) for name, tensor in tensors.items()}


def random_tensor(dtype, shape):
    bits = torch.empty(0, dtype=dtype).element_size()
    count = 1
    for size in shape:
        count *= size
    if dtype == torch.bool:
        return torch.randint(0, 2, shape).to(torch.bool)
    # Any bits at all: not a number, infinities and denormals among them.
    return torch.randint(0, 256, (count * bits,), dtype=torch.uint8).view(dtype).reshape(shape)


def everything():
    """Every dtype in every shape, and names that people and files have."""
    torch.manual_seed(213)
    tensors = {f"{name}.{index}": random_tensor(getattr(torch, name), shape)
               for name in NAMES for index, shape in enumerate(SHAPES)}
    for name in ("a b", "na\u00efve \u4e2d\u6587", "quote\"back\\slash", "tab\tnewline\n", "x" * 3000,
                 "emoji \U0001f600", "..", "/etc/passwd"):
        tensors[name] = torch.randn(3, 2)
    return tensors


def views():
    """Tensors that are not whole storages: strided, expanded, shifted, tied."""
    whole = torch.randn(40, 30)
    return {"whole": whole, "transposed": whole.t(), "rows": whole[3:9], "columns": whole[:, ::3],
            "block": whole[5:20:2, 7:19], "diagonal": whole.diagonal(), "expanded": whole[:1].expand(4, 30),
            "permuted": torch.randn(3, 4, 5).permute(2, 0, 1), "scalar": whole[4, 4],
            "empty": whole[:0], "again": whole}


class Module(torch.nn.Module if torch else object):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3)
        self.norm = torch.nn.BatchNorm2d(8)
        self.block = torch.nn.TransformerEncoderLayer(16, 2, 32)
        self.tied = self.block.linear1


@unittest.skipIf(torch is None, "torch and safetensors are not installed")
class Reading(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def assert_read(self, path, tensors, *more):
        found = inspect(path, *more)
        rows = {t["name"]: (t["dtype"], t["shape"], t["sha256"]) for t in found["tensors"]}
        self.assertEqual(rows, described(tensors))
        for tensor in found["tensors"]:
            self.assertEqual(tensor["bytes"], len(raw(tensors[tensor["name"]])))
        return found

    def test_safetensors_of_every_type(self):
        path = self.folder / "all.safetensors"
        safetensors.torch.save_file(everything(), path, metadata={"format": "pt", "note": "\u00e9"})
        self.assertEqual(self.assert_read(path, everything())["format"], "safetensors")

    def test_torch_archive_of_every_type(self):
        path = self.folder / "all.pth"
        torch.save(everything(), path)
        self.assertEqual(self.assert_read(path, everything())["format"], "torch")

    def test_torch_archives_of_every_protocol(self):
        for protocol in (2, 3, 4, 5):
            with self.subTest(protocol):
                path = self.folder / f"p{protocol}.pt"
                torch.save(everything(), path, pickle_protocol=protocol)
                self.assert_read(path, everything())

    def test_the_old_format(self):
        tensors = {name: tensor for name, tensor in everything().items()
                   if not name.startswith(("float8", "uint16", "uint32", "uint64"))}
        for number, kind in enumerate((tensors, views())):
            path = self.folder / f"{number}.pth"
            torch.save(kind, path, _use_new_zipfile_serialization=False)
            self.assertEqual(self.assert_read(path, kind)["format"], "torch-legacy")

    def test_views_and_ties(self):
        tensors = views()
        torch.save(tensors, self.folder / "views.pth")
        self.assert_read(self.folder / "views.pth", tensors)

    def test_modules_and_what_trainers_put_around_them(self):
        module = Module()
        optimizer = torch.optim.AdamW(module.parameters())
        sum(p.sum() for p in module.parameters()).backward()
        optimizer.step()
        state = module.state_dict()
        around = {"bare": (state, ""), "module": (module, ""),
                  "parallel": (torch.nn.DataParallel(module).state_dict(), ""),
                  "trainer": ({"epoch": 3, "state_dict": state, "optimizer": optimizer.state_dict(),
                               "lr": 1e-4, "args": {"name": "x", "sizes": [1, 2]}}, "state_dict"),
                  "nested": ({"model": {"net": state}, "step": torch.tensor(5)}, "model.net")}
        for name, (content, place) in around.items():
            with self.subTest(name):
                path = self.folder / f"{name}.pth"
                torch.save(content, path)
                wanted = {f"module.{key}": value for key, value in state.items()} \
                    if name == "parallel" else dict(state)
                self.assertEqual(self.assert_read(path, wanted)["state_dict"], place)

    def test_a_large_archive(self):
        """Several storages beyond what opening checks, each aligned to 64 bytes."""
        tensors = {f"layers.{i}.weight": torch.randn(1500, 1100) for i in range(6)}
        torch.save(tensors, self.folder / "large.pth")
        self.assert_read(self.folder / "large.pth", tensors)
        safetensors.torch.save_file(tensors, self.folder / "large.safetensors")
        self.assert_read(self.folder / "large.safetensors", tensors)

    def test_many_tensors(self):
        tensors = {f"{a}.{b}.{c}": torch.full((b + 1,), float(c))
                   for a, b, c in itertools.product(range(20), range(20), range(10))}
        torch.save(tensors, self.folder / "many.pth")
        self.assert_read(self.folder / "many.pth", tensors)
        safetensors.torch.save_file(tensors, self.folder / "many.safetensors")
        self.assert_read(self.folder / "many.safetensors", tensors)

    @unittest.skipIf(huggingface_hub is None, "huggingface_hub is not installed")
    def test_shards(self):
        tensors = {f"layers.{i}.weight": torch.randn(30, 20 + i) for i in range(40)}
        for safe, index in ((True, "model.safetensors.index.json"),
                            (False, "pytorch_model.bin.index.json")):
            folder = self.folder / str(safe)
            folder.mkdir()
            huggingface_hub.save_torch_state_dict(tensors, folder, safe_serialization=safe,
                                                  max_shard_size=9000)
            self.assertGreater(len(list(folder.iterdir())), 5)
            for path in (folder, folder / index):
                self.assertEqual(self.assert_read(path, tensors)["format"], "sharded")


if __name__ == "__main__":
    unittest.main()
