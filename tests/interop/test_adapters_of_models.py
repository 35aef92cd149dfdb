"""Adapters that PEFT makes for models of transformers, merged by r2m and by PEFT itself.

Runs where these libraries are installed: `make check-interop`. R2M is the program.
"""

import os
import pathlib
import subprocess
import tempfile
import unittest
import warnings

try:
    import peft
    import safetensors.torch
    import torch
    import transformers
except ImportError:
    peft = None

R2M = os.environ.get("R2M", "build/r2m")


def vision():
    return transformers.CLIPVisionModel(transformers.CLIPVisionConfig(
        hidden_size=64, intermediate_size=128, num_hidden_layers=3, num_attention_heads=4,
        image_size=32, patch_size=8))


def language():
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=101, n_positions=32, n_embd=48, n_layer=2, n_head=4))


ATTENTION = ["q_proj", "v_proj", "out_proj"]
ADAPTERS = {
    "attention": (vision, dict(r=8, lora_alpha=16, target_modules=ATTENTION)),
    "all_linear": (vision, dict(r=4, lora_alpha=2, target_modules="all-linear", use_rslora=True)),
    "patterns": (vision, dict(r=4, lora_alpha=8, target_modules=[*ATTENTION, "fc1", "fc2"],
                              rank_pattern={r"layers\.[12]\.mlp\.fc1": 7, "layers.0.self_attn.q_proj": 1},
                              alpha_pattern={"fc2": 3, r".*\.q_proj": 5})),
    "patches": (vision, dict(r=3, lora_alpha=5, target_modules=["patch_embedding", "position_embedding"])),
    "biases": (vision, dict(r=4, lora_alpha=8, target_modules=ATTENTION, bias="all")),
    "conv1d": (language, dict(r=4, lora_alpha=8, target_modules=["c_attn", "c_proj", "c_fc"],
                              fan_in_fan_out=True)),
    "words": (language, dict(r=4, lora_alpha=8, target_modules=["wpe", "c_attn"], fan_in_fan_out=True)),
    "saved": (language, dict(r=4, lora_alpha=8, target_modules=["c_attn"], fan_in_fan_out=True,
                             modules_to_save=["ln_f", "wpe"])),
    "orthogonal": (vision, dict(r=4, lora_alpha=8, target_modules=ATTENTION,
                                init_lora_weights="orthogonal")),
}


@unittest.skipIf(peft is None, "torch, safetensors, transformers and peft are not installed")
class Adapters(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        warnings.simplefilter("ignore")

    def run_program(self, *arguments):
        done = subprocess.run([R2M, *map(str, arguments)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def adapter(self, name, make, config, seed):
        """Saves base and adapter; returns what PEFT merges them into."""
        torch.manual_seed(1)
        model = make()
        model.save_pretrained(self.folder / f"{make.__name__}")
        torch.manual_seed(seed)
        wrapped = peft.get_peft_model(model, peft.LoraConfig(**config))
        for parameter in wrapped.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data + 0.05 * torch.randn_like(parameter)
        wrapped.save_pretrained(self.folder / f"{name}{seed}")
        return wrapped.merge_and_unload().state_dict()

    def assert_merged(self, file, wanted):
        found = safetensors.torch.load_file(file)
        missing = set(wanted) - set(found)
        self.assertLessEqual(missing, {"lm_head.weight"})  # tied to the embedding, saved once
        for key, values in found.items():
            wide = wanted[key].double()
            self.assertLess((values.double() - wide).abs().max().item(),
                            1e-6 * max(1, wide.abs().max().item()), key)

    def test_each_is_what_peft_merges(self):
        for name, (make, config) in ADAPTERS.items():
            with self.subTest(name):
                wanted = self.adapter(name, make, config, 2)
                out = self.folder / f"{name}.safetensors"
                self.run_program("merge", "--base", self.folder / make.__name__,
                                 self.folder / f"{name}2", "-o", out)
                base = safetensors.torch.load_file(self.folder / make.__name__ / "model.safetensors")
                self.assert_merged(out, wanted)
                self.assertFalse(all(torch.equal(base[key], wanted[key]) for key in base))

    def test_an_average_of_adapters(self):
        """With alpha 0 and the whole core, the merge is the plain average of what PEFT makes."""
        name, (make, config) = "attention", ADAPTERS["attention"]
        wanted = [self.adapter(name, make, config, seed) for seed in (2, 3, 4)]
        mean = {key: sum(one[key].double() for one in wanted) / 3 for key in wanted[0]
                if wanted[0][key].is_floating_point()}
        out = self.folder / "mean.safetensors"
        self.run_program("merge", "--base", self.folder / make.__name__,
                         *(self.folder / f"{name}{seed}" for seed in (2, 3, 4)),
                         "--set", "alpha=0", "--set", "real.rank=3", "-o", out)
        self.assert_merged(out, {**wanted[0], **mean})
        again = self.folder / "mean.pth"
        self.run_program("merge", "--base", self.folder / make.__name__,
                         *(self.folder / f"{name}{seed}" for seed in (2, 3, 4)),
                         "--set", "alpha=0", "--set", "real.rank=3", "-o", again)
        for key, values in torch.load(again, weights_only=True).items():
            self.assertTrue(torch.equal(values, safetensors.torch.load_file(out)[key]), key)
        make().load_state_dict(torch.load(again, weights_only=True))


if __name__ == "__main__":
    unittest.main()
