"""Editing and generating with diffusers' own pipelines: the third pipeline of the app.

    for step in edit([original, protected, purified], settings, model, seed=0):
        ...                                   # step.index, step.previews()
    pictures = step.results                   # set on the last step only

All pictures of a call share one seed, so each gets the same noise: what differs between their edits comes from
the pictures alone.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from impress_ui.errors import UserError
from impress_ui.methods.optimise import ShouldStop, never
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.models.hardened import harden
from impress_ui.pictures.images import to_images, to_tensor
from impress_ui.pictures.masks import mask_tensor
from impress_ui.settings import EditSettings, GenerateSettings, SamplingSettings


@dataclass
class SampleStep:
    """One step of a sampler over a batch; ``results`` is set on the last one.

    ``previews()`` decodes the clean pictures that the model expects at this step; it costs a decoding.
    """

    index: int
    steps: int
    previews: Callable[[], list[Image.Image]]
    results: list[Image.Image] | None = None
    stopped: bool = False


def edit(
    images: list[Image.Image],
    settings: EditSettings,
    model: DiffusionModel,
    *,
    seed: int = 0,
    mask: Image.Image | None = None,
    should_stop: ShouldStop = never,
) -> Iterator[SampleStep]:
    """Edit pictures of one size by text: image to image, or inpainting where the mask is white.

    Args:
        images: RGB pictures of one size; it need not fit the model, they are padded and cropped again.
        mask: of the pictures' shape, white where inpainting repaints; not used by image to image.

    Yields:
        ``SampleStep``; the last one's ``results`` are in the order of ``images``. A stopped edit gives the clean
        pictures expected at the step that it reached.

    Raises:
        UserError: pictures of several sizes, a missing, empty or ill-sized mask, a prompt that is too long, a
            model that cannot do the mode, a strength that leaves no step, or the hardened encoder for a checkpoint
            that it was not trained for.
    """
    if len({image.size for image in images}) != 1:
        raise UserError("The pictures to edit have different sizes; use pictures of one size.")
    _check_text(settings, model)
    if settings.hardened:
        model = model.with_autoencoder(harden(model.autoencoder))
    if settings.steps_taken < 1:
        raise UserError("This strength leaves no sampling step: raise the edit strength or the sampling steps.")
    width, height = images[0].size
    pixels = _padded(to_tensor(images), model.multiple)
    options: dict[str, Any] = {"image": (pixels + 1) / 2, "strength": settings.strength}
    area = None
    if settings.mode == "inpaint":
        area = _edited_area(mask, images[0].size, settings.invert_mask)
        padded = F.pad(area, (0, pixels.shape[-1] - width, 0, pixels.shape[-2] - height), mode="replicate")
        options["mask_image"] = padded.expand(len(images), -1, -1, -1)
        options["height"], options["width"] = pixels.shape[-2:]
    generators = [torch.Generator().manual_seed(seed) for _ in images]

    def finish(made: Tensor) -> list[Image.Image]:
        made = made[..., :height, :width].cpu()
        if area is not None and settings.paste_back:
            made = torch.where(area.bool(), made, to_tensor(images))
        return to_images(made)

    texts = [settings.prompt] * len(images)
    yield from _sample(model, settings.mode, settings, texts, generators, options, finish, should_stop)


def generate(
    settings: GenerateSettings,
    model: DiffusionModel,
    *,
    prompts: Sequence[str] | None = None,
    seed: int = 0,
    should_stop: ShouldStop = never,
) -> Iterator[SampleStep]:
    """Pictures from text: ``settings.count`` of them, or one for each prompt, from the seeds seed, seed + 1, ...

    Raises:
        UserError: a prompt that is too long, or a model that cannot start from text alone.
    """
    texts = [settings.prompt] * settings.count if prompts is None else list(prompts)
    for text in {*texts, settings.negative_prompt}:
        model.check_prompt(text)
    side = model.multiple
    options = {"height": -(-settings.height // side) * side, "width": -(-settings.width // side) * side}
    generators = [torch.Generator().manual_seed(seed + number) for number in range(len(texts))]

    def finish(made: Tensor) -> list[Image.Image]:
        return to_images(made[..., : settings.height, : settings.width].cpu())

    yield from _sample(model, "text2img", settings, texts, generators, options, finish, should_stop)


def clean_estimate(scheduler: Any, output: Tensor, time: Tensor, sample: Tensor) -> Tensor:
    """The clean latents that a model's output for a noisy sample stands for, for any diffusers scheduler.

    Schedulers of the Euler family keep samples with variance growing as sigma, the others with variance 1.
    """
    alpha = scheduler.alphas_cumprod.to(sample)[int(time)]
    if float(scheduler.init_noise_sigma) > 1.01:
        sample = sample * alpha.sqrt()
    match scheduler.config.prediction_type:
        case "epsilon":
            return (sample - (1 - alpha).sqrt() * output) / alpha.sqrt()
        case "v_prediction":
            return alpha.sqrt() * sample - (1 - alpha).sqrt() * output
        case _:
            return output


def _check_text(settings: SamplingSettings, model: DiffusionModel) -> None:
    model.check_prompt(settings.prompt)
    model.check_prompt(settings.negative_prompt)


def _edited_area(mask: Image.Image | None, size: tuple[int, int], inverted: bool) -> Tensor:
    """(1, 1, H, W), 1 where inpainting repaints."""
    if mask is None:
        raise UserError("Inpainting needs a mask: paint in white what is to be repainted, or choose image to image.")
    return mask_tensor(mask, size, inverted=inverted)


def _padded(x: Tensor, multiple: int) -> Tensor:
    bottom, right = -x.shape[-2] % multiple, -x.shape[-1] % multiple
    return F.pad(x, (0, right, 0, bottom), mode="reflect") if bottom or right else x


class _Stopped(Exception):
    """Ends the sampler's thread."""


