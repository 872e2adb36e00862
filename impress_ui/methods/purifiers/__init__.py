"""The purifiers by name, a small file a kind; ``core.purify`` runs them."""

from __future__ import annotations

from impress_ui.methods import filters
from impress_ui.methods.impress import impress
from impress_ui.methods.purifier import Purifier, Tools, at_once
from impress_ui.methods.purifiers.generative import gridpure, round_trip, sdedit
from impress_ui.settings import PurifyMethod

PURIFIERS: dict[PurifyMethod, Purifier] = {
    "impress": impress,
    "round-trip": at_once(lambda x, s, tools: round_trip(x, s.round_trips, tools.autoencoder)),
    "jpeg": at_once(lambda x, s, _: filters.jpeg(x, s.jpeg_quality)),
    "noise": at_once(lambda x, s, tools: filters.gaussian_noise(x, s.noise_std, tools.seed)),
    "resize": at_once(lambda x, s, _: filters.down_and_up(x, s.resize_factor)),
    "total-variation": at_once(lambda x, s, _: filters.total_variation(x, s.denoise_weight)),
    "non-local-means": at_once(lambda x, s, _: filters.non_local_means(x, s.denoise_weight)),
    "blur": at_once(lambda x, s, _: filters.blur(x, s.blur_sigma)),
    "median": at_once(lambda x, s, _: filters.median(x, s.median_radius)),
    "bilateral": at_once(lambda x, s, _: filters.bilateral(x, s.bilateral_colour, s.bilateral_space)),
    "quantise": at_once(lambda x, s, _: filters.palette(x, s.colours)),
    "crop-resize": at_once(lambda x, s, _: filters.crop_and_resize(x, s.crop_share)),
    "sdedit": sdedit,
    "gridpure": gridpure,
}

__all__ = ["PURIFIERS", "Purifier", "Tools"]
