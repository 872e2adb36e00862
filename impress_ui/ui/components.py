"""The two factories that every widget of the page comes from: pictures without loss, and knobs from the settings."""

from __future__ import annotations

import types
import typing
from typing import Any, TypeVar, get_args, get_origin

import gradio as gr
from gradio.components import Component

from impress_ui.methods.protections import PROTECTIONS
from impress_ui.methods.purifiers import PURIFIERS
from impress_ui.settings import MEASURES, Settings
from impress_ui.settings.explore import NOTHING
from impress_ui.settings.purify import CHAIN
from impress_ui.settings.sweep import label_of, swept_names

PictureComponent = TypeVar("PictureComponent", gr.Image, gr.ImageSlider, gr.ImageEditor, gr.Gallery)
# Above so many positions a slider cannot be aimed; such numbers are typed.
MAX_POSITIONS = 20_000
PURIFIER_NAMES = {**{name: purifier.label for name, purifier in PURIFIERS.items()}, CHAIN: "Chain"}
CHOICE_NAMES = {
    **{name: about.label for name, about in PROTECTIONS.items()},
    "linf": "L∞: most change per pixel",
    "l2": "L2: over the whole picture",
    "zero": "Zero latent (diffusion attack: grey)",
    "grey": "Grey picture",
    "pattern": "Stark pattern, as Mist’s",
    "image": "Uploaded picture",
    **PURIFIER_NAMES,
    **{name: purifier.choice for name, purifier in PURIFIERS.items() if purifier.choice},
    "chain": "Chain of purifiers",
    "as-set": "As set in Settings",
    "mse": "Squared difference (MSE)",
    "charbonnier": "Charbonnier",
    "lpips": "LPIPS",
    "adam": "Adam",
    "projection": "Adam, orthogonal projection",
    "none": "No: like any other",
    "consistency": "Consistency, β · mean (V(x) − x)²",
    "loss": "IMPRESS’s whole loss, times β",
    "unrolled": "Attack what IMPRESS makes of it",
    "undeclared": "Nothing",
    "no-ai-training": "No AI training (IPTC)",
    "crop": "Crop",
    "screenshot": "Screenshot",
    "fast": "fast (ours)",
    "fast-style": "fast-style (ours, for GLAZE)",
    "careful": "careful (ours, as far as is found)",
    "paper": "paper (style)",
    "paper-editing": "paper (editing)",
    "img2img": "Image to image",
    "inpaint": "Inpainting, within the mask",
    "checkpoint": "Checkpoint’s own",
    "ddim": "DDIM",
    "dpm++": "DPM++",
    "euler": "Euler",
    "euler-a": "Euler, ancestral",
    "unipc": "UniPC",
    "deis": "DEIS",
    "lms": "LMS",
    NOTHING: "Nothing more: a curve",
    **{name: measure.label for name, measure in MEASURES.items()},
    **{name: f"{name.partition('.')[0].capitalize()}: {label_of(name)}" for name in swept_names()},
}


def lossless(kind: type[PictureComponent], label: str, **options: Any) -> PictureComponent:
    """A picture component that keeps every pixel: Gradio's default format is lossy WebP, which removes protections."""
    if kind is not gr.Gallery:
        options.setdefault("image_mode", None)
    return kind(label=label, format="png", **options)


def picture_output(label: str, alt: str, **options: Any) -> gr.Image:
    """A pane that shows a picture file and offers it for download as it is."""
    return lossless(
        gr.Image, label, alt_text=alt, type="filepath", interactive=False, buttons=["download", "fullscreen"], **options
    )


def mask_editor(label: str, **options: Any) -> gr.ImageEditor:
    """A picture to paint a mask on, in white; ``mask_background`` puts the picture there."""
    return lossless(
        gr.ImageEditor, label, image_mode="RGBA", type="pil", layers=False, transforms=(), sources=(),
        brush=gr.Brush(colors=["#ffffff"], color_mode="fixed"), buttons=["fullscreen"],
        show_label=False, height=320, **options,
    )  # fmt: skip


