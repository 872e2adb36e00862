"""Imitating a style: fine-tune a model's denoiser on an artist's pictures, then generate in the artist's name.

    tuning = FineTuning(model, works, settings, seed=0)
    for step in tuning.run():
        ...                                   # step.index, step.losses, step.sample
    imitator = tuning.model()                 # the model with the fine-tuned denoiser
    for step in imitate(imitator, captions, generate):
        ...                                   # step.results on the last one

The autoencoder and the text encoder stay as they are, as in IMPRESS's experiment (arXiv 2310.19248, section 5.1).
"""

from __future__ import annotations

import contextlib
import copy
import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from impress_ui.art.artists.works import Work
from impress_ui.errors import UserError
from impress_ui.methods.edit import SampleStep, generate
from impress_ui.methods.optimise import NO_NUMBER, ShouldStop, never
from impress_ui.models.adapters import ADAPTER, DENOISER, adapted_denoiser, whole_denoiser
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.models.graphs import SHARE, denoiser_keeps, recompute
from impress_ui.models.memory import free_memory
from impress_ui.pictures.images import to_tensor
from impress_ui.settings import GenerateSettings, MimicSettings

PROGRESS = "progress.safetensors"
MADE_OF = "made_of"
SETTINGS_OF_A_STEP = ("tuning", "adapted", "rank", "batch", "learning_rate", "flip")
GENERATED_AT_ONCE = 10
SEED_STRIDE = 1_000_003  # so that the noises of neighbouring seeds do not overlap


@dataclass
class MimicStep:
    """One step of a fine-tuning; ``losses`` are (1,) tensors. ``sample`` is a picture when one was due."""

    index: int
    steps: int
    losses: dict[str, Tensor]
    sample: Image.Image | None = None
    stopped: bool = False

    def loss_values(self, image: int = 0) -> dict[str, float]:
        """The losses as plain numbers, as ``optimise.Step`` gives them."""
        return {name: value[image].item() for name, value in self.losses.items()}


