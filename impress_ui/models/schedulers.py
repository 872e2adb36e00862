"""The samplers that an edit or a generation may have, as diffusers' schedulers with the checkpoint's noise schedule."""

from __future__ import annotations

from typing import Any

from impress_ui.settings import Sampler

# Those that take one pass of the denoiser a step, so that a step means the same with all of them.
_NAMES = {
    "ddim": "DDIM", "dpm++": "DPMSolverMultistep", "euler": "EulerDiscrete", "euler-a": "EulerAncestralDiscrete",
    "unipc": "UniPCMultistep", "deis": "DEISMultistep", "lms": "LMSDiscrete",
}  # fmt: skip


def scheduler_of(sampler: Sampler, template: Any) -> Any:
    """A fresh scheduler: of the checkpoint's own kind, that of ``template``, or of another."""
    import diffusers

    cls = getattr(diffusers, f"{_NAMES[sampler]}Scheduler") if sampler in _NAMES else type(template)
    # Some clip to the range of pixels unless told not to, and a checkpoint with another sampler does not tell.
    options: dict[str, Any] = (
        {"clip_sample": False} if cls in (diffusers.DDIMScheduler, diffusers.DDPMScheduler) else {}
    )
    told = dict(template.config)
    if cls is not type(template):  # an algorithm of another kind's
        told.pop("algorithm_type", None)
    return cls.from_config(told, **options)
