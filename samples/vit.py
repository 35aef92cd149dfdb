"""A small vision transformer whose tensors are named like DF40's CLIP detector."""

import torch
import torch.nn.functional as F
from torch import nn

IMAGE, PATCH, WIDTH, DEPTH, HEADS = 64, 8, 96, 4, 4
TOKENS = (IMAGE // PATCH) ** 2 + 1  # one per patch, plus the class token


class Embeddings(nn.Module):
    def __init__(self):
        super().__init__()
        self.class_embedding = nn.Parameter(0.02 * torch.randn(WIDTH))
        self.patch_embedding = nn.Conv2d(3, WIDTH, PATCH, stride=PATCH, bias=False)
        self.position_embedding = nn.Embedding(TOKENS, WIDTH)
        nn.init.normal_(self.position_embedding.weight, std=0.02)
        self.register_buffer("position_ids", torch.arange(TOKENS)[None])

    def forward(self, images):
        patches = self.patch_embedding(images).flatten(2).transpose(1, 2)
        token = self.class_embedding.expand(len(images), 1, -1)
        return torch.cat([token, patches], 1) + self.position_embedding(self.position_ids)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj = nn.Linear(WIDTH, WIDTH)
        self.k_proj = nn.Linear(WIDTH, WIDTH)
        self.v_proj = nn.Linear(WIDTH, WIDTH)
        self.out_proj = nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        q, k, v = (proj(x).unflatten(-1, (HEADS, -1)).transpose(1, 2)
                   for proj in (self.q_proj, self.k_proj, self.v_proj))
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.out_proj(mixed.transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(WIDTH, 4 * WIDTH)
        self.fc2 = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.self_attn = Attention()
        self.layer_norm1 = nn.LayerNorm(WIDTH)
        self.mlp = Mlp()
        self.layer_norm2 = nn.LayerNorm(WIDTH)

    def forward(self, x):
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(Layer() for _ in range(DEPTH))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Backbone(nn.Module):
    """Images in [0, 1] to TOKENS features; the first one is the class token's."""

    def __init__(self):
        super().__init__()
        self.embeddings = Embeddings()
        self.pre_layrnorm = nn.LayerNorm(WIDTH)  # CLIP's spelling
        self.encoder = Encoder()
        self.post_layernorm = nn.LayerNorm(WIDTH)

    def forward(self, images):
        x = self.embeddings((images - 0.5) / 0.5)
        return self.post_layernorm(self.encoder(self.pre_layrnorm(x)))


class Detector(nn.Module):
    """Two logits per image: real, fake."""

    def __init__(self):
        super().__init__()
        self.backbone = Backbone()
        self.head = nn.Linear(WIDTH, 2)

    def forward(self, images):
        return self.head(self.backbone(images)[:, 0])
