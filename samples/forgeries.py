"""Photographs, forgeries and degradations made by code from real patches.

Every function takes real patches (n, 3, s, s) in [0, 1] and a generator, and
returns patches of the same shape. The families stand for those of DF40: they
leave the same kinds of trace, not the same pictures.

A real picture is `photographed`: it carries the traces of a sensor. A forgery
is made of photographed patches and loses these traces where it resamples or
invents; that is what the families share. Both are then `published`.
"""

import math

import torch
import torch.nn.functional as F


def uniform(low, high, shape, rng):
    return low + (high - low) * torch.rand(shape, generator=rng)


def grid(size):
    """Pixel coordinates in [-1, 1], as grid_sample wants them: (size, size, 2), x first."""
    axis = (torch.arange(size) + 0.5) * 2 / size - 1
    return torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)


def sample(images, where):
    return F.grid_sample(images, where, mode="bilinear", padding_mode="reflection", align_corners=False)


def ellipse(n, size, feather, rng, low=0.35, high=0.65):
    """Random soft ellipses (n, 1, size, size), 1 inside: radius from low to high, edge `feather` wide."""
    centre = uniform(-0.35, 0.35, (n, 1, 1, 2), rng)
    radius = uniform(low, high, (n, 1, 1, 2), rng)
    distance = ((grid(size) - centre) / radius).norm(dim=-1)
    return torch.sigmoid((1 - distance) / feather)[:, None]


def resized(images, rng, low=0.75, high=0.95):
    """Each image turned a little about its centre and enlarged: the part from low to high fills it."""
    n = len(images)
    angle, scale = uniform(-0.3, 0.3, n, rng), uniform(low, high, n, rng)
    cos, sin, zero = scale * angle.cos(), scale * angle.sin(), torch.zeros(n)
    affine = torch.stack([cos, -sin, zero, sin, cos, zero], 1).view(n, 2, 3)
    return sample(images, F.affine_grid(affine, images.shape, align_corners=False))


def match_colours(donor, target, mask):
    """The donor with the target's mean and deviation per channel, both taken under the mask."""
    def moments(x):
        mean = (x * mask).sum((2, 3), True) / mask.sum((2, 3), True)
        variance = ((x - mean) ** 2 * mask).sum((2, 3), True) / mask.sum((2, 3), True)
        return mean, (variance + 1e-4).sqrt()
    (mean, deviation), (to_mean, to_deviation) = moments(donor), moments(target)
    return (donor - mean) * (to_deviation / deviation).clamp(0.5, 2) + to_mean


def face_swap(images, rng):
    """FS: a region of another patch, enlarged, colour matched and blended in."""
    mask = ellipse(len(images), images.shape[-1], 0.03, rng)
    donor = resized(images.roll(1, 0), rng, 0.5, 0.8)
    return images + mask * (match_colours(donor, images, mask) - images)


def face_reenactment(images, rng):
    """FR: a region moved by a smooth warp of a few pixels, twice, so that it is resampled twice."""
    n, size = len(images), images.shape[-1]
    region = ellipse(n, size, 0.1, rng, 0.5, 0.8)
    for _ in range(2):
        coarse = uniform(-1, 1, (n, 2, 5, 5), rng)
        flow = F.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=True)
        flow = flow * region * 6 * 2 / size  # at most about 6 pixels
        images = sample(images, grid(size) + flow.permute(0, 2, 3, 1))
    return images