def mask_background(path: str) -> dict[str, Any]:
    """The value of a mask editor with nothing painted on the picture."""
    return {"background": path, "layers": [], "composite": path}


def picture_input(label: str, alt: str, **options: Any) -> gr.Image:
    """An upload that hands on the path of the file exactly as it came.

    Gradio's own preprocessing opens the file first and answers a damaged one with an internal error;
    ``open_picture`` says what is wrong instead. It is replaced on the instance, since Gradio writes a stub file
    beside every module that subclasses a component. Never ``gr.update`` such a component's properties: Gradio
    would build it anew without this.
    """
    image = lossless(
        gr.Image,
        label,
        alt_text=alt,
        type="filepath",
        sources=["upload", "clipboard"],
        buttons=["fullscreen"],
        **options,
    )
    as_gradio_does = image.preprocess

    def preprocess(payload: Any) -> Any:
        return payload.path if payload is not None and payload.path else as_gradio_does(payload)

    image.preprocess = preprocess
    return image


def settings_input() -> gr.JSON:
    """Settings by sections, as an endpoint takes them.

    ``gr.JSON`` says of itself that it takes anything, in a form that is no valid JSON schema: agents are refused by it.
    """
    settings = gr.JSON(label="settings")
    settings.api_info = lambda: {"type": "object", "description": "settings by sections"}
    return settings


def knob(model: type[Settings], name: str, **options: Any) -> Component:
    """The widget for one field of the settings, with its label, symbol, help, default and range.

    ``choices``: of a text, a list to choose from in place of a box to write in; of a choice, those that are offered.
    """
    about = model.describe(name)
    annotation = model.model_fields[name].annotation
    common: dict[str, Any] = {
        "value": about["default"],
        "label": f"{about['label']} {about['symbol']}".strip(),
        "info": f"{about['help']} {_default(model, name)}".strip(),
        "elem_id": f"knob-{name}",
        **options,
    }
    if annotation is bool:
        return gr.Checkbox(**common)
    if get_origin(annotation) is typing.Literal:
        offered = common.pop("choices", get_args(annotation))
        choices = [(CHOICE_NAMES.get(value, value), value) for value in offered]
        return gr.Dropdown(choices=choices, filterable=False, **common)
    if get_origin(annotation) is tuple:
        if not about["choices"]:
            return gr.Textbox(max_lines=1, **{**common, "value": ", then ".join(about["default"])})
        choices = [(CHOICE_NAMES.get(value, value), value) for value in about["choices"]]
        return gr.Dropdown(
            choices=choices, multiselect=True, allow_custom_value=True, **{**common, "value": list(about["default"])}
        )
    if annotation is str:
        if "choices" in options:
            return gr.Dropdown(filterable=False, **common)
        return gr.Textbox(max_lines=1, **common)
    if isinstance(annotation, types.UnionType) or annotation not in (int, float):
        raise TypeError(f"There is no widget for {name}: {annotation}")
    low, high, step = about["minimum"], about["maximum"], about["step"]
    if step is None or (high - low) / step > MAX_POSITIONS:
        return gr.Number(minimum=low, maximum=high, precision=0 if annotation is int else None, **common)
    # A browser counts a slider's steps from its minimum: one off the grid would make every position odd.
    return gr.Slider(minimum=on_grid(low, step), maximum=high, step=step, **common)


def _default(model: type[Settings], name: str) -> str:
    """What a number is before anybody changes it, in words; a recipe or a method may bring another one along."""
    about = model.describe(name)
    if isinstance(about["default"], bool) or not isinstance(about["default"], int | float):
        return ""
    other = f", or the {model.chooser}’s own" if name in model.chosen_fields() else ""
    return f"Default: {about['default']:g}{other}."


def on_grid(low: float, step: float) -> float:
    """The smallest multiple of ``step`` that is at least ``low``."""
    multiple = -(-low // step) * step
    return int(multiple) if isinstance(low, int) and float(step).is_integer() else round(multiple, 10)
