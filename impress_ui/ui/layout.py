"""The page's widgets and where they stand: picture, settings, run, four panes, curves, comparison, table."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import gradio as gr
from gradio.components import Component

from impress_ui.paths import PHOTOS
from impress_ui.settings import CONTROLS, ProtectSettings, PurifySettings, RunSettings, Settings
from impress_ui.ui import curves, views
from impress_ui.ui.components import knob, lossless, picture_input, picture_output
from impress_ui.ui.record import ALL_PICTURES, PICTURES, Record

EXAMPLES = ("mountain1", "canyon1", "city11", "beach2", "dune5", "sky8")
SECTIONS: dict[str, type[Settings]] = {"run": RunSettings, "protect": ProtectSettings, "purify": PurifySettings}
# The knobs that a first look needs; all others are folded away, so that a new setting has a place at once.
MAIN_KNOBS = {
    "protect": ("budget", "steps"),
    "purify": ("method", "recipe", "alpha", "delta", "steps", "learning_rate"),
    "run": ("seed",),
}
CONTROL_KNOBS = tuple(dict.fromkeys(CONTROLS.values()))
ON_SPACES = os.environ.get("SYSTEM") == "spaces"


@dataclass
class Page:
    """Every widget that a handler reads or writes."""

    knobs: dict[tuple[str, str], Component] = field(default_factory=dict)
    panes: dict[str, gr.Image] = field(default_factory=dict)
    captions: dict[str, gr.HTML] = field(default_factory=dict)

    record: gr.State = None
    upload: gr.Image = None
    notes: gr.HTML = None
    mask: gr.ImageEditor = None
    target: gr.Image = None
    both: gr.Button = None
    protect: gr.Button = None
    purify: gr.Button = None
    stop: gr.Button = None
    hint: gr.HTML = None
    status: gr.HTML = None
    reconstruction_of: gr.Radio = None
    curves: gr.HTML = None
    left: gr.Dropdown = None
    right: gr.Dropdown = None
    slider: gr.ImageSlider = None
    gain: gr.Slider = None
    signed: gr.Checkbox = None
    difference: gr.Image = None
    figures: gr.HTML = None
    table: gr.HTML = None

    def section(self, name: str) -> dict[str, Component]:
        """The knobs of one section of the settings, by field."""
        return {knob_name: widget for (section, knob_name), widget in self.knobs.items() if section == name}


def build_page() -> Page:
    """Lay out the page inside the current ``gr.Blocks``."""
    page = Page(record=gr.State(Record()))
    gr.HTML(views.header(), elem_id="masthead")
    with gr.Column(elem_id="bench"):
        with gr.Column(elem_id="input-area"):
            _input(page)
        with gr.Column(elem_id="settings-area"):
            _settings(page)
        with gr.Column(elem_id="result-area"):
            page.status = gr.HTML(views.idle(), elem_id="run-status")
            _panes(page)
            page.curves = gr.HTML(curves.charts({}, {}), elem_id="curves")
        with gr.Column(elem_id="compare-area"):
            _comparison(page)
        with gr.Column(elem_id="table-area"):
            gr.HTML(
                views.heading("Measures", "What each picture lost and won, beside the controls that IMPRESS must beat")
            )
            page.table = gr.HTML(views.table([]), elem_id="measures")
    return page


def _input(page: Page) -> None:
    gr.HTML(views.heading("Picture", "Upload, paste, or take an example"))
    page.upload = picture_input(
        "Your picture", "The picture that you uploaded", elem_id="upload", height=210, show_label=False,
        placeholder="# Drop a picture here\nor click to choose one; clean, or already protected by somebody",
    )  # fmt: skip
    gr.Examples(
        [[str(PHOTOS / "test" / f"{name}.jpg")] for name in EXAMPLES], [page.upload],
        label="Example photographs", elem_id="examples", api_visibility="private",
    )  # fmt: skip
    page.notes = gr.HTML("", elem_id="notes")
    page.both = gr.Button("Protect and purify", variant="primary", size="lg", elem_id="run-both")
    with gr.Row(elem_id="run-row"):
        page.protect = gr.Button("Protect", elem_id="run-protect", min_width=90)
        page.purify = gr.Button("Purify", elem_id="run-purify", min_width=90)
        page.stop = gr.Button("Stop", variant="stop", interactive=False, elem_id="stop", min_width=90)
    page.hint = gr.HTML(views.hint(None, None), elem_id="hint")


def _settings(page: Page) -> None:
    gr.HTML(views.heading("Settings", "the defaults are good"))
    gr.HTML('<h3 class="group">Protection <span>PhotoGuard, encoder attack</span></h3>')
    _knobs(page, "protect", MAIN_KNOBS["protect"])
    with gr.Accordion("More about the attack", open=False):
        _knobs(page, "protect", _others("protect", "method"))
        page.target = picture_input(
            "Target picture, for the target “Uploaded picture”", "The target picture", height=180
        )
    with gr.Accordion("Mask: change only a part", open=False, elem_id="mask-area"):
        gr.HTML("<p>Paint in white what may change. Nothing painted: everything may.</p>")
        page.mask = lossless(
            gr.ImageEditor, "Mask", image_mode="RGBA", type="pil", layers=False, transforms=(), sources=(),
            brush=gr.Brush(colors=["#ffffff"], color_mode="fixed"), buttons=["fullscreen"],
            show_label=False, elem_id="mask", height=320,
        )  # fmt: skip
    gr.HTML('<h3 class="group">Purification <span>IMPRESS, or a control</span></h3>')
    _knobs(page, "purify", MAIN_KNOBS["purify"])
    with gr.Accordion("More about the optimisation", open=False):
        _knobs(page, "purify", _others("purify", *CONTROL_KNOBS))
    with gr.Accordion("Controls: what it must beat", open=False):
        _knobs(page, "purify", CONTROL_KNOBS)
    gr.HTML('<h3 class="group">Run</h3>')
    _knobs(page, "run", MAIN_KNOBS["run"])
    with gr.Accordion("Model and machine", open=False):
        _knobs(page, "run", _others("run"))


def _knobs(page: Page, section: str, names: tuple[str, ...]) -> None:
    for name in names:
        # On a public host a checkpoint is not a visitor's to choose: the box could name any folder.
        options = {"interactive": False} if name == "checkpoint" and ON_SPACES else {}
        page.knobs[section, name] = knob(SECTIONS[section], name, elem_id=f"{section}-{name}", **options)


def _others(section: str, *without: str) -> tuple[str, ...]:
    shown = {*MAIN_KNOBS[section], *without}
    return tuple(name for name in SECTIONS[section].model_fields if name not in shown)


def _panes(page: Page) -> None:
    told = {
        "original": "The original picture",
        "protected": "The protected picture",
        "reconstructed": "What the autoencoder makes of the picture",
        "purified": "The purified picture",
    }
    with gr.Row(elem_id="panes", equal_height=False):
        for name, alt in told.items():
            with gr.Column(min_width=150, elem_classes=["pane", f"pane-{name}"]):
                page.panes[name] = picture_output(name.capitalize(), alt, elem_id=f"pane-{name}", height=184)
                page.captions[name] = gr.HTML(views.CAPTIONS[name], elem_classes="caption")
                if name == "reconstructed":
                    page.reconstruction_of = gr.Radio(
                        [(label, name) for name, label in PICTURES.items()], value="protected",
                        label="Reconstruction of", elem_id="reconstruction-of", container=False, show_label=False,
                    )  # fmt: skip


def _comparison(page: Page) -> None:
    gr.HTML(
        views.heading("Compare", "Two pictures under one slider, and what differs between them, amplified"),
        padding=False,
    )
    choices = [(label, name) for name, label in ALL_PICTURES.items()]
    with gr.Row():
        with gr.Column(min_width=280):
            with gr.Row():
                page.left = gr.Dropdown(choices, value="original", label="Left", elem_id="left", min_width=120)
                page.right = gr.Dropdown(choices, value="purified", label="Right", elem_id="right", min_width=120)
            page.slider = lossless(
                gr.ImageSlider, "Before and after", type="filepath", interactive=False, elem_id="before-after",
                show_label=False, buttons=["fullscreen"], max_height=420,
            )  # fmt: skip
            page.figures = gr.HTML(views.figures(None), elem_id="figures")
        with gr.Column(min_width=280):
            with gr.Row():
                page.gain = gr.Slider(1, 64, 4, step=1, label="Difference gain", elem_id="gain", min_width=160)
                page.signed = gr.Checkbox(False, label="Signed, around mid-grey", elem_id="signed", min_width=160)
            page.difference = picture_output(
                "Difference", "The amplified difference of the two pictures", elem_id="difference", height=300
            )
