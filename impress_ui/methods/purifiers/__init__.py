"""The table of purifiers: a file each; a new one is listed here, and page, command line and API know it."""

from impress_ui.methods.purifiers.adverse_cleaner import ADVERSE_CLEANER
from impress_ui.methods.purifiers.bilateral import BILATERAL
from impress_ui.methods.purifiers.blur import BLUR
from impress_ui.methods.purifiers.crop_resize import CROP_RESIZE
from impress_ui.methods.purifiers.gridpure import GRIDPURE
from impress_ui.methods.purifiers.hardened import HARDENED
from impress_ui.methods.purifiers.impress import IMPRESS
from impress_ui.methods.purifiers.jpeg import JPEG
from impress_ui.methods.purifiers.learned import LEARNED
from impress_ui.methods.purifiers.median import MEDIAN
from impress_ui.methods.purifiers.noise import NOISE
from impress_ui.methods.purifiers.noisy_upscaling import NOISY_UPSCALING
from impress_ui.methods.purifiers.non_local_means import NON_LOCAL_MEANS
from impress_ui.methods.purifiers.pixel_diffusion import PIXEL_DIFFUSION
from impress_ui.methods.purifiers.purifier import Purifier
from impress_ui.methods.purifiers.quantise import QUANTISE
from impress_ui.methods.purifiers.resize import RESIZE
from impress_ui.methods.purifiers.round_trip import ROUND_TRIP
from impress_ui.methods.purifiers.sdedit import SDEDIT
from impress_ui.methods.purifiers.total_variation import TOTAL_VARIATION
from impress_ui.methods.purifiers.web import AVIF, WEBP

PURIFIERS: dict[str, Purifier] = {
    purifier.name: purifier
    for purifier in (
        IMPRESS,
        LEARNED,
        ROUND_TRIP,
        HARDENED,
        JPEG,
        NOISE,
        RESIZE,
        TOTAL_VARIATION,
        NON_LOCAL_MEANS,
        BLUR,
        MEDIAN,
        BILATERAL,
        QUANTISE,
        CROP_RESIZE,
        WEBP,
        AVIF,
        ADVERSE_CLEANER,
        NOISY_UPSCALING,
        PIXEL_DIFFUSION,
        SDEDIT,
        GRIDPURE,
    )
}
