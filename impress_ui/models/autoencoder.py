"""Autoencoders: loaded from a checkpoint on a device in a precision, and nothing but the autoencoder."""

from __future__ import annotations

import logging
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from impress_ui.errors import UserError
from impress_ui.models import checksums, fingerprint
from impress_ui.models.checkpoints import Part, Source, find_source
from impress_ui.models.frozen import spare_inputs
from impress_ui.models.memory import Recomputation
from impress_ui.models.single_file_weights import load as load_from_one_file
from impress_ui.paths import EMBEDDED_CHECKPOINT
from impress_ui.settings import LpipsNetwork, Precision, RunSettings, SimilarityNetwork

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
MAX_LOADED = 2
logger = logging.getLogger(__name__)


class Autoencoder:
    """A frozen latent autoencoder: E (posterior mean, unscaled), D, and V(x) = D(E(x)).

    Images are float32 (B, 3, H, W) in [-1, 1] of any size: they are padded by reflection to the model's
    multiple on the way in and cropped on the way out. The model runs in its own precision.

    Args:
        module: a class with ``AutoencoderKL``'s contract, already in its precision.
        name: what the person calls the checkpoint.
        own: whether it is the embedded kind, whose encoder shares VGG16's features.
        whole: makes the same module anew in float32, for where half precision overflows.
        embedded: whether its weights are those that come along, by whatever name or path.
    """

    def __init__(
        self, module: nn.Module, name: str, device: str, own: bool, whole: Callable[[], nn.Module] | None = None,
        *, embedded: bool = False,
    ) -> None:  # fmt: skip
        self.name, self.device, self.own, self._whole, self.embedded = name, device, own, whole, embedded
        self.note = ""  # a sentence, where it is not computed in the precision that was asked for
        self._take(module)

    def _take(self, module: nn.Module) -> None:
        self.module = spare_inputs(module.to(self.device).requires_grad_(False).eval())
        if self.device == "cpu":
            self.module.to(memory_format=torch.channels_last)
        self.dtype: torch.dtype = next(module.parameters()).dtype
        self._recomputation = Recomputation(self.module, self.device)

    @property
    def factor(self) -> int:
        """Side of the square of pixels that one latent stands for."""
        return 2 ** (len(self.module.config.block_out_channels) - 1)

    @property
    def multiple(self) -> int:
        """Pixel sides are padded to a multiple of this."""
        return max(8, self.factor)

    @property
    def scaling_factor(self) -> float:
        """Reciprocal of the latents' deviation, as the checkpoint has it."""
        return float(self.module.config.scaling_factor)

    @property
    def shift_factor(self) -> float:
        """The latents' mean, as the checkpoint has it; 0 where it has none."""
        return float(getattr(self.module.config, "shift_factor", None) or 0.0)

    def to_scaled(self, z: Tensor) -> Tensor:
        """Latents as the denoiser sees them, with mean 0 and deviation 1, of those that ``encode`` gives."""
        return (z - self.shift_factor) * self.scaling_factor

    def to_unscaled(self, z: Tensor) -> Tensor:
        """Latents for ``decode`` of those that the denoiser sees; the inverse of ``to_scaled``."""
        return z / self.scaling_factor + self.shift_factor

    def encode(self, x: Tensor) -> Tensor:
        """Posterior mean (B, C, h, w) in float32, as PhotoGuard uses it: without the scaling factor."""
        self._spare_memory(x, x[:, :1].numel())
        return self.posterior(self._pad(x)).mode().float()

    def decode(self, z: Tensor) -> Tensor:
        """Image (B, 3, H, W) in float32 of unscaled latents; not clamped, and padded as the latents were."""
        self._spare_memory(z, z[:, :1].numel() * self.factor**2)
        return self.sample(z).float()

    def posterior(self, x: Tensor) -> Any:
        """The distribution of latents of padded pictures, in the model's own precision.

        Raises:
            UserError: it is none, though the pictures are finite, as ``sample``.
        """
        return self._finite(x, lambda: self.module.encode(x.to(self.dtype)).latent_dist, lambda made: made.parameters)

    def sample(self, z: Tensor) -> Tensor:
        """Pictures of unscaled latents, in the model's own precision.

        Raises:
            UserError: they hold values that are no numbers, though the latents are finite.
        """
        return self._finite(z, lambda: self.module.decode(z.to(self.dtype)).sample, lambda made: made)

    def _finite(self, given: Tensor, compute: Callable[[], Any], values: Callable[[Any], Tensor]) -> Any:
        """What ``compute`` makes; where half precision overflows, the autoencoder goes on in float32 for good.

        Many checkpoints' autoencoders do in float16 (SDXL's says so itself), and a picture of NaN is black.
        """
        made = compute()
        if bool(values(made).isfinite().all()) or not bool(given.isfinite().all()):
            return made
        name = str(self.dtype).removeprefix("torch.")
        if self.dtype != torch.float32 and self._whole is not None:
            self._take(self._whole())
            self.note = f"The autoencoder of {self.name} overflows in {name}, so it was computed in float32."
            logger.warning(self.note)
            made = compute()
            if bool(values(made).isfinite().all()):
                return made
        raise UserError(
            f"The autoencoder of the checkpoint {self.name} gives values that are no numbers, in float32 too; "
            "its weights are damaged: choose another checkpoint."
        )

    def reconstruct(self, x: Tensor) -> Tensor:
        """V(x), of x's size; not clamped, so that its gradient is whole."""
        return self.decode(self.encode(x))[..., : x.shape[-2], : x.shape[-1]]

    def similarity_network(self, choice: SimilarityNetwork) -> LpipsNetwork:
        """The LPIPS network for the similarity term; 'auto' avoids the one that the encoder is made of."""
        if choice != "auto":
            return choice
        return "alex" if self.own else "vgg"

    def describe(self) -> str:
        """One line: checkpoint, device, precision, and the most memory that this process has taken so far."""
        return describe(self.name, self.device, self.dtype)

    def _spare_memory(self, given: Tensor, pixels: int) -> None:
        """Where a gradient is wanted of more pixels than memory is good for, keep less for it and compute twice."""
        if torch.is_grad_enabled() and given.requires_grad:
            self._recomputation.choose(pixels, self.dtype.itemsize)

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


