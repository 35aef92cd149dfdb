"""Detectors as people save them against the base they were made of, with no option given.

Where torch is not installed, only the CLIP detectors are tried, as safetensors.
Files are written by torch, with the real names of every model (small widths): DF40's CLIP,
Xception, EfficientNet and ViT detectors, alone, parallel, wrapped; the merge is loaded back with
weights_only and load_state_dict(strict). R2M is the program.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import clip_names  # noqa: E402
import safetensors_file  # noqa: E402

try:
    import safetensors.torch
    import torch
except ImportError:
    torch = None

try:
    import transformers
except ImportError:
    transformers = None

R2M = os.path.abspath(os.environ.get("R2M", "build/r2m"))


def clip_base(ids):
    base = {name: torch.from_numpy(values) for name, values in clip_names.clip(1).items()}
    if ids:
        base["vision_model.embeddings.position_ids"] = torch.arange(5).reshape(1, -1)
        base["text_model.embeddings.position_ids"] = torch.arange(7).reshape(1, -1)
    return base


def tuned(tensor, seed):
    torch.manual_seed(seed)
    if not tensor.is_floating_point():
        return tensor + seed if tensor.dim() == 0 else tensor
    return tensor + torch.randn(tensor.shape) / 64


def detector(base, tower, prefix, head, seed, classes=2, width=clip_names.WIDTH, ids=None):
    """The base's tensors below tower under another prefix, changed, and a head."""
    state = {}
    for number, (name, tensor) in enumerate(base.items()):
        if name.startswith(tower) and not (ids is False and name.endswith("position_ids")):
            state[prefix + name[len(tower):]] = tuned(tensor, 1000 * seed + number)
    if ids and not any(name.endswith("position_ids") for name in state):
        state[f"{prefix}embeddings.position_ids"] = torch.arange(5).reshape(1, -1)
    torch.manual_seed(seed)
    state[f"{head}weight"] = torch.randn(classes, width)
    state[f"{head}bias"] = torch.randn(classes)
    return state


def linear(name, rows, columns):
    return {f"{name}.weight": torch.randn(rows, columns), f"{name}.bias": torch.randn(rows)}


def batch_norm(name, width):
    return {f"{name}.weight": torch.rand(width) + 1, f"{name}.bias": torch.randn(width),
            f"{name}.running_mean": torch.randn(width), f"{name}.running_var": torch.rand(width) + 1,
            f"{name}.num_batches_tracked": torch.tensor(7)}


def xception():
    """The names of pretrained Xception: entry, twelve blocks, exit, fc for 1000 classes."""
    torch.manual_seed(5)
    state = {"conv1.weight": torch.randn(4, 3, 3, 3), **batch_norm("bn1", 4),
             "conv2.weight": torch.randn(6, 4, 3, 3), **batch_norm("bn2", 6)}
    for block in range(1, 13):
        for rep in (0, 3) if block < 4 else (1, 4, 7):
            state[f"block{block}.rep.{rep}.conv1.weight"] = torch.randn(6, 1, 3, 3)
            state[f"block{block}.rep.{rep}.pointwise.weight"] = torch.randn(6, 6, 1, 1)
            state |= batch_norm(f"block{block}.rep.{rep + 1}", 6)
    for number in (3, 4):
        state[f"conv{number}.conv1.weight"] = torch.randn(6, 1, 3, 3)
        state[f"conv{number}.pointwise.weight"] = torch.randn(6, 6, 1, 1)
        state |= batch_norm(f"bn{number}", 6)
    return state | linear("fc", 20, 6)


def efficientnet():
    torch.manual_seed(6)
    state = {"_conv_stem.weight": torch.randn(4, 3, 3, 3), **batch_norm("_bn0", 4)}
    for block in range(4):
        at = f"_blocks.{block}."
        state[f"{at}_expand_conv.weight"] = torch.randn(8, 4, 1, 1)
        state |= batch_norm(f"{at}_bn0", 8)
        state[f"{at}_depthwise_conv.weight"] = torch.randn(8, 1, 3, 3)
        state |= batch_norm(f"{at}_bn1", 8)
        for part, rows, columns in (("_se_reduce", 2, 8), ("_se_expand", 8, 2)):
            state |= {f"{at}{part}.weight": torch.randn(rows, columns, 1, 1),
                      f"{at}{part}.bias": torch.randn(rows)}
        state[f"{at}_project_conv.weight"] = torch.randn(4, 8, 1, 1)
        state |= batch_norm(f"{at}_bn2", 4)
    state["_conv_head.weight"] = torch.randn(10, 4, 1, 1)
    return state | batch_norm("_bn1", 10) | linear("_fc", 20, 10)


