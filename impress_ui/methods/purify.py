"""Purification: any purifier or a chain of them, within a mask, as 8-bit pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from torch import Tensor

from impress_ui.methods.optimise import ShouldStop, Step, identity, never, within_mask
from impress_ui.methods.purifiers import PURIFIERS
from impress_ui.methods.purifiers.purifier import Tools
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.pictures.images import quantise
from impress_ui.settings import PurifySettings
from impress_ui.settings.purify import parts_of, words_of


def purify(
    x_adv: Tensor,
    settings: PurifySettings,
    autoencoder: Autoencoder,
    *,
    model: DiffusionModel | None = None,
    seed: int = 0,
    mask: Tensor | None = None,
    should_stop: ShouldStop = never,
) -> Iterator[Step]:
    """Purify protected pictures x_adv (B, 3, H, W) in [-1, 1].

    Args:
        model: the whole checkpoint, where ``needs_model`` says so.
        seed: of the start noise, the noise control and the sampling.
        mask: (1 or B, 1, H, W), 1 where pixels may change; None for everywhere.

    Yields:
        ``Step``; the last one's ``result`` is rounded to 8 bits. A classical filter is a single step without losses.

    Raises:
        UserError: a purifier that needs the whole model, without it, or that cannot run here.
    """
    check_ready([settings], autoencoder)
    tools = Tools(autoencoder, model, seed, mask, should_stop)
    parts = parts_of(settings)
    done, steps = 0, sum(map(planned_steps, parts))
    notes: list[str] = []
    for number, part in enumerate(parts):
        x = x_adv
        for step in _one(x, part, tools):
            index = done + step.index
            if step.result is None:
                yield replace(step, index=index, steps=steps)
                continue
            x_adv = step.result
            if step.note:
                notes.append(f"{words_of(part)}: {step.note}" if len(parts) > 1 else step.note)
            stopped = step.stopped or (number + 1 < len(parts) and should_stop())
            if stopped or number + 1 == len(parts):
                yield replace(step, index=index, steps=steps, stopped=stopped, note=" ".join(notes))
                return
            yield replace(step, index=index, steps=steps, result=None, note="")
        done += planned_steps(part)


def _one(x_adv: Tensor, settings: PurifySettings, tools: Tools) -> Iterator[Step]:
    for step in PURIFIERS[settings.method].run(x_adv, settings, tools):
        if step.result is not None:
            step.result = quantise(within_mask(identity, x_adv, tools.mask)(step.result))
        yield step


def check_ready(purifiers: Iterable[PurifySettings], autoencoder: Autoencoder) -> None:
    """Refuse purifiers, and parts of chains, that cannot run here, before anything is computed.

    Raises:
        UserError: the first one's reason.
    """
    for part in (part for settings in purifiers for part in parts_of(settings)):
        PURIFIERS[part.method].ready(part, autoencoder)


def needs_model(settings: PurifySettings) -> bool:
    """Whether the autoencoder alone is not enough."""
    return any(PURIFIERS[part.method].generative for part in parts_of(settings))


def planned_steps(settings: PurifySettings) -> int:
    """The steps that a run is going to count; a classical filter counts none."""
    return sum(PURIFIERS[part.method].steps(part) for part in parts_of(settings))
