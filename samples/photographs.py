"""Natural photographs from Debian packages, cut to patches.

The packages are downloaded and unpacked into a cache folder, never installed.
Drawn and rendered wallpapers of the same packages are left out by naming the
photographs. The split is by photograph: no test photograph is ever trained on, and settings are
chosen on photographs of their own.
"""

import subprocess
from pathlib import Path

import numpy as np
import torch
from PIL import Image

PLASMA = "plasma-workspace-wallpapers"
LOMIRI16, LOMIRI20 = "lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04"
MATE = "mate-backgrounds"

TRAIN = {
    PLASMA: ["BytheWater", "ColorfulCups", "FallenLeaf", "Grey", "OneStandsOut"],
    LOMIRI16: ["Bridge_by_Sander_Klootwijk", "Picture_0B_by_freespace", "Picture_1A_by_freespace",
               "Wine_by_Jakkub_Mede", "aitzgorri_by_Aitzol_Berasategi", "free_by_Peter_Nerlich",
               "friends_by_Aitzol_Berasategi", "life_by_Aitzol_Berasategi", "seeding_by_Clements_Engelhardt"],
    MATE: ["Dune", "GreenMeadow", "LadyBird", "RainDrops", "TwoWings", "YellowFlower"],
}
VALIDATION = {PLASMA: ["EveningGlow", "Path", "ColdRipple"]}
TEST = {
    LOMIRI16: ["Dragonfly_by_Bolly", "greentock_by_Peter_Nerlich", "picosdeeuropa_by_Aitzol_Berasategi",
               "sunset_by_Aitzol_Berasategi"],
    LOMIRI20: ["Kleiber_by_Lukas_Baubkus"],
}
SECOND = {  # other people, other cameras, other treatment: what libraries of Python show as examples
    "python3-skimage": ["astronaut", "chelsea", "coffee", "motorcycle_left", "rocket"],
    "python3-sklearn": ["china", "flower"],
    "python-matplotlib-data": ["grace_hopper"],
}
SHORT_SIDE = 640  # larger photographs are reduced to it, which also hides their JPEG block grid
TEXTURE = 0.015   # patches with a smaller mean step between neighbouring pixels are skipped


def fetch(packages, cache):
    """Download and unpack Debian packages below `cache`, once."""
    for package in packages:
        folder = cache / package
        if folder.is_dir():
            continue
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", package], cwd=cache, check=True, stdout=subprocess.DEVNULL)
        archive = next(cache.glob(f"{package}_*.deb"))
        subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)


def find(cache, package, name):
    """The largest image of a photograph; Plasma keeps several sizes in a folder of its name."""
    files = [f for f in sorted((cache / package).rglob("*"))
             if f.suffix in (".jpg", ".png") and f.is_file() and (f.stem == name or name in f.parts)]
    if not files:
        raise FileNotFoundError(f"{package}: no photograph {name}")
    return max(files, key=lambda f: f.stat().st_size)


def load(path):
    image = Image.open(path).convert("RGB")
    scale = min(1, SHORT_SIDE / min(image.size))
    size = [round(side * scale) for side in image.size]
    return torch.from_numpy(np.array(image.resize(size, Image.Resampling.LANCZOS)))


def textured(patches):
    """Which patches (n, 3, s, s) show more than sky or blur."""
    grey = patches.float().mean(1) / 255
    step = grey.diff(dim=1).abs().mean((1, 2)) + grey.diff(dim=2).abs().mean((1, 2))
    return step / 2 > TEXTURE


def cut(photograph, size, stride, limit, rng):
    """At most `limit` textured patches, uint8 (n, 3, size, size)."""
    patches = photograph.permute(2, 0, 1).unfold(1, size, stride).unfold(2, size, stride)
    patches = patches.permute(1, 2, 0, 3, 4).reshape(-1, 3, size, size)
    patches = patches[textured(patches)]
    return patches[torch.randperm(len(patches), generator=rng)[:limit]]


def patches(split, cache, size, stride, limit, seed=0):
    """The patches of a split such as TRAIN, as bytes, and the photograph each comes from."""
    rng = torch.Generator().manual_seed(seed)
    fetch(split, cache)
    found = [cut(load(find(cache, package, name)), size, stride, limit, rng)
             for package, names in split.items() for name in names]
    photograph = torch.repeat_interleave(torch.arange(len(found)), torch.tensor([len(f) for f in found]))
    return torch.cat(found), photograph
