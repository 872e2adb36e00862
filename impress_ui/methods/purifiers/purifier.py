"""What a purifier is: its words, its fields and a function from protected pictures to steps, in one file each.

A new one is a file beside these and its name in the table of ``methods/purifiers``. Torch and the filters' libraries
are imported where a purifier runs and nowhere above, so that the command line and the page know every method at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from impress_ui.errors import UserError
from impress_ui.fields import Settings, knob

if TYPE_CHECKING:
    from torch import Tensor

    from impress_ui.methods.optimise import ShouldStop, Step
    from impress_ui.models.autoencoder import Autoencoder
    from impress_ui.models.diffusion_model import DiffusionModel
    from impress_ui.settings import PurifySettings


def never() -> bool:
    """Of a run that nobody stops; here, where no torch is imported yet."""
    return False


@dataclass(frozen=True)
class Tools:
    """What purifiers work with besides the pictures.

    ``mask`` is (1 or B, 1, H, W), 1 where pixels may change; ``model`` is the whole checkpoint, which the generative
    ones need.
    """

    autoencoder: Autoencoder
    model: DiffusionModel | None = None
    seed: int = 0
    mask: Tensor | None = None
    should_stop: ShouldStop = never

    def whole_model(self) -> DiffusionModel:
        """The whole checkpoint.

        Raises:
            UserError: only its autoencoder is there.
        """
        if self.model is None:
            raise UserError(
                "This purifier needs a whole diffusion model, and here only an autoencoder is at hand; "
                "choose one without the diffusion model, such as IMPRESS or jpeg."
            )
        return self.model


@dataclass(frozen=True)
class Purifier:
    """One purifier.

    Attributes:
        name: as settings, command line and API have it.
        label: for people; ``choice`` is the longer one that lists show, where there is one.
        fields: the settings that it has; the first is the one that tells its rows apart.
        run: takes pictures (B, 3, H, W) in [-1, 1]; the last step's ``result`` need be neither in 8 bits nor masked.
        ready: raises a ``UserError`` where it cannot run with these settings on this autoencoder; asked before anything
            is computed.
        steps: the steps that a run counts; 0 for a filter, which is one step at once.
        overhead: what a run takes besides its steps, in steps: every estimate of cost is made of the two.
        pixels: the pixels that one step computes for a picture of (width, height).
        pace: runs of one pace take the same time for a step and pixel.
        probe: changes to the settings for a run of one step, by which the pace is measured.
        probe_side: the probe needs no more than a square of so many pixels; 0 for the whole picture.
        generative: whether it runs the denoiser too, not the autoencoder alone.
        own_file: the field that names a file which does not come along, where it cannot do without one.
        files: those of one's own that decide about its results, of settings that are ``ready``.
        learned: whether the learned purifier's weights that come along decide about its results.
        embedded_only: whether it was made for the embedded checkpoint, and is refused by others.
        control: whether it is quick enough to stand beside every purification.
    """

    name: str
    label: str
    fields: type[Settings]
    run: Callable[[Tensor, PurifySettings, Tools], Iterator[Step]]
    choice: str = ""
    ready: Callable[[PurifySettings, Autoencoder], object] = lambda *_: None
    steps: Callable[[PurifySettings], int] = lambda _: 0
    overhead: int = 0
    pixels: Callable[[PurifySettings, tuple[int, int]], float] = lambda _, size: float(size[0] * size[1])
    pace: Callable[[PurifySettings], str] = lambda settings: settings.method
    probe: Callable[[PurifySettings], dict[str, int]] | None = None
    probe_side: int = 0
    generative: bool = False
    own_file: str = ""
    files: Callable[[PurifySettings], Sequence[str | Path]] = lambda _: ()
    learned: Callable[[PurifySettings], bool] = lambda _: False
    embedded_only: bool = False
    control: bool = False


def at_once(change: Callable[[Tensor, PurifySettings, Tools], Tensor]) -> Callable[..., Iterator[Step]]:
    """A run of one step without losses."""

    def run(x: Tensor, settings: PurifySettings, tools: Tools) -> Iterator[Step]:
        from impress_ui.methods.optimise import Step

        result = change(x, settings, tools)
        yield Step(0, 0, {}, result, result)

    return run


class StrengthFields(Settings):
    """The two denoisers' setting."""

    denoise_weight: float = knob(
        0.05,
        "Strength of the two denoising controls: total variation's weight, non-local means' cut-off.",
        label="Denoiser strength",
        step=0.01,
        ge=0.01,
        le=0.5,
    )