def vit():
    torch.manual_seed(7)
    state = {"cls_token": torch.randn(1, 1, 12), "pos_embed": torch.randn(1, 5, 12),
             "patch_embed.proj.weight": torch.randn(12, 3, 2, 2),
             "patch_embed.proj.bias": torch.randn(12)}
    for block in range(3):
        at = f"blocks.{block}."
        state |= linear(f"{at}norm1", 12, 1) | linear(f"{at}attn.qkv", 36, 12)
        state |= linear(f"{at}attn.proj", 12, 12) | linear(f"{at}norm2", 12, 1)
        state |= linear(f"{at}mlp.fc1", 24, 12) | linear(f"{at}mlp.fc2", 12, 24)
    return state | linear("norm", 12, 1) | linear("head", 20, 12)


def without(state, *starts):
    return {name: tensor for name, tensor in state.items() if not name.startswith(starts)}


WRAPPERS = {
    "flat": lambda state: state,
    "state_dict": lambda state: {"epoch": 3, "state_dict": state},
    "model": lambda state: {"model": state, "optimizer": {"state": {0: {"exp_avg": torch.ones(3)}}}},
    "model_state_dict": lambda state: {"model_state_dict": state, "loss": 0.5},
    "net": lambda state: {"net": state, "acc": 99.0},
    "ema": lambda state: {"ema": state, "updates": 7},
    "svdd": lambda state: {"R": torch.tensor(0.5), "c": torch.zeros(12), "state_dict": state},
    "lightning": lambda state: {"state_dict": {f"model.{name}": t for name, t in state.items()},
                                "epoch": 1, "global_step": 2, "pytorch-lightning_version": "2.0",
                                "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(3)}}}],
                                "callbacks": {}, "loops": {}, "hyper_parameters": {"lr": 1e-4}},
    "twice": lambda state: {"checkpoint": {"epoch": 1, "state_dict": state}},
    "thrice": lambda state: {"a": {"model": {"state_dict": state}}},
}


class ClipDetectors(unittest.TestCase):
    def test_a_torch_file_has_the_names_of_the_specialists(self):
        base = clip_names.clip(1)
        with tempfile.TemporaryDirectory() as folder:
            safetensors_file.write(f"{folder}/base.safetensors", base)
            for prefix in ("backbone.", "module.backbone.", "vision_model.", ""):
                states = [clip_names.detector(clip_names.tuned(base, seed), prefix, ids=seed == 3)
                          for seed in (2, 3)]
                for number, state in enumerate(states):
                    safetensors_file.write(f"{folder}/s{number}.safetensors", state)
                files = [f"{folder}/{name}.safetensors" for name in ("base", "s0", "s1")]
                for command in (["merge", "--base", *files, "-o", f"{folder}/m.pth", "--force"],
                                ["inspect", f"{folder}/m.pth", "--json"]):
                    done = subprocess.run([R2M, *command], capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, done.stderr)
                shown = [(tensor["name"], tuple(tensor["shape"]))
                         for tensor in json.loads(done.stdout)["tensors"]]
                wanted = max(states, key=len)
                self.assertEqual(shown, [(name, v.shape) for name, v in wanted.items()])


