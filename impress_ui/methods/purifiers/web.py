"""WebP and AVIF: what pictures are turned into on their way through the web today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers.purifier import Purifier, at_once

if TYPE_CHECKING:
    from torch import Tensor


class WebpFields(Settings):
    """WebP's settings."""

    webp_quality: int = knob(75, "Quality of the WebP control.", label="WebP quality", step=1, ge=0, le=100)


class AvifFields(Settings):
    """AVIF's settings."""

    avif_quality: int = knob(50, "Quality of the AVIF control.", label="AVIF quality", step=1, ge=0, le=100)


def through(x: Tensor, name: str, quality: int) -> Tensor:
    """x (B, 3, H, W) in [-1, 1] after Pillow's encoder of that name."""
    from impress_ui.methods.filters import through_format

    return through_format(x, name, quality)


WEBP = Purifier("webp", "WebP", WebpFields, at_once(lambda x, s, _: through(x, "WEBP", s.webp_quality)))
AVIF = Purifier("avif", "AVIF", AvifFields, at_once(lambda x, s, _: through(x, "AVIF", s.avif_quality)))
