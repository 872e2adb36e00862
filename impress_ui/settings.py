"""The one source of every range, default, symbol and help text.

Sliders, command line, API and the settings stored inside PNG files are all made from these models.
Nothing here imports torch or gradio, so ``--help`` stays instant.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from impress_ui.recipes import RECIPES

LpipsNetwork = Literal["alex", "vgg"]
SimilarityNetwork = Literal["auto", "alex", "vgg"]
ProtectMethod = Literal["photoguard-encoder"]
TargetKind = Literal["zero", "grey", "image"]
PurifyMethod = Literal["impress", "round-trip", "jpeg", "noise", "resize", "total-variation", "non-local-means"]
Recipe = Literal["fast", "paper", "paper-editing"]
Start = Literal["protected", "jpeg"]
Variable = Literal["pixels", "latent"]
Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["float32", "bfloat16", "float16"]

EMBEDDED = "embedded"


def knob(
    default: Any, help: str, *, symbol: str = "", step: float | None = None, label: str = "", **limits: Any
) -> Any:
    """A pydantic field that also carries its slider's label, symbol and step."""
    return Field(
        default, description=help, json_schema_extra={"symbol": symbol, "step": step, "label": label}, **limits
    )


class Settings(BaseModel):
    """Base of all settings: unknown names and NaN are refused, and instances do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def describe(cls, name: str) -> dict[str, Any]:
        """Label, symbol, help, default, minimum, maximum and step of one field, for a slider or an option."""
        field = cls.model_fields[name]
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        bounds = {type(limit).__name__: limit for limit in field.metadata}
        return {
            "label": extra.get("label") or name.replace("_", " ").capitalize(),
            "symbol": extra.get("symbol", ""),
            "help": field.description or "",
            "default": field.default,
            "minimum": getattr(bounds.get("Ge"), "ge", None),
            "maximum": getattr(bounds.get("Le"), "le", None),
            "step": extra.get("step"),
        }


class RunSettings(Settings):
    """What every job shares: which model, where, at what size, from which seed."""

    checkpoint: str = knob(
        EMBEDDED,
        "The latent diffusion checkpoint: 'embedded', or a folder in diffusers' layout with a vae/ inside.",
        min_length=1,
        max_length=500,
    )
    device: Device = knob("auto", "Where to compute; 'auto' takes a GPU when there is one.")
    precision: Precision = knob(
        "float32", "Precision of the autoencoder; pixels, losses and optimiser stay in float32."
    )
    size: int = knob(
        256,
        "Longest side that the picture is reduced to, in pixels; smaller pictures are left as they are.",
        label="Working size",
        step=8,
        ge=64,
        le=512,
        multiple_of=8,
    )
    seed: int = knob(0, "Seed of every random number in a run.", label="Seed", step=1, ge=0, le=2**31 - 1)


class ProtectSettings(Settings):
    """PhotoGuard's encoder attack (Salman et al., arXiv 2302.06588)."""

    method: ProtectMethod = knob("photoguard-encoder", "How the picture is protected.")
    target: TargetKind = knob(
        "zero",
        "Where the picture's latent is pushed: the zero latent, a grey picture's, or an uploaded picture's.",
        label="Target",
    )
    budget: int = knob(
        16,
        "Most that any pixel value may change, in grey levels out of 255.",
        symbol="ε",
        label="Budget",
        step=1,
        ge=0,
        le=64,
    )
    steps: int = knob(40, "Gradient steps of the attack.", label="Attack steps", step=1, ge=1, le=2000)
    step_size: float = knob(
        8.0,
        "First step's size in grey levels; it decays to a hundredth over the run.",
        label="Attack step size",
        step=0.5,
        ge=0.1,
        le=64,
    )
    random_start: bool = knob(True, "Start from uniform noise within the budget, as the published attack does.")