@unittest.skipIf(torch is None, "torch and safetensors are not installed")
class TorchDetectors(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def run_program(self, *arguments):
        return subprocess.run([R2M, *map(str, arguments)], cwd=self.folder, capture_output=True,
                              text=True)

    def good(self, *arguments):
        done = self.run_program(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def merge(self, base, specialists, out="m.pth"):
        """The merge of objects saved by torch, loaded back."""
        if isinstance(base, dict):
            safetensors.torch.save_file({n: t.contiguous() for n, t in base.items()},
                                        self.folder / "base.safetensors")
        names = []
        for number, state in enumerate(specialists):
            names.append(f"s{number}.pth")
            torch.save(state, self.folder / names[-1])
        self.good("merge", "--base", "base.safetensors", *names, "-o", out, "--force", "--quiet")
        return torch.load(self.folder / out, weights_only=True)

    def assert_like(self, merged, model):
        """strict: the same names, shapes and order, nothing wrapped; weights that moved."""
        self.assertEqual(list(merged), list(model))
        for name, tensor in model.items():
            self.assertEqual((name, merged[name].shape), (name, tensor.shape))
            self.assertTrue(torch.isfinite(merged[name].double()).all())

    def test_clip_under_every_prefix(self):
        prefixes = ["backbone.", "module.backbone.", "base_model.", "module.base_model.",
                    "vision_model.", "module.vision_model.", "model.", "visual.", "encoder.",
                    "_orig_mod.module.backbone.", "net.clip.vision_model.", ""]
        truth = None
        for ids in (False, True):
            base = clip_base(ids)
            for prefix in prefixes:
                head = prefix.split("backbone.")[0] if "backbone" in prefix else ""
                states = [detector(base, "vision_model.", prefix, f"{head}head.", seed, ids=own)
                          for seed, own in ((2, ids), (3, not ids), (4, False))]
                with self.subTest(prefix=prefix, ids=ids):
                    merged = self.merge(base, states)
                    self.assert_like(merged, max(states, key=len))
                    vision = [merged[prefix + name] for name in clip_names.vision_shapes()]
                    truth = truth or vision
                    for found, wanted in zip(vision, truth):
                        self.assertTrue(torch.equal(found, wanted))

    def test_every_specialist_has_a_prefix_of_its_own(self):
        base = clip_base(True)
        forms = [("backbone.", "head."), ("module.backbone.", "module.head."),
                 ("base_model.", "classifier.")]
        states = [detector(base, "vision_model.", *form, seed, ids=False)
                  for seed, form in enumerate(forms, start=2)]
        merged = self.merge(base, states)
        self.assert_like(merged, states[0])
        mean = sum(state[form[1] + "weight"].double() for state, form in zip(states, forms)) / 3
        self.assertTrue(torch.allclose(merged["head.weight"].double(), mean, atol=1e-6))

    def test_every_wrapper(self):
        base = clip_base(False)
        states = [detector(base, "vision_model.", "backbone.", "head.", seed) for seed in (2, 3)]
        truth = self.merge(base, states)
        for name, wrap in WRAPPERS.items():
            with self.subTest(wrapper=name):
                merged = self.merge(base, [wrap(state) for state in states])
                prefix = "model." if name == "lightning" else ""
                self.assertEqual(list(merged), [prefix + key for key in truth])
                for key, tensor in truth.items():
                    self.assertTrue(torch.equal(merged[prefix + key], tensor))
                shown = json.loads(self.good("inspect", "s0.pth", "--json").stdout)
                self.assertEqual(len(shown["tensors"]), len(states[0]))
                self.assertEqual(shown["state_dict"] == "", name == "flat")

    def test_wrappers_that_hold_no_choice_or_nothing(self):
        state = detector(clip_base(False), "vision_model.", "backbone.", "head.", 2)
        smooth = {name: tensor / 2 for name, tensor in state.items()}
        torch.save({"model": state, "ema": smooth}, self.folder / "two.pth")
        done = self.run_program("inspect", "two.pth")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--state-dict", done.stderr)
        chosen = json.loads(self.good("inspect", "two.pth", "--state-dict", "ema", "--json").stdout)
        self.assertEqual((chosen["state_dict"], len(chosen["tensors"])), ("ema", len(state)))
        for nothing in ({}, {"state_dict": {}}, {"state_dict": {"epoch": 3}}, {"optimizer": {}}):
            torch.save(nothing, self.folder / "none.pth")
            done = self.run_program("inspect", "none.pth")
            self.assertEqual((done.returncode, done.stdout), (1, ""), nothing)
            self.assertIn("no tensors", done.stderr)

    def test_xception(self):
        base = xception()
        for prefix in ("backbone.", "module.backbone."):
            states = [detector(without(base, "fc."), "", prefix, f"{prefix}last_linear.1.", seed,
                               width=6) for seed in (2, 3)]
            self.assert_like(self.merge(base, states), states[0])

    def test_efficientnet(self):
        base = efficientnet()
        states = [detector(without(base, "_fc."), "", "module.backbone.efficientnet.",
                           "module.backbone.last_layer.", seed, width=10) for seed in (2, 3)]
        self.assert_like(self.merge(base, states), states[0])

    def test_vit(self):
        base = vit()
        for prefix, head in (("module.backbone.vit_model.", "module.head."), ("", "head."),
                             ("backbone.", "backbone.head.")):
            states = [detector(without(base, "head."), "", prefix, head, seed) for seed in (2, 3)]
            with self.subTest(prefix=prefix):
                self.assert_like(self.merge(base, states), states[0])

    def test_names_that_cannot_line_up_are_an_error(self):
        safetensors.torch.save_file(vit(), self.folder / "base.safetensors")
        torch.save(efficientnet(), self.folder / "s.pth")
        done = self.run_program("merge", "--base", "base.safetensors", "s.pth", "-o", "m.pth")
        self.assertEqual((done.returncode, (self.folder / "m.pth").exists()), (1, False))
        self.assertIn("its names do not line up with the base's", done.stderr)


@unittest.skipIf(torch is None or transformers is None, "transformers is not installed")
class HuggingFaceModels(unittest.TestCase):
    """The model folder as transformers saves it, detectors as torch modules around its tower."""

    def setUp(self):
        transformers.logging.set_verbosity_error()
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        sizes = {"num_hidden_layers": 2, "num_attention_heads": 2}
        config = transformers.CLIPConfig(
            text_config={"hidden_size": 8, "intermediate_size": 32, "vocab_size": 30, **sizes,
                         "max_position_embeddings": 7, "bos_token_id": 1, "eos_token_id": 2},
            vision_config={"hidden_size": 12, "intermediate_size": 48, "image_size": 4,
                           "patch_size": 2, **sizes}, projection_dim=10)
        torch.manual_seed(1)
        self.clip = transformers.CLIPModel(config)
        self.clip.save_pretrained(self.folder / "clip")

    def detector(self, seed):
        """As DF40 builds it: the vision tower as backbone, and a head."""
        torch.manual_seed(seed)
        model = torch.nn.Module()
        model.backbone = transformers.CLIPModel.from_pretrained(self.folder / "clip").vision_model
        model.head = torch.nn.Linear(12, 2)
        with torch.no_grad():
            for weights in model.parameters():
                weights += torch.randn(weights.shape) / 64
        return model

    def merge(self, *arguments):
        done = subprocess.run([R2M, "merge", "--base", "clip", *arguments, "--quiet"],
                              cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_merge_loads_into_the_detector(self):
        detectors = [self.detector(seed) for seed in (2, 3)]
        torch.save(detectors[0].state_dict(), self.folder / "fs.pth")
        torch.save(torch.nn.DataParallel(detectors[1]).state_dict(), self.folder / "fr.pth")
        self.merge("fs.pth", "fr.pth", "-o", "merged.pth")
        loaded = torch.load(self.folder / "merged.pth", weights_only=True)
        detectors[1].load_state_dict(loaded, strict=True)
        self.assertEqual(loaded._metadata[""], {"version": 1})
        images = torch.randn(1, 3, 4, 4)
        self.assertEqual(detectors[1].backbone(images).pooler_output.shape, (1, 12))

    def test_a_merged_folder_is_a_model(self):
        torch.save(self.detector(2).state_dict(), self.folder / "fs.pth")
        torch.save(self.detector(3).state_dict(), self.folder / "fr.pth")
        self.merge("fs.pth", "fr.pth", "-o", "merged/", "--set", "output.shard_bytes=5000")
        model, report = transformers.CLIPModel.from_pretrained(self.folder / "merged",
                                                               output_loading_info=True)
        self.assertEqual(list(report["missing_keys"]), [])
        kept, moved = "text_model.final_layer_norm.weight", "vision_model.post_layernorm.weight"
        before, after = self.clip.state_dict(), model.state_dict()
        self.assertTrue(torch.equal(before[kept], after[kept]))
        self.assertFalse(torch.equal(before[moved], after[moved]))


if __name__ == "__main__":
    unittest.main()
