"""The whole latent diffusion model of a checkpoint, for the tasks that need more than its autoencoder.

    model = load_diffusion_model(run)
    pipeline = model.pipeline("img2img", "dpm++")     # one of diffusers' own, with a scheduler of its own

diffusers itself is imported when a model is loaded, since that takes seconds.
"""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import math
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from impress_ui.errors import UserError
from impress_ui.models.autoencoder import (
    DTYPES,
    Autoencoder,
    _loading,
    describe,
    load_autoencoder,
    load_part,
    pick_device,
)
from impress_ui.models.checkpoints import Source, find_source
from impress_ui.models.frozen import spare_inputs
from impress_ui.models.lora import add_loras, loras_of
from impress_ui.models.memory import free_memory
from impress_ui.models.schedulers import scheduler_of
from impress_ui.settings import RunSettings, Sampler

Task = Literal["text2img", "img2img", "inpaint"]
_PIPELINES = {
    ("sd", "text2img"): "StableDiffusionPipeline",
    ("sd", "img2img"): "StableDiffusionImg2ImgPipeline",
    ("sd", "inpaint"): "StableDiffusionInpaintPipeline",
    ("sdxl", "text2img"): "StableDiffusionXLPipeline",
    ("sdxl", "img2img"): "StableDiffusionXLImg2ImgPipeline",
    ("sdxl", "inpaint"): "StableDiffusionXLInpaintPipeline",
}
# Weights, and half as much again for what is computed with them.
MEMORY_MARGIN = 1.5


