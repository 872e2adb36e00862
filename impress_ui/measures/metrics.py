"""Measures between 8-bit pictures, and of a picture against its own reconstruction."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

import numpy as np
import torch
from PIL import Image, ImageChops
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.dists import load_dists
from impress_ui.models.perceptual import load_perceptual
from impress_ui.paths import EMBEDDED_CHECKPOINT
from impress_ui.pictures.images import quantise, to_images, to_tensor

VIF_SMALLEST = 41  # its four scales need this many pixels


@dataclass(frozen=True)
class Measures:
    """How far picture A is from picture B. ``l2``, ``rms`` and ``linf`` are in grey levels out of 255."""

    ssim: float
    psnr: float | None  # None for identical pictures, whose PSNR is infinite
    vif: float | None  # None below 41 pixels, where it is not defined
    lpips: float
    linf: float
    l2: float
    rms: float

    def as_dict(self) -> dict[str, float | None]:
        return asdict(self)


def measure(a: Image.Image, b: Image.Image) -> Measures:
    """Measures of A against B, two RGB pictures of one size.

    SSIM is Wang et al.'s (2004) with its Gaussian window of deviation 1.5, averaged over the channels, and
    PSNR is over 255, both as scikit-image computes them. VIF is Sheikh and Bovik's (2006) in its pixel form
    (VIFp), over the channels, as torchmetrics computes it: 1 for B itself. LPIPS is v0.1 with AlexNet.

    Raises:
        UserError: the sizes differ.
    """
    if a.size != b.size:
        raise UserError(
            f"The pictures differ in size ({a.width}x{a.height} and {b.width}x{b.height}); measure equal sizes."
        )
    x, y = (np.asarray(image.convert("RGB")) for image in (a, b))
    difference = x.astype(np.float64) - y
    distance = lpips(a, b)
    return Measures(
        ssim=float(ssim(x, y)),
        psnr=float(peak_signal_noise_ratio(y, x, data_range=255)) if difference.any() else None,
        vif=_vif(x, y),
        lpips=distance,
        linf=float(np.abs(difference).max()),
        l2=float(np.sqrt((difference**2).sum())),
        rms=float(np.sqrt((difference**2).mean())),
    )


def farthest(a: Image.Image, b: Image.Image) -> float:
    """The L-infinity distance of two RGB pictures of one size, in grey levels."""
    return float(max(high for _, high in ImageChops.difference(a, b).getextrema()))


@torch.no_grad()
def lpips(a: Image.Image, b: Image.Image) -> float:
    """LPIPS v0.1 with AlexNet of two pictures of one size."""
    return float(load_perceptual("alex")(to_tensor(a), to_tensor(b)).item())


@torch.no_grad()
def dists(a: Image.Image, b: Image.Image) -> float:
    """DISTS of two pictures of one size: 0 for equal ones, the same either way round."""
    return float(load_dists()(to_tensor(a), to_tensor(b)).item())


def _vif(x: np.ndarray, y: np.ndarray) -> float | None:
    from torchmetrics.functional.image import visual_information_fidelity

    if min(x.shape[:2]) < VIF_SMALLEST:
        return None
    first, second = (torch.from_numpy(array.copy()).permute(2, 0, 1)[None].float() for array in (x, y))
    found = float(visual_information_fidelity(first, second))
    return found if math.isfinite(found) else None  # of a picture of one colour: it holds no information


def ssim(x: np.ndarray, y: np.ndarray) -> float:
    """SSIM of two uint8 pictures (H, W, 3) with the original paper's Gaussian window."""
    return structural_similarity(
        x, y, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )


def latent_distance(latent: Tensor, reference: Tensor, unit: Tensor | None = None) -> float:
    """||z - z_ref|| / ||z_ref||: how far a latent (1, C, h, w) was moved, as a share of the other's length.

    ``unit``: a latent whose length stands for the reference's, where several references share a scale.
    """
    return ((latent - reference).norm() / (reference if unit is None else unit).norm()).item()


@torch.no_grad()
def encode_picture(image: Image.Image, autoencoder: Autoencoder) -> Tensor:
    """E(x), (1, C, h, w), unscaled."""
    return autoencoder.encode(to_tensor(image, autoencoder.device))


@torch.no_grad()
def look_at(image: Image.Image, autoencoder: Autoencoder) -> tuple[Tensor, Image.Image]:
    """E(x) and V(x) of a picture, with one pass of the encoder."""
    latent = encode_picture(image, autoencoder)
    return latent, to_images(autoencoder.decode(latent)[..., : image.height, : image.width])[0]


@torch.no_grad()
def reconstruct_picture(image: Image.Image, autoencoder: Autoencoder) -> Image.Image:
    """V(x) as an 8-bit picture."""
    return to_images(autoencoder.reconstruct(to_tensor(image, autoencoder.device)))[0]


@torch.no_grad()
def round_trip_error(x: Tensor, autoencoder: Autoencoder) -> Tensor:
    """mean((V(x) - x)^2) in [-1, 1] units, (B,), with V(x) as an 8-bit file would hold it."""
    return ((quantise(autoencoder.reconstruct(x)) - x) ** 2).mean(dim=(1, 2, 3))


@dataclass(frozen=True)
class Detector:
    """A threshold on the round-trip error, with its rates as ``experiment detector`` measured them.

    ``threshold`` and ``clean_error`` (the median of clean photographs) come from the validation split, the
    rates from the test split; ``true_positive_rate`` maps a budget in grey levels to a rate.
    """

    threshold: float
    clean_error: float
    size: int
    photographs: int
    false_positive_rate: float
    true_positive_rate: dict[str, float]
    auc: dict[str, float]

    def looks(self, error: float) -> str:
        """'looks protected' or 'looks clean'."""
        return "looks protected" if error > self.threshold else "looks clean"

    def verdict(self, error: float) -> str:
        """'looks protected' or 'looks clean', with the measured rates beside it."""
        caught = ", ".join(f"{rate:.0%} at budget {budget}" for budget, rate in self.true_positive_rate.items())
        return (
            f"{self.looks(error)} (round-trip error {error:.4f}, threshold {self.threshold:.4f}; "
            f"on {self.photographs} unseen photographs of {self.size} pixels the threshold caught {caught} "
            f"and accused {self.false_positive_rate:.0%} of the clean)"
        )


def load_detector(autoencoder: Autoencoder) -> Detector | None:
    """The embedded checkpoint's calibrated detector; None for a checkpoint that nobody has calibrated."""
    file = EMBEDDED_CHECKPOINT / "detector.json"
    if not autoencoder.own or not file.is_file():
        return None
    return Detector(**json.loads(file.read_text()))
