"""Writes tests/fixtures/adapter: a small base model, adapters of it saved by PEFT, and what PEFT itself
merges each of them into. Needs torch 2.13, peft and safetensors.

    python3 tests/interop/make_adapter_files.py [FOLDER]

FOLDER/base.safetensors           the base
FOLDER/NAME/adapter_config.json   an adapter, as save_pretrained writes it
FOLDER/NAME.merged.safetensors    what merge_and_unload changes in the base
"""
import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file

torch.manual_seed(213)


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.query = torch.nn.Linear(12, 12)
        self.value = torch.nn.Linear(12, 12)
        self.attention = torch.nn.MultiheadAttention(12, 2)
        self.up = torch.nn.Linear(12, 20)
        self.down = torch.nn.Linear(20, 12)
        self.norm = torch.nn.LayerNorm(12)

    def forward(self, x):
        x = x + self.value(self.query(x)) + self.attention(x, x, x)[0]
        return self.norm(x + self.down(self.up(x)))


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = torch.nn.Conv2d(3, 8, 3)
        self.point = torch.nn.Conv2d(8, 12, 1)
        self.words = torch.nn.Embedding(17, 12)
        self.blocks = torch.nn.ModuleList(Block() for _ in range(2))
        self.register_buffer("position_ids", torch.arange(5).reshape(1, 5))
        self.head = torch.nn.Linear(12, 2)


def adapters():
    """Every kind of scale, module and tensor that a LoRA adapter has."""
    linear = ["query", "value", "up", "down"]
    yield "plain", dict(r=4, lora_alpha=8, target_modules=linear), {}
    yield "stabilised", dict(r=4, lora_alpha=6, use_rslora=True, target_modules=linear), {}
    yield "patterns", dict(r=3, lora_alpha=5, target_modules=linear,
                           rank_pattern={"blocks.0.up": 2, r"blocks\.1\..*n": 5},
                           alpha_pattern={"up": 7, "blocks.0.query": 1}), {}
    yield "convolutions", dict(r=2, lora_alpha=3, target_modules=["patch", "point", "words"]), {}
    yield "attention", dict(r=2, lora_alpha=4, target_modules=["attention", "value"]), {}
    yield "head", dict(r=4, lora_alpha=8, target_modules=linear, modules_to_save=["head"]), {}
    yield "head_factors", dict(r=1, lora_alpha=2, target_modules=["query", "head"]), {}
    yield "biases", dict(r=2, lora_alpha=4, target_modules=["query", "up"], bias="lora_only"), {}
    yield "all_biases", dict(r=2, lora_alpha=4, target_modules=["query", "up"], bias="all"), {}
    yield "bias_factor", dict(r=2, lora_alpha=4, target_modules=["query"], lora_bias=True), {}
    yield "bin", dict(r=4, lora_alpha=8, target_modules=linear), dict(safe_serialization=False)
    yield "half", dict(r=4, lora_alpha=8, target_modules=linear), dict(dtype=torch.bfloat16)
    yield "dora", dict(r=4, lora_alpha=8, target_modules=linear, use_dora=True), {}
    yield "pissa", dict(r=4, lora_alpha=8, target_modules=linear, init_lora_weights="pissa"), {}


def train(model):
    """Stands in for training: every adapter parameter gets values."""
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data + 0.1 * torch.randn_like(parameter)


def save(path, tensors):
    save_file({key: value.contiguous() for key, value in tensors.items()}, path)
    path.chmod(0o644)


def save_adapter(folder, base, name, config, options):
    model = Model()
    model.load_state_dict(base)
    wrapped = get_peft_model(model, LoraConfig(**config))
    train(wrapped)
    dtype = options.pop("dtype", None)
    if dtype is not None:
        for key, parameter in wrapped.named_parameters():
            if "lora_" in key:
                parameter.data = parameter.data.to(dtype)
    wrapped.save_pretrained(folder / name, **options)
    (folder / name / "README.md").unlink(missing_ok=True)
    for path in (folder / name).iterdir():
        path.chmod(0o644)
    if name in ("dora", "pissa"):
        return
    merged = wrapped.float().merge_and_unload().state_dict()
    save(folder / f"{name}.merged.safetensors",
         {key: value for key, value in merged.items() if not torch.equal(value, base[key])})


def main():
    default = Path(__file__).resolve().parent.parent / "fixtures" / "adapter"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    base = {key: value.clone() for key, value in Model().state_dict().items()}
    save(folder / "base.safetensors", base)
    for name, config, options in adapters():
        save_adapter(folder, base, name, config, dict(options))
    print(json.dumps(sorted(path.name for path in folder.iterdir())))


if __name__ == "__main__":
    main()
