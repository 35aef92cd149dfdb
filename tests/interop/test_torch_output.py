"""What r2m writes, read by torch and safetensors themselves: tensor by tensor, bit by bit.

Where torch or safetensors is not installed, only Python's own zipfile and pickletools read it. R2M
is the program.
"""

import json
import os
import pathlib
import pickletools
import subprocess
import tempfile
import unittest
import zipfile

try:
    import safetensors
    import safetensors.torch
    import torch
except ImportError:
    torch = None

R2M = os.environ.get("R2M", "build/r2m")
DEMO = "samples/demo.json"
BUFFERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"]
FLOATS = ["float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"]


# What torch.load(weights_only=True) of every version since 1.13 takes, as far as it is needed.
OPCODES = {"PROTO", "EMPTY_DICT", "MARK", "BINUNICODE", "GLOBAL", "BINPERSID", "BININT1", "BININT2",
           "BININT", "LONG1", "TUPLE", "EMPTY_TUPLE", "NEWFALSE", "REDUCE", "SETITEMS", "STOP"}


def merge(base, *arguments):
    done = subprocess.run([R2M, "merge", *([base] if base == DEMO else ["--base", base]),
                           *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout


def make_base():
    """Every dtype that can be merged or carried along, with odd names and shapes."""
    torch.manual_seed(1)
    tensors = {}
    for name in FLOATS:
        dtype = getattr(torch, name)
        tensors[f"block.{name}.weight"] = (torch.randn(6, 5) / 4).to(dtype)
        tensors[f"block.{name}.bias"] = torch.randn(7).to(dtype)
    for name in BUFFERS:
        tensors[f"buffers.{name}"] = torch.randint(0, 2, (3, 4)).to(getattr(torch, name))
    tensors["steps"] = torch.tensor(12345678901)
    tensors["scale"] = torch.tensor(0.5)
    tensors["empty"] = torch.zeros(0, 4)
    tensors["conv.weight"] = torch.randn(4, 3, 2, 2)
    tensors["wide"] = torch.randn(3, 70000)
    tensors["na\u00efve \u4e2d\"\\.weight"] = torch.randn(2, 3)
    return tensors


def changed(tensors, seed):
    torch.manual_seed(seed)
    return {name: (tensor.double() + torch.randn(tensor.shape).double() / 32).to(tensor.dtype)
            if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}


def bits(tensor):
    return tensor.contiguous().reshape(-1).view(torch.uint8)


class PythonReadsIt(unittest.TestCase):
    def test_pth_is_a_sound_zip(self):
        with tempfile.TemporaryDirectory() as folder:
            merge(DEMO, "-o", f"{folder}/m.pth")
            with zipfile.ZipFile(f"{folder}/m.pth") as archive:
                self.assertIsNone(archive.testzip())
                self.assertEqual({i.compress_type for i in archive.infolist()}, {0})
                self.assertIn(b'"specialists"', archive.read("archive/extra/r2m.config"))
                used = {op.name for op, _, _ in pickletools.genops(archive.read("archive/data.pkl"))}
                self.assertEqual(used - OPCODES, set())


@unittest.skipIf(torch is None, "torch and safetensors are not installed")
class TorchReadsIt(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.base = make_base()
        (cls.folder / "base").mkdir()
        (cls.folder / "base" / "config.json").write_text('{"model_type": "x"}\n')
        safetensors.torch.save_file(cls.base, cls.folder / "base" / "model.safetensors",
                                    metadata={"format": "pt"})
        for seed in (2, 3):
            torch.save(changed(cls.base, seed), cls.folder / f"s{seed}.pth")
        cls.inputs = [cls.folder / "base", cls.folder / "s2.pth", cls.folder / "s3.pth"]
        merge(*cls.inputs, "-o", cls.folder / "m.safetensors")
        cls.truth = safetensors.torch.load_file(cls.folder / "m.safetensors")

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def assert_same(self, tensors):
        self.assertEqual(set(tensors), set(self.truth))
        for name, wanted in self.truth.items():
            found = tensors[name]
            self.assertEqual((name, found.dtype, found.shape), (name, wanted.dtype, wanted.shape))
            self.assertTrue(found.is_contiguous())
            if wanted.numel() > 0:
                self.assertTrue(torch.equal(bits(found), bits(wanted)), name)

    def test_the_merge_is_one(self):
        self.assertEqual(set(self.truth), set(self.base))
        for name, tensor in self.base.items():
            self.assertEqual(self.truth[name].dtype, tensor.dtype)
            if not tensor.is_floating_point():
                self.assertTrue(torch.equal(bits(self.truth[name]), bits(tensor)), name)
        self.assertFalse(torch.equal(self.truth["conv.weight"], self.base["conv.weight"]))

    def test_pth_loads_with_weights_only(self):
        for ending in ("pth", "pt", "bin"):
            path = self.folder / f"m.{ending}"
            merge(*self.inputs, "-o", path)
            for mapped in (False, True):
                loaded = torch.load(path, weights_only=True, mmap=mapped)
                self.assertIs(type(loaded), dict)
                self.assert_same(loaded)

    def test_pth_loads_into_a_module(self):
        module = torch.nn.Sequential(torch.nn.Linear(5, 6), torch.nn.BatchNorm1d(6))
        torch.save(module.state_dict(), self.folder / "module.pth")
        with torch.no_grad():
            module[0].weight += 1
        torch.save(module.state_dict(), self.folder / "other.pth")
        merge(self.folder / "module.pth", self.folder / "other.pth", "-o", self.folder / "mm.pth")
        loaded = torch.load(self.folder / "mm.pth", weights_only=True)
        self.assertEqual(list(loaded), list(module.state_dict()))
        self.assertEqual(loaded._metadata, module.state_dict()._metadata)
        self.assertEqual(loaded._metadata["1"], {"version": 2})
        module.load_state_dict(loaded)

    def test_tied_tensors_come_out_equal_and_said(self):
        class Tied(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.embed = torch.nn.Embedding(11, 6)
                self.body = torch.nn.Linear(6, 6)
                self.out = torch.nn.Linear(6, 11, bias=False)
                self.out.weight = self.embed.weight

        for number in range(3):
            torch.manual_seed(number)
            torch.save(Tied().state_dict(), self.folder / f"tied{number}.pth")
        files = [self.folder / f"tied{number}.pth" for number in range(3)]
        said = merge(*files, "-o", self.folder / "tied.pth")
        self.assertIn("out.weight is tied to embed.weight", said)
        said = json.loads(merge(*files, "-o", self.folder / "tied.pth", "--force", "--json"))
        self.assertEqual(len([note for note in said["notes"] if "is tied to" in note]), 1)
        loaded = torch.load(self.folder / "tied.pth", weights_only=True)
        self.assertTrue(torch.equal(loaded["embed.weight"], loaded["out.weight"]))
        Tied().load_state_dict(loaded)
        merge(*files, "-o", self.folder / "tied.safetensors")
        loaded = safetensors.torch.load_file(self.folder / "tied.safetensors")
        self.assertTrue(torch.equal(loaded["embed.weight"], loaded["out.weight"]))

    def test_shards_read_back(self):
        out = self.folder / "shards"
        merge(*self.inputs, "--set", "output.shard_bytes=1000", "-o", f"{out}/")
        index = json.loads((out / "model.safetensors.index.json").read_text())
        self.assertEqual(json.dumps(index, indent=2, sort_keys=True, ensure_ascii=False) + "\n",
                         (out / "model.safetensors.index.json").read_text())
        self.assertEqual(index["metadata"]["total_size"],
                         sum(t.numel() * t.element_size() for t in self.truth.values()))
        tensors = {}
        for name in sorted(set(index["weight_map"].values())):
            with safetensors.safe_open(out / name, "pt") as shard:
                self.assertEqual(shard.metadata()["format"], "pt")
                for key in shard.keys():
                    self.assertEqual(index["weight_map"][key], name)
                    tensors[key] = shard.get_tensor(key)
        self.assert_same(tensors)
        self.assertEqual((out / "config.json").read_text(), '{"model_type": "x"}\n')
        merge(out, *self.inputs[1:], "-o", self.folder / "again.pth")

    def test_folder_without_limit(self):
        merge(*self.inputs, "-o", f"{self.folder}/single/")
        self.assertEqual(sorted(p.name for p in (self.folder / "single").iterdir()),
                         ["config.json", "model.safetensors"])
        self.assert_same(safetensors.torch.load_file(self.folder / "single" / "model.safetensors"))


if __name__ == "__main__":
    unittest.main()
