"""SDEdit (Meng et al., arXiv 2108.01073): a little noise on the latent, and the model paints it again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers.purifier import Purifier, Tools

if TYPE_CHECKING:
    from torch import Tensor

    from impress_ui.methods.optimise import Step
    from impress_ui.settings import PurifySettings


class Fields(Settings):
    """Its settings."""

    sdedit_strength: float = knob(
        0.2,
        "How much of the picture SDEdit gives up before the diffusion model, without a prompt, paints it again.",
        label="SDEdit strength",
        step=0.05,
        ge=0.05,
        le=1,
    )
    sdedit_steps: int = knob(
        20, "Sampling steps of a full denoising; of these the strength's share is run.", label="SDEdit steps", step=1,
        ge=1, le=250,
    )  # fmt: skip


def sdedit(x: Tensor, settings: PurifySettings, tools: Tools) -> Iterator[Step]:
    """SDEdit (Meng et al., arXiv 2108.01073): noise the picture's latent a little and denoise it, without a prompt."""
    from impress_ui.methods.edit import edit, without_prompt
    from impress_ui.methods.optimise import Step
    from impress_ui.pictures.images import to_images, to_tensor

    how = without_prompt(settings.sdedit_strength, settings.sdedit_steps)
    for step in edit(to_images(x), how, tools.whole_model(), seed=tools.seed, should_stop=tools.should_stop):
        made = to_tensor(step.results, str(x.device)) if step.results is not None else None
        yield Step(step.index, step.steps, {}, x if made is None else made, made, step.stopped)


SDEDIT = Purifier(
    "sdedit",
    "SDEdit",
    Fields,
    sdedit,
    choice="SDEdit, by the diffusion model",
    steps=lambda settings: int(settings.sdedit_steps * settings.sdedit_strength),
    overhead=3,
    probe=lambda settings: {"sdedit_steps": max(1, round(1 / settings.sdedit_strength + 0.5))},
    generative=True,
)