class FineTuning:
    """A denoiser in training; it can be stopped between two steps, gone on with, and kept on disk.

    What a step draws (pictures, times, noise) depends on the seed and its number alone, so that a run with a stop
    in it ends as one without.

    Args:
        model: stays as it is; its weights are shared with the adapters' copy, and copied for a full fine-tuning.
        works: pictures of one size that fits the model.
        caption: of the sample pictures; the first example's unless given.

    Raises:
        UserError: an SDXL or an inpainting checkpoint, fewer than one picture, several sizes, or a long caption.
    """

    def __init__(
        self,
        model: DiffusionModel,
        works: Sequence[Work],
        settings: MimicSettings,
        *,
        seed: int = 0,
        caption: str | None = None,
    ) -> None:
        _check(model, works)
        self.base, self.settings, self.seed, self.index = model, settings, seed, 0
        self.made_of = _digest(model, works, settings, seed)
        self.caption = caption or works[0].caption
        self.unet = adapted_denoiser(model, settings) if settings.tuning == "lora" else whole_denoiser(model)
        self.trained = [p for p in self.unet.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(self.trained, lr=settings.learning_rate, weight_decay=1e-2)
        self.scaler = torch.amp.GradScaler(model.device, enabled=model.dtype == torch.float16)
        self.latents, self.texts = _encoded(model, works, settings.flip)
        self.alphas = model.scheduler("checkpoint").alphas_cumprod.to(model.device)
        self.prediction: str = model.scheduler("checkpoint").config.prediction_type

    def run(self, *, should_stop: ShouldStop = never) -> Iterator[MimicStep]:
        """Train to the settings' last step from where the training is.

        Raises:
            UserError: the loss is no number; the training stands at the last good step.
        """
        steps = self.settings.steps
        with recompute(self.unet, self._is_short_of_memory()):
            while self.index < steps:
                loss = self._step(self.index)
                self.index += 1
                stopped = self.index < steps and should_stop()
                due = self.settings.preview_every and self.index % self.settings.preview_every == 0
                sample = self._sample() if due and not stopped else None
                yield MimicStep(self.index, steps, {"denoising error": loss}, sample, stopped)
                if stopped:
                    return

    def model(self) -> DiffusionModel:
        """The model as far as it has been trained; it follows further training."""
        unet = self.unet
        if next(unet.parameters()).dtype != self.base.dtype:
            unet = copy.deepcopy(unet).to(self.base.dtype)
        return self.base.with_unet(unet)

    def save(self, folder: Path) -> Path:
        """Write the adapter in diffusers' format (or the whole denoiser), and what going on needs; safetensors only."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.settings.tuning == "lora":
            self.unet.save_lora_adapter(folder, weight_name=ADAPTER)
        else:
            self.unet.save_pretrained(folder / DENOISER, safe_serialization=True)
        moments = {
            f"{number}.{name}": value.contiguous()
            for number, state in self.optimiser.state_dict()["state"].items()
            for name, value in state.items()
        }
        weights = {f"{number}.weight": p.detach().contiguous() for number, p in enumerate(self.trained)}
        progress = {"index": torch.tensor(self.index), **moments, **weights}
        save_file(progress, folder / PROGRESS, metadata={MADE_OF: self.made_of})
        return folder

    def resume(self, folder: Path) -> None:
        """Go on from what ``save`` wrote for the same model, pictures and settings; only their steps may differ.

        Raises:
            UserError: it is not there, damaged, or of other pictures or settings.
        """
        try:
            with safe_open(folder / PROGRESS, framework="pt") as file:
                made_of = (file.metadata() or {}).get(MADE_OF)
                saved = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        except (OSError, SafetensorError):
            raise UserError(f"The fine-tuning in {folder} cannot be read; start a new one in another folder.") from None
        if made_of != self.made_of:
            raise UserError(
                f"{folder} holds a fine-tuning of other pictures, captions or settings; choose another folder."
            )
        try:
            state = self.optimiser.state_dict()
            for name, value in saved.items():
                number, _, key = name.partition(".")
                if key == "weight":
                    with torch.no_grad():
                        self.trained[int(number)].copy_(value)
                elif key:
                    state["state"].setdefault(int(number), {})[key] = value
            self.optimiser.load_state_dict(state)
            self.index = int(saved["index"])
        except (KeyError, IndexError, RuntimeError, ValueError):
            raise UserError(f"The fine-tuning in {folder} is damaged; start a new one in another folder.") from None

    def _is_short_of_memory(self) -> bool:
        """Whether a step's graph would take too much of the memory that is free."""
        free = free_memory(self.base.device)
        if free is None:
            return False
        return self.settings.batch * self.latents[0, 0].numel() * self._kept > SHARE * free

    @functools.cached_property
    def _kept(self) -> float:
        """What a step's graph keeps for each latent; measured once, though a protection trains in many rounds."""
        return denoiser_keeps(self.unet, 2 * self.base.multiple // self.base.autoencoder.factor, inputs=False)

    def _step(self, index: int) -> Tensor:
        draw = torch.Generator().manual_seed(self.seed * SEED_STRIDE + index)
        device, batch = self.base.device, self.settings.batch
        rows = torch.randint(len(self.latents), (batch,), generator=draw)
        times = torch.randint(len(self.alphas), (batch,), generator=draw).to(device)
        clean = self.latents[rows].to(device)
        noise = torch.randn(clean.shape, generator=draw).to(device)
        a = self.alphas[times].view(-1, 1, 1, 1)
        noisy = a.sqrt() * clean + (1 - a).sqrt() * noise
        goal = noise if self.prediction == "epsilon" else a.sqrt() * noise - (1 - a).sqrt() * clean
        with self._autocast():
            texts = torch.stack([self.texts[row % len(self.texts)] for row in rows.tolist()])
            output = self.unet(noisy.to(self.base.dtype), times, texts).sample
        error = (output.float() - goal).square().mean(dim=(1, 2, 3))
        if not bool(error.isfinite().all()):
            raise UserError(
                f"The fine-tuning's loss was not a number at step {index + 1}; what was learnt in the {index} before "
                f"is kept. {NO_NUMBER}"
            )
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(error.mean()).backward()
        self.scaler.unscale_(self.optimiser)
        nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return error.mean().detach().view(1)

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        half = self.base.dtype != torch.float32
        return torch.autocast(self.base.device, self.base.dtype) if half else contextlib.nullcontext()

    def _sample(self) -> Image.Image:
        side = self.latents.shape[-2] * self.base.autoencoder.factor, self.latents.shape[-1]
        wanted = GenerateSettings(prompt=self.caption, count=1, sampling_steps=12, guidance=self.settings.guidance)
        wanted = wanted.model_copy(update={"height": side[0], "width": side[1] * self.base.autoencoder.factor})
        *_, last = generate(wanted, self.model(), seed=self.seed)
        assert last.results is not None
        return last.results[0]


def imitate(
    model: DiffusionModel,
    captions: Sequence[str],
    settings: GenerateSettings,
    *,
    seed: int = 0,
    should_stop: ShouldStop = never,
) -> Iterator[SampleStep]:
    """A picture for each caption, from the seeds seed, seed + 1, ...; the last step has all of them.

    When stopped, the results are those that are finished.
    """
    done: list[Image.Image] = []
    parts = [captions[first : first + GENERATED_AT_ONCE] for first in range(0, len(captions), GENERATED_AT_ONCE)]
    for number, part in enumerate(parts):
        earlier = tuple(done)
        for step in generate(settings, model, prompts=part, seed=seed + len(done), should_stop=should_stop):
            shown = functools.partial(_after, earlier, step.previews)
            place = {"index": number * step.steps + step.index, "steps": len(parts) * step.steps, "previews": shown}
            if step.stopped:
                yield replace(step, results=list(earlier), **place)
                return
            done = [*earlier, *(step.results or [])]
            ended = step.results is not None and number == len(parts) - 1
            yield replace(step, results=done if ended else None, **place)


def _after(earlier: Sequence[Image.Image], previews: Callable[[], list[Image.Image]]) -> list[Image.Image]:
    return [*earlier, *previews()]


def _check(model: DiffusionModel, works: Sequence[Work]) -> None:
    if model.family != "sd" or model.inpainting:
        raise UserError(
            f"The checkpoint {model.name} cannot be fine-tuned here; "
            "use an ordinary Stable Diffusion 1 or 2 checkpoint."
        )
    if not works:
        raise UserError("There are no pictures to learn a style from.")
    sizes = {work.image.size for work in works}
    if len(sizes) > 1:
        shown = ", ".join(f"{width}x{height}" for width, height in sorted(sizes)[:3])
        raise UserError(f"The pictures to learn from have several sizes ({shown}); make them one size first.")
    if any(side % model.multiple for side in next(iter(sizes))):
        raise UserError(f"The pictures to learn from need sides that are multiples of {model.multiple}.")
    for work in works:
        model.check_prompt(work.caption)


def _digest(model: DiffusionModel, works: Sequence[Work], settings: MimicSettings, seed: int) -> str:
    """Of everything that a step depends on, so that a run is never gone on with in another's folder."""
    chosen = settings.model_dump(include=set(SETTINGS_OF_A_STEP))
    digest = hashlib.sha256(json.dumps([model.name, seed, chosen], sort_keys=True).encode())
    for work in works:
        digest.update(repr((work.caption, work.image.size)).encode() + work.image.tobytes())
    return digest.hexdigest()


def _encoded(model: DiffusionModel, works: Sequence[Work], flip: bool) -> tuple[Tensor, list[Tensor]]:
    """(scaled latents of the pictures and then of their mirror images, embeddings of their captions)."""
    latents, known = [], {}
    with torch.no_grad():
        for mirrored in (False, True)[: 1 + flip]:
            for work in works:
                x = to_tensor(work.image, model.device)
                x = x.flip(-1) if mirrored else x
                latents.append(model.autoencoder.to_scaled(model.autoencoder.encode(x))[0].cpu())
        for work in works:
            if work.caption not in known:
                known[work.caption] = model.embed(work.caption)[0]
    return torch.stack(latents), [known[work.caption] for work in works]
