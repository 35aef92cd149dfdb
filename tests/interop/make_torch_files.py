"""Writes tests/fixtures/torch213/: small files by a recent torch (2.13), with expected.json.

    python3 tests/interop/make_torch_files.py

Needs torch; the tests themselves do not. Numbers come from a fixed seed, so the tensors (not the
zip archives' bytes) are the same every time.
"""

import hashlib
import json
import pathlib
import sys

import torch

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "torch213"


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
        self.head = torch.nn.Linear(3, 2, bias=False)
        self.register_buffer("hidden", torch.zeros(2), persistent=False)


def no_source(*_):
    """The old format stores the source of every module; the files shall hold neither it nor paths."""
    raise OSError("not stored")


def contiguous_bytes(tensor):
    flat = tensor.detach().contiguous().reshape(-1)
    return bytes(flat.view(torch.uint8).tolist()) if flat.numel() else b""


def describe(tensors):
    return [{"name": name, "dtype": str(tensor.dtype).removeprefix("torch."),
             "shape": list(tensor.shape),
             "sha256": hashlib.sha256(contiguous_bytes(tensor)).hexdigest()}
            for name, tensor in tensors.items()]


def prefixed(prefix, tensors):
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def make():
    """File name -> (object to save, its tensors by full name, arguments of torch.save)."""
    torch.manual_seed(213)
    plain = {"w": torch.randn(5, 7), "b": torch.randn(5), "steps": torch.tensor(12)}
    net = Net()
    base = torch.randn(6, 8)
    strided = {"t": base.t(), "columns": base[:, 1:7:2], "row": base[3],
               "expanded": base[:, :1].expand(6, 5),
               "permuted": torch.arange(24).reshape(2, 3, 4).permute(2, 0, 1)}
    small = {"bf16": torch.randn(4, 6).bfloat16(), "f16": torch.randn(3).half(),
             "f64": torch.randn(2, 2, dtype=torch.float64)}
    bytes8 = {"e4m3": torch.randn(4, 4).to(torch.float8_e4m3fn),
              "e5m2": torch.randn(5).to(torch.float8_e5m2),
              "u16": torch.tensor([1, 65535], dtype=torch.uint16),
              "u32": torch.tensor([7, 2**32 - 1], dtype=torch.uint32),
              "u64": torch.tensor([9], dtype=torch.uint64)}
    shared = torch.randn(5, 3)
    tied = {"embedding.weight": shared, "head.weight": shared, "rows": shared[1:3]}
    optimizer = torch.optim.Adam(net.parameters())
    wrapped = {"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3,
               "lr": 1e-4}
    parallel = torch.nn.DataParallel(net).state_dict()
    lazy = {"c": torch.randn(2, dtype=torch.complex64).conj(), "w": torch.randn(2)}
    old = {"_use_new_zipfile_serialization": False}
    return {
        "plain.pth": (plain, plain, {}),
        "module_state.pth": (net.state_dict(), net.state_dict(), {}),
        "wrapped.pth": (wrapped, prefixed("model", net.state_dict()), {}),
        "parallel.pth": (parallel, parallel, {}),
        "whole_module.pth": (net, net.state_dict(), {}),
        "parameters.pth": (dict(net.named_parameters()), dict(net.named_parameters()), {}),
        "strided.pth": (strided, strided, {}),
        "small_floats.pth": (small, small, {}),
        "eight_bits.pth": (bytes8, bytes8, {}),
        "tied.pth": (tied, tied, {}),
        "lazy_conjugate.pth": (lazy, {"w": lazy["w"]}, {}),
        "legacy.pth": (plain, plain, old),
        "legacy_module.pth": (net, net.state_dict(), old),
        "legacy_strided.pth": (strided, strided, old),
        "legacy_tied.pth": (tied, tied, old),
        "protocol4.pth": (plain, plain, {"pickle_protocol": 4}),
    }


def main():
    torch.serialization.get_source_lines_and_file = no_source
    FOLDER.mkdir(parents=True, exist_ok=True)
    expected = {"torch": torch.__version__, "files": {}}
    for name, (saved, tensors, arguments) in make().items():
        torch.save(saved, FOLDER / name, **arguments)
        expected["files"][name] = describe(tensors)
    text = json.dumps(expected, indent=1, sort_keys=True)
    (FOLDER / "expected.json").write_text(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
