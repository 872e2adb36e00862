"""Where the page's widgets stand: picture and settings, and beside them the rooms; the first is the story."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from impress_ui.paths import PHOTOS
from impress_ui.settings import ProtectSettings
from impress_ui.settings.presets import EXAMPLES
from impress_ui.ui import curves, views
from impress_ui.ui.components import lossless, mask_editor, picture_input, picture_output
from impress_ui.ui.page import CONTROL_KNOBS, MAIN_KNOBS, Page, add_knobs, other_knobs
from impress_ui.ui.record import ALL_PICTURES, PICTURES, Record
from impress_ui.ui.rooms.about import about_section
from impress_ui.ui.rooms.edit.layout import edit_section
from impress_ui.ui.rooms.explore.room import ExploreRoom
from impress_ui.ui.rooms.generate.room import GenerateRoom
from impress_ui.ui.rooms.history.layout import history_section, keep_row, new_seed_box, run_zip
from impress_ui.ui.rooms.stress.room import StressRoom
from impress_ui.ui.rooms.style.room import StyleRoom
from impress_ui.ui.rooms.universal.room import UniversalFold


def build_page() -> Page:
    """Lay out the page inside the current ``gr.Blocks``."""
    page = Page()
    page.record = gr.State(Record())
    # Before anything is drawn: what the rooms have in common is asked of all of them.
    page.rooms = {
        room.name: room for room in (StressRoom(), ExploreRoom(), StyleRoom(), GenerateRoom(), UniversalFold())
    }
    gr.HTML(views.header(), elem_id="masthead")
    with gr.Column(elem_id="bench"):
        with gr.Column(elem_id="input-area"):
            _input(page)
        with gr.Column(elem_id="settings-area"):
            _settings(page)
        with gr.Column(elem_id="rooms-area"), gr.Tabs(elem_id="rooms"):
            for name, (title, build) in TABS.items():
                # Drawn at once, though hidden: an update that reaches a room before its first visit must not be lost.
                with gr.Tab(title, id=name, elem_id=f"room-{name}", render_children=True):
                    build(page)
    return page


def _story(page: Page) -> None:
    """The path that a first visitor follows: protect, reconstruct, purify, edit, compare, measure."""
    with gr.Column(elem_id="result-area"):
        gr.HTML(views.story(), elem_id="story")
        page.status = gr.HTML(views.idle(), elem_id="run-status")
        _panes(page)
        gr.HTML(views.zoom_bar(), elem_id="zoom-bar")
        gr.HTML(views.what_you_see(views.PANES_TOLD), elem_id="panes-told")
        page.curves = gr.HTML(curves.charts({}, {}), elem_id="curves")
        gr.HTML(views.what_you_see(views.CURVES_TOLD), elem_id="curves-told")
        run_zip(page)
    with gr.Column(elem_id="edit-area"):
        edit_section(page)
    with gr.Column(elem_id="compare-area"):
        _comparison(page)
    with gr.Column(elem_id="table-area"):
        gr.HTML(views.heading("Measures", "What each picture lost and won, beside the controls that IMPRESS must beat"))
        page.table = gr.HTML(views.table([]), elem_id="measures")


def _room(name: str) -> tuple[str, Callable[[Page], None]]:
    """A room's title, and its section."""

    def build(page: Page) -> None:
        page.rooms[name].build(page)

    return TITLES[name], _section(build, name)


def _section(section: Callable[[Page], None], name: str) -> Callable[[Page], None]:
    def build(page: Page) -> None:
        with gr.Column(elem_id=f"{name}-area"):
            section(page)

    return build


def _input(page: Page) -> None:
    gr.HTML(views.heading("Picture", "Upload, paste, or take an example"))
    page.upload = picture_input(
        "Your picture", "The picture that you uploaded", elem_id="upload", height=210, show_label=False,
        placeholder="# Drop a picture here\nor click to choose one; clean, or already protected by somebody",
    )  # fmt: skip
    page.examples = gr.Examples(
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
    keep_row(page)
    gr.HTML('<h3 class="group">Protection <span>a method, and what it has to be set</span></h3>')
    add_knobs(page, "protect", MAIN_KNOBS["protect"])
    with gr.Accordion("More about the attack", open=False):
        add_knobs(page, "protect", other_knobs("protect"))
        # Shown and hidden as a column: an update of the picture itself would build it anew.
        with gr.Column(visible=ProtectSettings.has("target")) as page.target_area:
            page.target = picture_input(
                "Target picture, for the target “Uploaded picture”", "The target picture", height=180
            )
    with gr.Accordion("Mask: change only a part", open=False, elem_id="mask-area"):
        gr.HTML("<p>Paint in white what may change. Nothing painted: everything may.</p>")
        page.mask = mask_editor("Mask", elem_id="mask")
        add_knobs(page, "run", ("invert_mask",))
    page.rooms["universal"].build(page)
    _purifier(page)
    gr.HTML('<h3 class="group">Run</h3>')
    add_knobs(page, "run", MAIN_KNOBS["run"])
    new_seed_box(page)
    with gr.Accordion("Model and machine", open=False):
        add_knobs(page, "run", other_knobs("run", "invert_mask"))


def _purifier(page: Page) -> None:
    """The picker, and the knobs of every purifier, of which only the chosen one's are shown."""
    gr.HTML('<h3 class="group">Purification <span>IMPRESS, or what it must beat</span></h3>')
    chooser, *main = MAIN_KNOBS["purify"]
    add_knobs(page, "purify", (chooser,))
    add_knobs(page, "purify", CONTROL_KNOBS)
    with gr.Column(elem_id="impress-knobs") as page.impress_knobs:
        add_knobs(page, "purify", tuple(main))
        with gr.Accordion("More about the optimisation", open=False):
            add_knobs(page, "purify", other_knobs("purify", *CONTROL_KNOBS))


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
    gr.HTML(f'<p class="caption">{views.COMPARE_EMPTY}</p>', elem_id="compare-empty")
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
    gr.HTML(views.what_you_see(views.COMPARE_TOLD), elem_id="compare-told")


TITLES = {room.name: room.title for room in (StressRoom, ExploreRoom, StyleRoom, GenerateRoom)}
# The page's tabs: name -> (title, what is in it). Picture and settings stand beside all of them.
TABS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "story": ("Protect, purify, edit", _story),
    **{name: _room(name) for name in TITLES},
    "history": ("History, report", _section(history_section, "history")),
    "about": ("About", _section(about_section, "about")),
}
