"""Two pictures of the story under one slider, what differs between them, amplified, and their figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import gradio as gr
from PIL import Image

from impress_ui.pictures.difference import PARTS, WHOLE, difference, part_of
from impress_ui.ui import views
from impress_ui.ui.components import lossless, picture_output
from impress_ui.ui.mistakes import explain, toast
from impress_ui.ui.page import Page, Update, Values
from impress_ui.ui.record import ALL_PICTURES, Record

# On the right only: what differs from the left picture is then what the learned purifier would take off.
CLEANED = {"cleaned": "Left, as the learned purifier leaves it"}
TOLD = (
    "Drag the line: what you cannot tell apart here, the model can. The difference shows where the change is; signed, "
    "what is brighter than mid-grey was raised and what is darker was lowered. On the right, “as the learned "
    "purifier leaves it” shows what that one would take off the left picture."
)
EMPTY = "The slider and the difference appear once both pictures are there."


def comparison(page: Page) -> None:
    """The lists of what is compared, the slider, the difference and the figures."""
    gr.HTML(
        views.heading("Compare", "Two pictures under one slider, and what differs between them, amplified"),
        padding=False,
    )
    gr.HTML(f'<p class="caption">{EMPTY}</p>', elem_id="compare-empty")
    with gr.Row():
        with gr.Column(min_width=280):
            with gr.Row():
                page.left = _pick("Left", "original", ALL_PICTURES)
                page.right = _pick("Right", "purified", ALL_PICTURES | CLEANED)
            page.slider = lossless(
                gr.ImageSlider, "Before and after", type="filepath", interactive=False, elem_id="before-after",
                show_label=False, buttons=["fullscreen"], max_height=420,
            )  # fmt: skip
            page.figures = gr.HTML(figures(None), elem_id="figures")
        with gr.Column(min_width=280):
            with gr.Row():
                page.part = _pick("Part", WHOLE, {part: part for part in PARTS})
                page.gain = gr.Slider(1, 64, 4, step=1, label="Difference gain", elem_id="gain", min_width=130)
            page.signed = gr.Checkbox(False, label="Signed, around mid-grey", elem_id="signed", container=False)
            page.difference = picture_output(
                "Difference", "The amplified difference of the two pictures", elem_id="difference", height=300
            )
    gr.HTML(views.what_you_see(TOLD), elem_id="compare-told")


def _pick(label: str, value: str, pictures: Mapping[str, str]) -> gr.Dropdown:
    choices = [(words, name) for name, words in pictures.items()]
    return gr.Dropdown(choices, value=value, label=label, elem_id=label.lower(), filterable=False, min_width=130)


def pair(page: Page, values: Values) -> Update:
    """What the chosen lists show: the slider, the amplified difference, and the figures.

    Raises:
        gr.Error: with a sentence, where a picture cannot be read.
    """
    from impress_ui.measures.metrics import measure
    from impress_ui.methods.purifiers.learned import learned
    from impress_ui.pictures.images import open_picture, to_images, to_tensor

    record, part = values[page.record], values[page.part]
    chosen = values[page.left], values[page.right]
    left, right = shown_instead(record, *chosen)
    cleaned = right in CLEANED
    paths = record.pair(left, left if cleaned else right, whole=part != WHOLE)
    if None in paths:
        missing = [ALL_PICTURES[name] for name in chosen if name not in CLEANED and not record.path(name)]
        return {page.slider: None, page.difference: None, page.figures: figures(None, missing=missing)}
    try:
        a, b = (open_picture(path).image for path in paths)
        if part != WHOLE:
            a, b = (part_of(image, part) for image in (a, b))
        if cleaned:
            b = to_images(learned(to_tensor(a), passes=1))[0]
        measures = measure(b, a).as_dict()
        amplified = difference(a, b, values[page.gain], signed=values[page.signed])
    except Exception as error:
        raise toast(explain(error)) from None
    return {
        page.slider: (a, b) if cleaned or part != WHOLE else tuple(paths),
        page.difference: amplified,
        page.figures: figures(measures, ALL_PICTURES[left], (ALL_PICTURES | CLEANED)[right]),
    }


def first_pair(page: Page, record: Record) -> Update:
    """The same for the pictures that the page opens with, by the measures that were taken when they were made."""
    left, right = page.left.value, page.right.value
    paths = record.pair(left, right, whole=False)
    rows = {row["name"]: row.get("against_original") for row in record.rows}
    if None in paths or left != "original" or not rows.get(right):
        return {}
    with Image.open(paths[0]) as a, Image.open(paths[1]) as b:
        amplified = difference(a, b, page.gain.value, signed=page.signed.value)
    return {
        page.slider: tuple(paths),
        page.difference: amplified,
        page.figures: figures(rows[right], ALL_PICTURES[left], ALL_PICTURES[right]),
    }


def shown_instead(record: Record, left: str, right: str) -> tuple[str, str]:
    """The pair that is compared: for an original that is unknown, or a purified picture that is not made yet, the
    protected one, unless it is the other of the two already."""
    if left == "original" and right != "protected" and not record.path(left):
        left = "protected"
    if right == "purified" and left != "protected" and not record.path(right):
        right = "protected"
    return left, right


def figures(
    measures: Mapping[str, float | None] | None, left: str = "", right: str = "", *, missing: Sequence[str] = ()
) -> str:
    """Measures of the compared pair, beside its difference; ``missing``: what of it is not there."""
    if measures is None:
        told = "; ".join(f"not there: {name}" for name in dict.fromkeys(missing))
        return f'<p class="caption">{told or "Figures appear once both pictures are there."}</p>'
    shown = {
        "SSIM": f"{measures['ssim']:.4f}",
        "PSNR dB": "∞" if measures["psnr"] is None else f"{measures['psnr']:.2f}",
        "LPIPS": f"{measures['lpips']:.4f}",
        "L∞": f"{measures['linf']:.0f}",
        "L2": f"{measures['l2']:.0f}",
        "RMS": f"{measures['rms']:.2f}",
    }
    items = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in shown.items())
    return (
        f'<p class="caption">{escape(right)} against {escape(left)}; L∞, L2 and RMS in grey levels out of 255</p>'
        f'<dl class="figures">{items}</dl>'
    )
