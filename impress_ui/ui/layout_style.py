"""The section that studies a style: whose works, how they are protected and imitated, and what comes of it."""

from __future__ import annotations

import gradio as gr

from impress_ui.manners import MANNERS
from impress_ui.ui import style_views, views
from impress_ui.ui.components import lossless
from impress_ui.ui.page import MAIN_KNOBS, Page, add_knobs, other_knobs

OWN_NAME = "My style"
PROTECTIONS = [("GLAZE, quick", "quick"), ("GLAZE, as published", "published"), ("As set above", "page")]


def style_section(page: Page) -> None:
    """Three columns: clean, protected and purified works, and under each what was imitated from them."""
    gr.HTML(
        views.heading("Style", "Can a model imitate an artist from protected works, and from works purified again?")
    )
    with gr.Column(elem_classes="studio"):
        _ask(page)
        with gr.Column(elem_classes="finer"):
            page.style_protection = gr.Dropdown(
                PROTECTIONS, value="quick", label="Protection of the works",
                info="Quick: 60 longer steps, no pixel by more than 16 levels; as published: 500 steps. "
                "The purifier is the one set above.",
                elem_id="style-protection",
            )  # fmt: skip
            add_knobs(page, "mimic", MAIN_KNOBS["mimic"])
            with gr.Accordion("More about the fine-tuning", open=False):
                add_knobs(page, "mimic", other_knobs("mimic"))
        with gr.Column(elem_classes="made"):
            page.style_status = gr.HTML(views.idle(style_views.IDLE), elem_id="style-status")
            with gr.Row(elem_id="style-sets", equal_height=False):
                for name in style_views.VARIANTS:
                    _column(page, name)
            with gr.Row(elem_id="style-charts", equal_height=False):
                page.style_losses = gr.HTML(style_views.losses({}, 1), elem_id="style-losses")
                page.style_bars = gr.HTML(style_views.bars({}), elem_id="style-bars")
            page.style_verdict = gr.HTML("", elem_id="style-verdict")
            page.style_zip = gr.File(
                label="The study: pictures, settings, losses and fine-tuned models", visible=False, interactive=False,
                elem_id="style-zip",
            )  # fmt: skip


def _ask(page: Page) -> None:
    with gr.Column(elem_classes="ask"):
        with gr.Column(elem_classes="words-in"):
            page.style_artist = gr.Dropdown(
                [(f"{name}: {manner}", name) for name, manner in MANNERS.items()],
                value=next(iter(MANNERS)), label="Artist", elem_id="style-artist",
                info="Renderers that the embedded model has never seen; no person is meant by their names.",
            )  # fmt: skip
            page.style_strip = _gallery("Works", "style-strip", columns=8)
            with gr.Accordion("Or your own pictures", open=False, elem_id="style-own"):
                page.style_files = gr.File(
                    label="Four pictures or more, and captions.txt if you have one", file_count="multiple",
                    type="filepath", height=140, elem_id="style-files",
                )  # fmt: skip
                page.style_name = gr.Textbox(
                    OWN_NAME, label="What captions call your style", max_lines=1, max_length=60, elem_id="style-name",
                    info="No sentence describes it to the classifier, which then goes by likeness to pictures: to "
                    "yours, and to examples of every style that it knows.",
                )  # fmt: skip
        with gr.Column(elem_classes="buttons"):
            page.style_run = gr.Button(style_views.button(False), variant="primary", size="lg", elem_id="style-run")
            page.style_stop = gr.Button("Stop", variant="stop", interactive=False, elem_id="style-stop")
        page.style_hint = gr.HTML("", elem_id="style-hint")


def _column(page: Page, name: str) -> None:
    with gr.Column(min_width=90, elem_classes=["pane", f"pane-{name}"]):
        label = style_views.VARIANTS[name]
        gr.HTML(f'<h3 class="edit-title">{label}</h3>')
        page.style_sets[name] = _gallery(label, f"style-set-{name}", columns=4)
        gr.HTML('<h3 class="edit-title">Imitations</h3>')
        page.style_imitations[name] = _gallery(
            f"Imitations learnt from the {label.lower()}", f"style-imitations-{name}", columns=3
        )
        gr.HTML(style_views.CAPTIONS[name], elem_classes="caption")


def _gallery(label: str, elem_id: str, columns: int) -> gr.Gallery:
    return lossless(
        gr.Gallery, label, type="filepath", interactive=False, columns=columns, height="auto", object_fit="contain",
        show_label=False, buttons=["download", "fullscreen"], elem_id=elem_id, elem_classes="style-gallery",
    )  # fmt: skip
