"""A small CLIP in the names of Hugging Face, of OpenAI and open_clip, and of DF40's detectors.

Every name is that of openai/clip-vit-large-patch14, only widths and depth are small. The two kinds
are written down here on their own, not taken from the program."""

import numpy as np

WIDTH, TEXT_WIDTH, JOINT, BLOCKS = 12, 8, 10, 2


def linear(name, rows, columns):
    return {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}


def norm(name, width):
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def block_shapes(layer, width):
    shapes = {}
    for part in ("k_proj", "v_proj", "q_proj", "out_proj"):
        shapes |= linear(f"{layer}.self_attn.{part}", width, width)
    shapes |= norm(f"{layer}.layer_norm1", width)
    shapes |= linear(f"{layer}.mlp.fc1", 4 * width, width)
    shapes |= linear(f"{layer}.mlp.fc2", width, 4 * width)
    return shapes | norm(f"{layer}.layer_norm2", width)


def vision_shapes():
    shapes = {"embeddings.class_embedding": (WIDTH,),
              "embeddings.patch_embedding.weight": (WIDTH, 3, 2, 2),
              "embeddings.position_embedding.weight": (5, WIDTH)}
    shapes |= norm("pre_layrnorm", WIDTH)
    for number in range(BLOCKS):
        shapes |= block_shapes(f"encoder.layers.{number}", WIDTH)
    return shapes | norm("post_layernorm", WIDTH)


def text_shapes():
    shapes = {"embeddings.token_embedding.weight": (30, TEXT_WIDTH),
              "embeddings.position_embedding.weight": (7, TEXT_WIDTH)}
    for number in range(BLOCKS):
        shapes |= block_shapes(f"encoder.layers.{number}", TEXT_WIDTH)
    return shapes | norm("final_layer_norm", TEXT_WIDTH)


def clip(seed, scale=1.0):
    """A whole CLIP as Hugging Face has it, without buffers."""
    shapes = {"logit_scale": ()}
    shapes |= {f"text_model.{name}": shape for name, shape in text_shapes().items()}
    shapes |= {f"vision_model.{name}": shape for name, shape in vision_shapes().items()}
    shapes |= {"visual_projection.weight": (JOINT, WIDTH),
               "text_projection.weight": (JOINT, TEXT_WIDTH)}
    random = np.random.default_rng(seed)
    return {name: np.asarray(scale * random.standard_normal(shape), np.float32)
            for name, shape in shapes.items()}


def tuned(base, seed):
    """The base with a small change everywhere."""
    change = clip(seed, 0.01)
    return {name: values + change[name] for name, values in base.items()}


def position_ids(tokens):
    return np.arange(tokens, dtype=np.int64).reshape(1, -1)


def detector(model, prefix="backbone.", head="head.", ids=False, seed=0):
    """DF40's CLIPDetector: the vision tower, and a head for two classes."""
    state = {}
    if ids:
        state[f"{prefix}embeddings.position_ids"] = position_ids(5)
    state |= {prefix + name.removeprefix("vision_model."): values for name, values in model.items()
              if name.startswith("vision_model.")}
    random = np.random.default_rng(100 + seed)
    state[f"{head}weight"] = random.standard_normal((2, WIDTH)).astype(np.float32)
    state[f"{head}bias"] = random.standard_normal(2).astype(np.float32)
    return state


VISION = {"embeddings.class_embedding": "class_embedding",
          "embeddings.patch_embedding.weight": "conv1.weight",
          "embeddings.position_embedding.weight": "positional_embedding",
          "pre_layrnorm.weight": "ln_pre.weight", "pre_layrnorm.bias": "ln_pre.bias",
          "post_layernorm.weight": "ln_post.weight", "post_layernorm.bias": "ln_post.bias"}
TEXT = {"embeddings.token_embedding.weight": "token_embedding.weight",
        "embeddings.position_embedding.weight": "positional_embedding",
        "final_layer_norm.weight": "ln_final.weight", "final_layer_norm.bias": "ln_final.bias"}
BLOCK = {"self_attn.out_proj": "attn.out_proj", "layer_norm1": "ln_1", "layer_norm2": "ln_2",
         "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}


def open_clip_tower(model, tower, names, prefix):
    state = {prefix + new: model[tower + old] for old, new in names.items()}
    for number in range(BLOCKS):
        old, new = f"{tower}encoder.layers.{number}.", f"{prefix}transformer.resblocks.{number}."
        for kind in ("weight", "bias"):
            state[f"{new}attn.in_proj_{kind}"] = np.concatenate(
                [model[f"{old}self_attn.{part}_proj.{kind}"] for part in "qkv"])
            state |= {f"{new}{b}.{kind}": model[f"{old}{a}.{kind}"] for a, b in BLOCK.items()}
    return state


def open_clip(model, prefix=""):
    """The same numbers as OpenAI and open_clip name and lay them out."""
    state = open_clip_tower(model, "text_model.", TEXT, prefix)
    state |= open_clip_tower(model, "vision_model.", VISION, f"{prefix}visual.")
    state[f"{prefix}text_projection"] = model["text_projection.weight"].T.copy()
    state[f"{prefix}visual.proj"] = model["visual_projection.weight"].T.copy()
    state[f"{prefix}logit_scale"] = model["logit_scale"]
    return state
