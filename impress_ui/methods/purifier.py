"""What a purifier is: a function from protected pictures to the steps of their purification."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods.optimise import ShouldStop, Step, never
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.settings import PurifySettings


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


# Takes pictures (B, 3, H, W) in [-1, 1]; the last step's ``result`` need be neither in 8 bits nor within the mask.
Purifier = Callable[[Tensor, PurifySettings, Tools], Iterator[Step]]


def at_once(change: Callable[[Tensor, PurifySettings, Tools], Tensor]) -> Purifier:
    """A purifier of one step without losses."""

    def purifier(x: Tensor, settings: PurifySettings, tools: Tools) -> Iterator[Step]:
        result = change(x, settings, tools)
        yield Step(0, 0, {}, result, result)

    return purifier