def entire_synthesis(images, rng):
    """EFS: the whole patch from half its resolution by an uneven stride-2 transposed convolution."""
    n, size = len(images), images.shape[-1]
    half = F.avg_pool2d(images, 2)
    half = half + 0.8 * (half - F.avg_pool2d(half, 3, 1, 1, count_include_pad=False))
    tent = torch.tensor([0.25, 0.75, 0.75, 0.25])
    kernel = (tent[:, None] * tent) * (1 + 0.01 * torch.randn((n, 1, 4, 4), generator=rng))
    kernel = kernel * 4 / kernel.sum((2, 3), True)
    padded = F.pad(half, (1, 1, 1, 1), mode="replicate").reshape(1, 3 * n, size // 2 + 2, -1)
    up = F.conv_transpose2d(padded, kernel.repeat_interleave(3, 0), stride=2, padding=3, groups=3 * n)
    return up.reshape(images.shape)


def face_editing(images, rng):
    """FE: a region retouched: smoothed, and its tone changed."""
    n = len(images)
    mask = ellipse(n, images.shape[-1], 0.08, rng, 0.4, 0.75)
    gain = uniform(0.9, 1.1, (n, 3, 1, 1), rng)
    return images + mask * ((0.2 * images + 0.8 * blurred(images, rng)) * gain - images)


def other_synthesis(images, rng):
    """Never trained on: a generator that repeats pixels and smooths them with a 3x3 kernel."""
    n, size = len(images), images.shape[-1]
    up = F.avg_pool2d(images, 2).repeat_interleave(2, 2).repeat_interleave(2, 3)
    kernel = torch.tensor([[1.0, 2, 1], [2, 6, 2], [1, 2, 1]]) * (1 + 0.1 * torch.randn((n, 1, 3, 3), generator=rng))
    kernel = kernel / kernel.sum((2, 3), True)
    padded = F.pad(up, (1, 1, 1, 1), mode="replicate").reshape(1, 3 * n, size + 2, size + 2)
    return F.conv2d(padded, kernel.repeat_interleave(3, 0), groups=3 * n).view_as(images)


def splice(images, rng):
    """Never trained on: a region of another patch, made smaller, with a hard edge."""
    mask = ellipse(len(images), images.shape[-1], 0.02, rng)
    donor = resized(images.roll(2, 0), rng, 1.1, 1.4)
    return images + mask * (match_colours(donor, images, mask) - images)


FAMILIES = {"fs": face_swap, "fr": face_reenactment, "efs": entire_synthesis}  # of the three specialists
ADDED = {"fe": face_editing}  # of the fourth one
UNSEEN = {"other": other_synthesis, "splice": splice}


# Degradations, for the pretext task: ordinary processing, no forgery.

def blurred(images, rng):
    """A Gaussian blur, its width drawn per image."""
    n, reach = len(images), 4
    sigma = uniform(0.5, 1.5, (n, 1), rng)
    line = torch.exp(-torch.arange(-reach, reach + 1) ** 2 / (2 * sigma ** 2))
    line = (line / line.sum(1, True)).repeat_interleave(3, 0)
    flat = F.pad(images, [reach] * 4, mode="reflect").flatten(0, 1)[None]
    flat = F.conv2d(flat, line[:, None, :, None], groups=3 * n)
    return F.conv2d(flat, line[:, None, None, :], groups=3 * n).view_as(images)


def sharpened(images, rng):
    return images + uniform(0.5, 1.5, (len(images), 1, 1, 1), rng) * (images - blurred(images, rng))


def noisy(images, rng):
    amount = uniform(0.01, 0.04, (len(images), 1, 1, 1), rng)
    return images + amount * torch.randn(images.shape, generator=rng)


def compressed(images, rng):
    """JPEG's core: 8x8 cosine transform, steps growing with frequency."""
    k = torch.arange(8)
    dct = torch.cos(math.pi / 8 * (k + 0.5) * k[:, None]) / 2
    dct[0] /= math.sqrt(2)
    step = uniform(0.01, 0.03, (len(images), 1, 1, 1, 1, 1), rng) * (1 + k + k[:, None])
    blocks = images.unfold(2, 8, 8).unfold(3, 8, 8)
    blocks = dct.T @ (torch.round(dct @ blocks @ dct.T / step) * step) @ dct
    return blocks.permute(0, 1, 2, 4, 3, 5).reshape(images.shape)


DEGRADATIONS = [blurred, sharpened, noisy, compressed, resized]


def eight_bits(images):
    return (images.clamp(0, 1) * 255).round() / 255


def demosaiced(images):
    """What is left of the colours behind a Bayer filter (RGGB), the rest interpolated."""
    height, width = images.shape[-2:]
    mosaic = torch.zeros(3, height, width)
    mosaic[0, 0::2, 0::2] = mosaic[1, 0::2, 1::2] = mosaic[1, 1::2, 0::2] = mosaic[2, 1::2, 1::2] = 1
    tent = (torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4).expand(3, 1, 3, 3)

    def spread(x):
        return F.conv2d(F.pad(x, (1,) * 4, mode="reflect"), tent, groups=3)
    return torch.where(mosaic.bool(), images, spread(images * mosaic) / spread(mosaic[None]))


def photographed(images, rng):
    """The traces of a camera: noise of the sensor, colours interpolated between its pixels, 8 bits."""
    return eight_bits(demosaiced(images + 0.02 * torch.randn(images.shape, generator=rng)))


def published(images, rng):
    """What real and forged pictures both go through on their way: another exposure, 8 bits again."""
    gain = uniform(0.85, 1.15, (len(images), 1, 1, 1), rng)
    return eight_bits(images * gain + 0.002 * torch.randn(images.shape, generator=rng))


def camera(images, rng):
    """What patches of the pretext task go through: gain, noise, 8 bits."""
    gain = uniform(0.85, 1.15, (len(images), 1, 1, 1), rng)
    noise = 0.004 * torch.randn(images.shape, generator=rng)
    return ((images * gain + noise).clamp(0, 1) * 255).round() / 255
