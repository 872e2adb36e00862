"""Where the page's widgets stand: the controls at the left, and beside them the rooms; the first is the bench."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from impress_ui.paths import PHOTOS
from impress_ui.settings.presets import EXAMPLES
from impress_ui.ui import curves, views
from impress_ui.ui.components import mask_editor, picture_input, picture_output
from impress_ui.ui.page import CONTROL_KNOBS, MAIN_KNOBS, Page, add_knobs, other_knobs
from impress_ui.ui.public import compares_blind
from impress_ui.ui.record import PICTURES, Record
from impress_ui.ui.rooms.about import about_section
from impress_ui.ui.rooms.edit.layout import ask_for_edits, edit_pane, finer_edits
from impress_ui.ui.rooms.explore.room import ExploreRoom
from impress_ui.ui.rooms.generate.room import GenerateRoom
from impress_ui.ui.rooms.history.blind import BlindFold
from impress_ui.ui.rooms.history.layout import history_section, keep_row, new_seed_box, run_zip
from impress_ui.ui.rooms.many.room import ManyStrip
from impress_ui.ui.rooms.story.compare import comparison
from impress_ui.ui.rooms.story.viewer import viewer
from impress_ui.ui.rooms.stress.room import StressRoom
from impress_ui.ui.rooms.style.room import StyleRoom
from impress_ui.ui.rooms.universal.room import UniversalFold
from impress_ui.ui.zero_gpu import ON_ZERO_GPU


def build_page() -> Page:
    """Lay out the page inside the current ``gr.Blocks``."""
    page = Page()
    page.record = gr.State(Record())
    # Before anything is drawn: what the rooms have in common is asked of all of them.
    page.rooms = {
        room.name: room
        for room in (StressRoom(), ExploreRoom(), StyleRoom(), GenerateRoom(), UniversalFold(), ManyStrip())
    }
    if compares_blind():
        page.rooms[BlindFold.name] = BlindFold()
    gr.HTML(views.header(), elem_id="masthead")
    with gr.Column(elem_id="bench"):
        with gr.Column(elem_id="controls"):
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
    """The bench: what the protection did, the pictures, what an edit makes of each, and the curves, on one screen."""
    with gr.Column(elem_id="result-area"):
        page.status = gr.HTML(views.idle(), elem_id="run-status")
        page.answer = gr.HTML("", elem_id="answer")
        page.rooms["many"].build(page)
        _panes(page)
        _edits(page)
        page.curves = gr.HTML(curves.charts({}, {}), elem_id="curves")
        gr.HTML(views.how_to_read(), elem_id="told")
        gr.HTML(viewer(), elem_id="viewer-area")
        page.whole = gr.Files(label="At its own size", interactive=False, elem_id="whole")
        run_zip(page)
    with gr.Column(elem_id="edit-area"):
        finer_edits(page)
    with gr.Column(elem_id="compare-area"):
        comparison(page)
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
    page.upload = picture_input(
        "Your picture", "The picture that you uploaded", elem_id="upload", height=132, show_label=False,
        placeholder="Drop a picture, or click to choose one",
    )  # fmt: skip
    page.examples = gr.Examples(
        [[str(PHOTOS / "test" / f"{name}.jpg")] for name in EXAMPLES], [page.upload],
        label="Example photographs", elem_id="examples", api_visibility="private",
    )  # fmt: skip
    page.rooms["many"].ask()
    page.notes = gr.HTML("", elem_id="notes")
    page.both = gr.Button(views.BOTH, variant="primary", size="lg", elem_id="run-both")
    with gr.Row(elem_id="run-row"):
        page.protect = gr.Button("Protect", elem_id="run-protect", min_width=60)
        page.purify = gr.Button("Purify", elem_id="run-purify", min_width=60)
        page.stop = gr.Button("Stop", variant="stop", interactive=False, elem_id="stop", min_width=60)
    page.hint = gr.HTML(views.hint(None), elem_id="hint")
    # Where every run is taken from a visitor's share of a lent GPU, a slider does not run unasked.
    page.answers = gr.Checkbox(
        not ON_ZERO_GPU, label="Live: sliders answer when let go", elem_id="live", container=False, interactive=True
    )
    gr.HTML(views.sheet_button(), elem_id="sheet-button")
    # What a slider presses, and what a faint curve does: assets/live.js knows them.
    for what in ("purify", "both"):
        page.live[what] = gr.Button(what, visible="hidden", elem_id=f"live-{what}")
    page.ghost = gr.Button("Take that run back", visible="hidden", elem_id="ghost")


def _settings(page: Page) -> None:
    """What matters on top, one line each; the rest is folded away below, so that pictures and curves stay in sight."""
    with gr.Column(elem_id="main-knobs"):
        add_knobs(page, "protect", MAIN_KNOBS["protect"])
        chooser, *main = MAIN_KNOBS["purify"]
        add_knobs(page, "purify", (chooser,))
        add_knobs(page, "purify", CONTROL_KNOBS)
        with gr.Column(elem_id="impress-knobs") as page.impress_knobs:
            add_knobs(page, "purify", tuple(main))
            with gr.Accordion("More about the purification", open=False, elem_id="purification-area"):
                add_knobs(page, "purify", other_knobs("purify", *CONTROL_KNOBS))
    with gr.Accordion("More about the attack", open=False, elem_id="attack-area"):
        add_knobs(page, "protect", other_knobs("protect"))
        # Shown and hidden as a column: an update of the picture itself would build it anew.
        with gr.Column(visible=False) as page.target_area:
            page.target = picture_input("Target picture", "The target picture", height=180)
    with gr.Accordion("Mask: change only a part", open=False, elem_id="mask-area"):
        gr.HTML("<p>Paint in white what may change. Nothing painted: everything may.</p>")
        page.mask = mask_editor("Mask", elem_id="mask")
        add_knobs(page, "run", ("invert_mask",))
    page.rooms["universal"].build(page)
    with gr.Accordion("Model, seed and machine", open=False, elem_id="run-area"):
        add_knobs(page, "run", MAIN_KNOBS["run"])
        new_seed_box(page)
        add_knobs(page, "run", other_knobs("run", "invert_mask"))
    with gr.Accordion("Presets, import, export, link", open=False, elem_id="keep-area"):
        keep_row(page)


def _panes(page: Page) -> None:
    told = {
        "original": "The original picture",
        "protected": "The protected picture",
        "reconstructed": "What the autoencoder makes of the picture",
        "purified": "The purified picture",
    }
    with gr.Row(elem_id="panes", equal_height=False):
        for name, alt in told.items():
            with gr.Column(min_width=100, elem_classes=["pane", f"pane-{name}"]):
                page.panes[name] = picture_output(name.capitalize(), alt, elem_id=f"pane-{name}", height=138)
                page.captions[name] = gr.HTML(views.CAPTIONS[name], elem_classes="caption")
                if name == "reconstructed":
                    page.reconstruction_of = gr.Radio(
                        [(label, name) for name, label in PICTURES.items()], value="protected",
                        label="Reconstruction of", elem_id="reconstruction-of", container=False, show_label=False,
                    )  # fmt: skip


def _edits(page: Page) -> None:
    """Under each picture its edit; under the reconstruction, which has none, what is asked for."""
    with gr.Row(elem_id="edits", equal_height=False):
        edit_pane(page, "original")
        edit_pane(page, "protected")
        with gr.Column(min_width=100, elem_id="edit-ask"):
            ask_for_edits(page)
        edit_pane(page, "purified")


TITLES = {room.name: room.title for room in (StressRoom, ExploreRoom, StyleRoom, GenerateRoom)}
# The page's tabs: name -> (title, what is in it). Which of the controls stand beside each, assets/bench.css says.
TABS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "story": ("Protect, purify", _story),
    **{name: _room(name) for name in TITLES},
    "history": ("Look back", _section(history_section, "history")),
    "about": ("How it works", _section(about_section, "about")),
}