class PurifySettings(Settings):
    """IMPRESS and the controls that it must beat. A recipe is a set of defaults for these fields."""

    method: PurifyMethod = knob(
        "impress",
        "IMPRESS, or a control: autoencoder round trip, JPEG, Gaussian noise, down-and-up resize, or one of two "
        "classical denoisers (total variation, non-local means).",
        label="Purifier",
    )
    recipe: Recipe = knob(
        "fast",
        "'fast' is ours; 'paper' and 'paper-editing' are the published code's settings for style and editing.",
        label="Recipe",
    )
    alpha: float = knob(
        0.1,
        "Weight of the similarity term: how strongly the result is held to the protected picture.",
        symbol="α",
        label="Similarity weight",
        step=0.01,
        ge=0,
        le=10,
    )
    delta: float = knob(
        0.5,
        "LPIPS distance from the protected picture that costs nothing.",
        symbol="Δ_L",
        label="Similarity budget",
        step=0.01,
        ge=0,
        le=1,
    )
    steps: int = knob(40, "Optimisation steps.", label="Purify steps", step=1, ge=1, le=5000)
    learning_rate: float = knob(
        0.05,
        "Adam's learning rate: in units of the [-1, 1] pixel range, or of the latents' deviation.",
        symbol="η",
        label="Learning rate",
        step=0.001,
        ge=1e-5,
        le=0.5,
    )
    start_noise: float = knob(
        0.0,
        "Deviation of the Gaussian noise added before the first step, in the [-1, 1] pixel range.",
        symbol="σ",
        label="Start noise",
        step=0.01,
        ge=0,
        le=0.5,
    )
    variable: Variable = knob(
        "latent",
        "What is optimised: 'pixels' as published, or a latent whose decoded picture is the result, which "
        "makes it consistent by construction.",
        label="Variable",
    )
    consistency_weight: float = knob(
        0.0,
        "Weight of the paper's consistency term, which the latent variable can do without.",
        label="Consistency weight",
        step=0.1,
        ge=0,
        le=10,
    )
    fidelity_weight: float = knob(
        1.0,
        "Weight of the squared pixel difference from the protected picture, which the published loss lacks.",
        symbol="φ",
        label="Fidelity weight",
        step=0.1,
        ge=0,
        le=10,
    )
    smoothness: float = knob(
        0.02,
        "Weight of the total variation of the pixels, which the published loss lacks.",
        symbol="τ",
        label="Smoothness weight",
        step=0.005,
        ge=0,
        le=1,
    )
    trust_radius: int = knob(
        16,
        "Most that any pixel of the result may differ from the protected picture, in grey levels; 0 is no limit.",
        label="Trust radius",
        step=1,
        ge=0,
        le=255,
    )
    polish: float = knob(
        0.01,
        "Cut-off of a light non-local-means filter on the result, in the [0, 1] pixel range; 0 leaves it out.",
        label="Polish",
        step=0.005,
        ge=0,
        le=0.1,
    )
    similarity_network: SimilarityNetwork = knob(
        "auto",
        "Network of the similarity's LPIPS. 'auto' is AlexNet on the embedded checkpoint, whose encoder shares "
        "VGG16's features, and the paper's VGG16 elsewhere.",
        label="Similarity network",
    )
    adam_eps: float = knob(
        1e-8,
        "Adam's epsilon. The published 1e-5 lies above the gradients and turns Adam into momentum descent.",
        label="Adam epsilon",
        ge=1e-12,
        le=1e-2,
    )
    start: Start = knob(
        "jpeg", "Where the optimisation starts: from the protected picture, or from a JPEG of it.", label="Start from"
    )
    start_quality: int = knob(40, "Quality of that JPEG.", label="Start quality", step=1, ge=1, le=100)
    keep_best: bool = knob(True, "Return the iterate with the lowest loss rather than the last one.")
    patience: int = knob(
        0, "Stop once the loss has not improved for this many steps; 0 never does.", step=1, ge=0, le=1000
    )
    jpeg_quality: int = knob(40, "Quality of the JPEG control.", label="JPEG quality", step=1, ge=1, le=100)
    noise_std: float = knob(
        0.05,
        "Deviation of the Gaussian noise control, in the [0, 1] pixel range.",
        label="Noise deviation",
        step=0.01,
        ge=0,
        le=0.5,
    )
    resize_factor: float = knob(
        0.5,
        "Factor by which the resize control shrinks the picture before enlarging it again.",
        label="Resize factor",
        step=0.05,
        ge=0.1,
        le=1,
    )
    round_trips: int = knob(
        1, "How many times the round-trip control passes the autoencoder.", label="Round trips", step=1, ge=1, le=10
    )
    denoise_weight: float = knob(
        0.05,
        "Strength of the two denoising controls: total variation's weight, non-local means' cut-off.",
        label="Denoiser strength",
        step=0.01,
        ge=0.01,
        le=0.5,
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_from_recipe(cls, data: Any) -> Any:
        """Fields that are not given take the recipe's values."""
        if isinstance(data, dict) and data.get("recipe") in RECIPES:
            return {**RECIPES[data["recipe"]], **data}
        return data


# The controls that IMPRESS must beat, and the one field that each of them has.
CONTROLS: dict[PurifyMethod, str] = {
    "round-trip": "round_trips",
    "jpeg": "jpeg_quality",
    "noise": "noise_std",
    "resize": "resize_factor",
    "total-variation": "denoise_weight",
    "non-local-means": "denoise_weight",
}


class JobSettings(Settings):
    """Everything that determines a result: stored in saved PNGs and read from ``--settings`` files."""

    version: Literal[1] = 1
    run: RunSettings = RunSettings()
    protect: ProtectSettings = ProtectSettings()
    purify: PurifySettings = PurifySettings()

    def updated(self, **sections: dict[str, Any]) -> Self:
        """A validated copy with some fields of some sections replaced; a new recipe brings its own defaults."""
        data = self.model_dump(exclude_unset=True)
        for name, values in sections.items():
            section = data.setdefault(name, {})
            if values.get("recipe") and values["recipe"] != section.get("recipe"):
                section.clear()
            section.update(values)
        return type(self).model_validate(data)


def sentence_of(error: ValidationError) -> str:
    """The first mistake in one sentence: which setting, what is wrong with it, and what was given."""
    first = error.errors(include_url=False, include_context=False)[0]
    name = ".".join(str(part) for part in first["loc"]) or "settings"
    if first["type"] == "extra_forbidden":
        return f"There is no setting named {name}."
    given = first["input"]
    shown = "" if isinstance(given, (dict, list)) else f" (given: {str(given)[:60]})"
    return f"The setting {name} is not valid: {first['msg'][0].lower()}{first['msg'][1:]}{shown}."
