"""Checkpoints: which autoencoder, on which device, in which precision; only the part that a task needs is loaded."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from impress_ui.core.errors import UserError
from impress_ui.paths import EMBEDDED_CHECKPOINT
from impress_ui.settings import EMBEDDED, LpipsNetwork, RunSettings, SimilarityNetwork

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
MAX_LOADED = 2


class Autoencoder:
    """A frozen latent autoencoder: E (posterior mean, unscaled), D, and V(x) = D(E(x)).

    Images are float32 (B, 3, H, W) in [-1, 1] of any size: they are padded by reflection to the model's
    multiple on the way in and cropped on the way out. The model runs in its own precision.

    Args:
        module: a class with ``AutoencoderKL``'s contract, already in its precision.
        name: what the person calls the checkpoint.
        own: whether it is the embedded kind, whose encoder shares VGG16's features.
    """

    multiple = 8

    def __init__(self, module: nn.Module, name: str, device: str, own: bool) -> None:
        self.module = module.to(device).requires_grad_(False).eval()
        if device == "cpu":
            self.module.to(memory_format=torch.channels_last)
        self.name, self.device, self.own = name, device, own
        self.dtype: torch.dtype = next(module.parameters()).dtype

    @property
    def scaling_factor(self) -> float:
        return float(self.module.config.scaling_factor)

    def encode(self, x: Tensor) -> Tensor:
        """Posterior mean (B, C, h, w) in float32, as PhotoGuard uses it: without the scaling factor."""
        return self.module.encode(self._pad(x).to(self.dtype)).latent_dist.mode().float()

    def decode(self, z: Tensor) -> Tensor:
        """Image (B, 3, H, W) in float32 of unscaled latents; not clamped, and padded as the latents were."""
        return self.module.decode(z.to(self.dtype)).sample.float()

    def reconstruct(self, x: Tensor) -> Tensor:
        """V(x), of x's size; not clamped, so that its gradient is whole."""
        return self.decode(self.encode(x))[..., : x.shape[-2], : x.shape[-1]]

    def similarity_network(self, choice: SimilarityNetwork) -> LpipsNetwork:
        """The LPIPS network for the similarity term; 'auto' avoids the one that the encoder is made of."""
        if choice != "auto":
            return choice
        return "alex" if self.own else "vgg"

    def describe(self) -> str:
        """One line: checkpoint, device, precision."""
        return f"{self.name} on {self.device}, {str(self.dtype).removeprefix('torch.')}"

    def _pad(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        bottom, right = -height % self.multiple, -width % self.multiple
        return F.pad(x, (0, right, 0, bottom), mode="reflect") if bottom or right else x


def pick_device(choice: str) -> str:
    """The device to use; 'auto' prefers CUDA, then Apple's MPS.

    Raises:
        UserError: the device was named and is not there.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if choice == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if available[name])
    if not available[choice]:
        raise UserError(f"This machine has no {choice} device; choose 'auto' or 'cpu'.")
    return choice


def autoencoder_folder(checkpoint: str) -> Path:
    """The folder that holds a checkpoint's autoencoder: its vae/ part, or the folder itself if it is one.

    Raises:
        UserError: no such folder, or no autoencoder in it.
    """
    root = EMBEDDED_CHECKPOINT if checkpoint == EMBEDDED else Path(checkpoint).expanduser()
    if not root.is_dir():
        raise UserError(f"There is no checkpoint folder {checkpoint}; use 'embedded' or a folder in diffusers' layout.")
    for folder in (root / "vae", root):
        if (folder / "config.json").is_file():
            return folder
    raise UserError(f"The folder {checkpoint} holds no autoencoder; it needs a vae/config.json as diffusers saves it.")


def _load(folder: Path, name: str, device: str, dtype: torch.dtype) -> Autoencoder:
    from diffusers import AutoencoderKL

    from impress_ui.core.vgg_autoencoder import VGGAutoencoder

    classes = {"AutoencoderKL": AutoencoderKL, "VGGAutoencoder": VGGAutoencoder}
    try:
        class_name = json.loads((folder / "config.json").read_text()).get("_class_name")
    except (OSError, ValueError, AttributeError):
        raise UserError(f"The checkpoint {name} has a damaged vae/config.json; copy it again.") from None
    if class_name not in classes:
        raise UserError(
            f"The checkpoint {name} has an autoencoder of class {class_name}; known are {', '.join(classes)}."
        )
    if not any(folder.glob("*.safetensors")):
        raise UserError(f"The checkpoint {name} has no safetensors weights in vae/; pickled weights are not loaded.")
    try:
        module = classes[class_name].from_pretrained(
            folder, use_safetensors=True, local_files_only=True, torch_dtype=dtype, low_cpu_mem_usage=False
        )
    except Exception as error:  # a truncated or foreign file fails in many ways
        raise UserError(
            f"The checkpoint {name} cannot be loaded ({type(error).__name__}); its files may be incomplete."
        ) from None
    return Autoencoder(module, name, device, own=class_name == "VGGAutoencoder")


_loaded: OrderedDict[tuple[str, str, str], Autoencoder] = OrderedDict()
_loading = threading.Lock()


def load_autoencoder(run: RunSettings) -> Autoencoder:
    """The checkpoint's autoencoder as the settings want it; the two used last are kept in memory.

    Raises:
        UserError: the checkpoint or the device is not to be had.
    """
    device = pick_device(run.device)
    folder = autoencoder_folder(run.checkpoint)
    key = (str(folder.resolve()), device, run.precision)
    with _loading:
        if key not in _loaded:
            name = run.checkpoint if run.checkpoint == EMBEDDED else Path(run.checkpoint).name
            _loaded[key] = _load(folder, name, device, DTYPES[run.precision])
            while len(_loaded) > MAX_LOADED:
                _loaded.popitem(last=False)
        _loaded.move_to_end(key)
        return _loaded[key]