def peak_memory(device: str) -> int | None:
    """Bytes at the process's peak: PyTorch's tensors on CUDA, resident memory on a CPU.

    MPS keeps no peak, so there it is what the driver holds now. None where the system does not tell (Windows).
    """
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    if device == "mps":
        return torch.mps.driver_allocated_memory()
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # bytes on macOS, KiB elsewhere


def describe(name: str, device: str, dtype: torch.dtype, how: str = "") -> str:
    """One line: checkpoint, device (and how it is used), precision and peak memory."""
    line, peak = f"{name} on {device}{how}, {str(dtype).removeprefix('torch.')}", peak_memory(device)
    return line if peak is None else f"{line}, peak memory {peak / 2**20:.0f} MiB"


def load_part(part: Part, cls: Any, **options: Any) -> Any:
    """A checkpoint's part as an instance of ``cls``, a class of diffusers or transformers; on the CPU.

    Raises:
        UserError: its files cannot be read, lack some of the weights, or are not those that SHA256SUMS lists.
    """
    for file in part.weight_files():
        checksums.check(file)
    default, arguments = torch.get_default_dtype(), part.arguments()
    weights = "use_safetensors" in arguments and not part.in_one_file
    try:
        if part.in_one_file:
            dtype = options.get("torch_dtype", options.get("dtype"))
            loaded = load_from_one_file(part.root, part.name, part.config, cls, dtype)
        else:
            loaded = cls.from_pretrained(**arguments, **({"output_loading_info": True} if weights else {}), **options)
    except UserError:
        raise
    except Exception as error:  # a truncated or foreign file fails in many ways
        raise UserError(
            f"The checkpoint {part.checkpoint} cannot be loaded ({type(error).__name__} in its {part.name}); "
            "its files may be incomplete."
        ) from None
    finally:
        torch.set_default_dtype(default)  # diffusers changes it while it loads, and leaves it so when that fails
    fingerprint.remember(part)
    if not weights:
        return loaded
    loaded, report = loaded
    if report["missing_keys"]:  # these would keep random values
        raise UserError(
            f"The checkpoint {part.checkpoint} cannot be loaded (the weights of its {part.name} lack "
            f"{len(report['missing_keys'])} tensors); its files may be incomplete."
        )
    return loaded


def _load(source: Source, device: str, precision: Precision) -> Autoencoder:
    from diffusers import AutoencoderKL

    from impress_ui.models.vgg_autoencoder import VGGAutoencoder

    part = source.part("vae", precision)
    if precision == "float16" and part.config.get("force_upcast"):
        precision = "float32"  # the checkpoint says that its autoencoder overflows in float16, as SDXL's does
    cls = {"AutoencoderKL": AutoencoderKL, "VGGAutoencoder": VGGAutoencoder}[part.class_name]

    def load(wanted: Precision) -> nn.Module:
        return load_part(source.part("vae", wanted), cls, torch_dtype=DTYPES[wanted], low_cpu_mem_usage=False)

    own = part.class_name == "VGGAutoencoder"
    embedded = source.place is not None and source.place.resolve() == EMBEDDED_CHECKPOINT.resolve()
    return Autoencoder(load(precision), source.name, device, own, whole=lambda: load("float32"), embedded=embedded)


_loaded: OrderedDict[tuple[str, ...], Autoencoder] = OrderedDict()
# One for the whole program: diffusers imports its parts on demand, which two threads must not do at once.
_loading = threading.RLock()


def notes() -> list[str]:
    """What is to be told of the autoencoders that were used last."""
    return [autoencoder.note for autoencoder in _loaded.values() if autoencoder.note]


def load_autoencoder(run: RunSettings, together: int = MAX_LOADED) -> Autoencoder:
    """The checkpoint's autoencoder as the settings want it; the two used last are kept in memory.

    Args:
        together: how many a job runs at once, where that is more: so many are kept then.

    Raises:
        UserError: the checkpoint or the device is not to be had.
    """
    device = pick_device(run.device)
    source = find_source(run.checkpoint)
    key = (source.key, source.name, device, run.precision)  # it tells its name, which is the person's
    with _loading:
        if key not in _loaded:
            _loaded[key] = _load(source, device, run.precision)
            while len(_loaded) > max(MAX_LOADED, together):
                _loaded.popitem(last=False)
        _loaded.move_to_end(key)
        return _loaded[key]