class DiffusionModel:
    """A frozen latent diffusion model: autoencoder, text encoders, denoiser and scheduler.

    Args:
        autoencoder: shared with the tasks that need nothing else.
        tokenizers, text_encoders: one of each, or SDXL's two.
        unet: the denoiser, with as many input channels as the latents have, or an inpainting one: those of the
            noisy latents, the mask and the masked picture's latents.
        scheduler: a template; every pipeline gets its own.
        offload: keep text encoders and denoiser in main memory, and each on the device only while it runs.

    Raises:
        UserError: the denoiser takes other inputs than these.
    """

    def __init__(
        self,
        autoencoder: Autoencoder,
        tokenizers: Sequence[Any],
        text_encoders: Sequence[nn.Module],
        unet: nn.Module,
        scheduler: Any,
        *,
        offload: bool = False,
    ) -> None:
        self.autoencoder, self.unet, self.offload = autoencoder, unet, offload
        self.tokenizers, self.text_encoders = tuple(tokenizers), tuple(text_encoders)
        self.name, self.device = autoencoder.name, autoencoder.device
        self.dtype: torch.dtype = next(unet.parameters()).dtype
        self._scheduler = scheduler
        latent, taken = autoencoder.module.config.latent_channels, unet.config.in_channels
        if taken not in (latent, 2 * latent + 1):
            raise UserError(
                f"The checkpoint {self.name} cannot edit: its denoiser takes {taken} channels, neither an ordinary "
                f"one's {latent} nor an inpainting one's {2 * latent + 1}."
            )
        for tokenizer, encoder in zip(self.tokenizers, self.text_encoders, strict=True):
            # Tokenizers saved without their limit say that they have none.
            tokenizer.model_max_length = min(tokenizer.model_max_length, encoder.config.max_position_embeddings)
        for module in (unet, *self.text_encoders):
            module.requires_grad_(False).eval()
            if not offload:
                module.to(self.device)
        spare_inputs(unet)
        if self.device == "cpu":
            unet.to(memory_format=torch.channels_last)
        if offload:
            self.pipeline("inpaint", "checkpoint")  # from now on the parts go to the device whenever they are called

    @property
    def family(self) -> Literal["sd", "sdxl"]:
        """Stable Diffusion 1.x and 2.x, or XL."""
        return "sd" if len(self.text_encoders) == 1 else "sdxl"

    @property
    def inpainting(self) -> bool:
        """Whether the denoiser also takes a mask and the masked picture, and so can do nothing but inpaint."""
        return self.unet.config.in_channels != self.autoencoder.module.config.latent_channels

    @property
    def multiple(self) -> int:
        """Pixel sides must be multiples of this."""
        halvings = len(self.unet.config.block_out_channels) - 1
        return math.lcm(self.autoencoder.multiple, self.autoencoder.factor * 2**halvings)

    @property
    def size(self) -> int:
        """Side in pixels of the squares that it was taught on."""
        side = self.unet.config.sample_size or 64
        return self.autoencoder.factor * (side if isinstance(side, int) else max(side))

    def with_unet(self, unet: nn.Module) -> DiffusionModel:
        """This model with another denoiser of the same kind, such as a fine-tuned one; all else is shared."""
        other = copy.copy(self)
        other.unet, other.dtype = unet, next(unet.parameters()).dtype
        return other

    def with_autoencoder(self, autoencoder: Autoencoder) -> DiffusionModel:
        """This model with another autoencoder of the same latents; all else is shared."""
        other = copy.copy(self)
        other.autoencoder = autoencoder
        return other

    def scheduler(self, sampler: Sampler) -> Any:
        """A fresh scheduler with the checkpoint's noise schedule: of the checkpoint's own kind, or of another."""
        return scheduler_of(sampler, self._scheduler)

    def pipeline(self, task: Task, sampler: Sampler) -> Any:
        """diffusers' pipeline for the task, of the shared parts, with a scheduler of its own; silent.

        Raises:
            UserError: an inpainting checkpoint was asked for another task.
        """
        import diffusers

        if self.inpainting and task != "inpaint":
            raise UserError(
                f"The checkpoint {self.name} can only inpaint: use the inpaint mode with a mask, "
                "or an ordinary checkpoint."
            )
        parts: dict[str, Any] = {
            "vae": _SharedAutoencoder(self.autoencoder, self.dtype),
            "tokenizer": self.tokenizers[0],
            "text_encoder": self.text_encoders[0],
            "unet": self.unet,
            "scheduler": self.scheduler(sampler),
        }
        if self.family == "sdxl":
            parts |= {"tokenizer_2": self.tokenizers[1], "text_encoder_2": self.text_encoders[1]}
            parts["add_watermarker"] = False  # results are measured, so nothing may be written into them
        else:
            parts |= {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
        pipeline = getattr(diffusers, _PIPELINES[self.family, task])(**parts)
        pipeline.set_progress_bar_config(disable=True)
        if self.offload:
            pipeline.enable_model_cpu_offload(device=self.device)
        return pipeline

    @torch.no_grad()
    def embed(self, prompt: str) -> Tensor:
        """The prompt as the denoiser takes it: (1, tokens, width), on the device, in the model's precision.

        Raises:
            UserError: the model is an SDXL one, whose denoiser takes more than this.
        """
        if self.family != "sd":
            raise UserError(f"The checkpoint {self.name} is of the SDXL kind; use a Stable Diffusion 1 or 2 one here.")
        pipeline = self.pipeline("inpaint", "checkpoint")
        return pipeline.encode_prompt(prompt, self.device, 1, False)[0]

    def check_prompt(self, prompt: str) -> None:
        """Refuse a prompt whose end would be cut off.

        Raises:
            UserError: it has more tokens than the text encoder takes.
        """
        for tokenizer in self.tokenizers:
            frame = len(tokenizer("").input_ids)  # the tokens that stand for begin and end
            count = len(tokenizer(prompt, truncation=False, verbose=False).input_ids) - frame
            fitting = tokenizer.model_max_length - frame
            if count > fitting:
                raise UserError(
                    f"The prompt is too long: it has {count} tokens (pieces of words), and {fitting} fit; shorten it."
                )

    def describe(self) -> str:
        """One line: checkpoint, device, precision, and the most memory that this process has taken so far."""
        return describe(self.name, self.device, self.dtype, " with model offload" if self.offload else "")


class _SharedAutoencoder(nn.Module):
    """The autoencoder as a pipeline sees it: it stays on its device and in its precision.

    Pipelines move their parts about, and convert SDXL's autoencoder to float32 and to float16 again; the other
    tasks hold the same autoencoder. So what goes in and out is converted instead.
    """

    def __init__(self, autoencoder: Autoencoder, dtype: torch.dtype) -> None:
        super().__init__()
        self.module, self.dtype, self._autoencoder = autoencoder.module, dtype, autoencoder
        self.device = torch.device(autoencoder.device)
        self.config = type(self.module.config)({**self.module.config, "force_upcast": False})

    def to(self, *args: Any, **kwargs: Any) -> _SharedAutoencoder:
        return self

    def encode(self, x: Tensor) -> SimpleNamespace:
        self._send_others_away()
        posterior = self._autoencoder.posterior(x)
        return SimpleNamespace(latent_dist=type(posterior)(posterior.parameters.to(self.dtype)))

    def decode(self, z: Tensor, return_dict: bool = True, **kwargs: Any) -> SimpleNamespace | tuple[Tensor]:
        self._send_others_away()
        sample = self._autoencoder.sample(z).to(self.dtype)
        return SimpleNamespace(sample=sample) if return_dict else (sample,)

    def _send_others_away(self) -> None:
        """Under model offload, leave the device's memory to the autoencoder, as diffusers' own does."""
        hook = getattr(self, "_hf_hook", None)
        if hook is not None:
            hook.pre_forward(self)


def _short_of_memory(device: str, modules: Sequence[nn.Module]) -> bool:
    """Whether a CUDA device has too little memory for the modules, which are still on the CPU."""
    if device != "cuda":
        return False
    needed = sum(p.numel() * p.element_size() for module in modules for p in module.parameters())
    return MEMORY_MARGIN * needed > (free_memory(device) or 0)


@contextlib.contextmanager
def _no_progress_bars(logging: Any) -> Iterator[None]:
    """Keep transformers' bars, which flash by in milliseconds, out of the log; the hub's are wanted."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _load(run: RunSettings, source: Source, device: str) -> DiffusionModel:
    if source.autoencoder_only:
        raise UserError(
            f"The checkpoint {source.name} can protect, reconstruct and purify but not edit or generate; "
            "use a Stable Diffusion 1, 2 or XL checkpoint for that."
        )
    autoencoder = load_autoencoder(run)
    parts = source.rest(run.precision)  # all are looked for before any is loaded: a missing one is told at once

    import diffusers
    import transformers

    dtype = DTYPES[run.precision]
    unet = load_part(parts["unet"], diffusers.UNet2DConditionModel, torch_dtype=dtype, low_cpu_mem_usage=False)
    with _no_progress_bars(transformers.utils.logging):
        # In float32 first: stored in half precision, they would make that torch's default while they load, and what
        # another thread builds meanwhile, an LPIPS say, would stay half of it.
        text_encoders = [
            load_part(part, getattr(transformers, part.class_name), dtype=torch.float32).to(dtype)
            for name, part in parts.items()
            if name.startswith("text_encoder")
        ]
    tokenizers = [
        load_part(part, transformers.CLIPTokenizer) for name, part in parts.items() if name.startswith("tokenizer")
    ]
    add_loras(run.lora, source.name, unet, tokenizers, text_encoders)
    scheduler = load_part(parts["scheduler"], getattr(diffusers, parts["scheduler"].class_name))
    offload = _short_of_memory(device, [unet, *text_encoders])
    if offload and importlib.util.find_spec("accelerate") is None:
        raise UserError(
            f"The graphics memory is too short for the checkpoint {source.name}; "
            "install the package accelerate, which lets it be used in parts, or choose float16."
        )
    return DiffusionModel(autoencoder, tokenizers, text_encoders, unet, scheduler, offload=offload)


_loaded: dict[tuple[str, ...], DiffusionModel] = {}


def load_diffusion_model(run: RunSettings) -> DiffusionModel:
    """The checkpoint's whole model as the settings want it; the last one is kept in memory.

    Its autoencoder is the one that ``load_autoencoder`` gives.

    Raises:
        UserError: the checkpoint or the device is not to be had, or the checkpoint cannot edit.
    """
    device = pick_device(run.device)
    source = find_source(run.checkpoint)
    key = (
        source.key,
        device,
        run.precision,
        *(f"{file} {file.stat().st_mtime_ns} {weight}" for file, weight in loras_of(run.lora)),
    )
    with _loading:
        if key not in _loaded:
            _loaded.clear()  # before loading, which needs the memory
            _loaded[key] = _load(run, source, device)
        _loaded[key].autoencoder = load_autoencoder(run)
        return _loaded[key]