def _sample(
    model: DiffusionModel,
    task: str,
    settings: SamplingSettings,
    texts: list[str],
    generators: list[torch.Generator],
    options: dict[str, Any],
    finish: Callable[[Tensor], list[Image.Image]],
    should_stop: ShouldStop,
) -> Iterator[SampleStep]:
    """Run a pipeline and yield at each of its steps.

    diffusers reports steps by callback; the pipeline runs in a thread that waits in the callback until the next
    step is asked for, so that the two never compute at once.
    """
    pipeline = model.pipeline(task, settings.sampler)
    latest: dict[str, Tensor] = {}
    _record_estimates(pipeline.scheduler, latest)
    handshake = _Handshake()

    def after_step(pipe: Any, index: int, time: Tensor, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        handshake.offer((index + 1, pipe.num_timesteps))
        return tensors

    def work() -> None:
        made = pipeline(
            prompt=texts,
            negative_prompt=[settings.negative_prompt] * len(texts),
            guidance_scale=settings.guidance,
            num_inference_steps=settings.sampling_steps,
            generator=generators,
            output_type="pt",
            callback_on_step_end=after_step,
            **options,
        ).images
        if not bool(made.isfinite().all()):
            precision = str(model.dtype).removeprefix("torch.")
            raise UserError(
                f"The denoiser of the checkpoint {model.name} gives values that are no numbers in {precision}: "
                "choose the precision float32, or another checkpoint."
            )
        latest["made"] = made.float() * 2 - 1

    @torch.no_grad()
    def previews() -> list[Image.Image]:
        return finish(model.autoencoder.decode(model.autoencoder.to_unscaled(latest["clean"].float())))

    index = steps = 0
    for index, steps in handshake.run(work):
        if index < steps and should_stop():
            yield SampleStep(index, steps, previews, previews(), stopped=True)
            return
        if index < steps:
            yield SampleStep(index, steps, previews)
    results = finish(latest["made"])
    yield SampleStep(index, steps, lambda: results, results)


def _record_estimates(scheduler: Any, latest: dict[str, Tensor]) -> None:
    """Keep the clean estimate of every step; the pipelines hand out noisy latents only."""
    original = scheduler.step

    @functools.wraps(original)  # the pipelines look into its signature
    def step(model_output: Tensor, timestep: Tensor, sample: Tensor, *args: Any, **kwargs: Any) -> Any:
        latest["clean"] = clean_estimate(scheduler, model_output, timestep, sample)
        return original(model_output, timestep, sample, *args, **kwargs)

    scheduler.step = step


class _Handshake:
    """Turns a function that reports by callback into an iterator; exactly one of the two runs at a time."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._item: Any = None
        self._closed = False
        self._finished = False
        self._error: BaseException | None = None

    def offer(self, item: Any) -> None:
        """Called by the function: hand an item over and wait until the next one is asked for."""
        with self._turn:
            self._item = (item,)
            self._turn.notify_all()
            self._turn.wait_for(lambda: self._item is None or self._closed)
        if self._closed:
            raise _Stopped

    def run(self, work: Callable[[], None]) -> Iterator[Any]:
        """The items that ``work`` offers; its exception, if it has one. Leaving early ends it at its next offer."""

        def guarded() -> None:
            try:
                work()
            except _Stopped:
                pass
            except BaseException as error:
                self._error = error
            finally:
                with self._turn:
                    self._finished = True
                    self._turn.notify_all()

        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        try:
            while True:
                with self._turn:
                    self._turn.wait_for(lambda: self._item is not None or self._finished)
                    if self._item is None:
                        break
                    (item,) = self._item
                yield item
                with self._turn:
                    self._item = None
                    self._turn.notify_all()
        finally:
            with self._turn:
                self._closed = True
                self._turn.notify_all()
            thread.join()
        if self._error is not None:
            raise self._error


def without_prompt(strength: float, steps: int) -> EditSettings:
    """How the purifiers by the model itself edit: nothing to be guided to, so guidance would only double the time."""
    return EditSettings(prompt="", guidance=1, strength=strength, sampling_steps=steps)
