"""What the page's rooms share, what a room is, and the groups of knobs that its sections are made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import gradio as gr
from gradio.components import Component

from impress_ui.methods.purifiers import PURIFIERS
from impress_ui.settings import (
    EMBEDDED,
    KNOBS,
    SECTIONS,
    ExploreSettings,
    JobSettings,
)
from impress_ui.settings.purify import CHAIN
from impress_ui.ui.components import knob
from impress_ui.ui.public import OFFERED, ON_SPACES
from impress_ui.ui.queue import MOST_WAITING

# The knobs that a first look needs; all others are folded away, so that a new setting has a place at once.
MAIN_KNOBS = {
    "protect": ("method", "style", "concept", "perceptual_budget", "budget"),
    "purify": ("method", "recipe", "alpha", "delta", "steps", "learning_rate"),
    "edit": ("prompt", "mode", "strength", "guidance", "sampling_steps"),
    "generate": ("prompt", "count", "guidance", "sampling_steps"),
    "mimic": ("preset", "works", "imitations", "steps"),
    "stress": ("purifiers",),
    "explore": tuple(ExploreSettings.model_fields),
    "run": ("seed",),
}
# The knobs of each purifier but IMPRESS, which has groups of its own.
CONTROL_KNOBS = tuple(dict.fromkeys(name for method, names in KNOBS.items() if method != "impress" for name in names))


# Waiting jobs are let in too, and some that find the line full: what they are told comes from the line, and is clear.
DEVICE = {"concurrency_id": "device", "concurrency_limit": MOST_WAITING + 8}
# No widget shows an event's progress by itself (a run has its status line). None is told of it either: Gradio 6.31
# looks each of them up in the whole page at every step of every event, which costs more than drawing them.
PRIVATE = {"api_visibility": "private", "show_progress": "hidden", "show_progress_on": ()}
Values = Mapping[Any, Any]  # what each input widget holds
Update = dict[Component, Any]


class Room(ABC):
    """A tab, or a fold of one: it makes its own widgets, wires its own events and owns its views.

    What the page has to know of every room stands here; a room that lacks one of these has nothing of the kind.

    Attributes:
        run_buttons, stop_buttons: what starts a job, and what ends it.
        archives: where a run's zip is put.
        given: what a visitor puts in: a restored run leaves it as it is.
        read: what its estimate reads besides the settings.
        telling: what says something by itself in a report, in order; ``galleries``: whose pictures are put in.
        hint: the line that says what a run will take; ``hinted``: the settings that it depends on.
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    hinted: ClassVar[tuple[tuple[str, str], ...]] = ()
    run_buttons: tuple[gr.Button, ...] = ()
    stop_buttons: tuple[gr.Button, ...] = ()
    archives: tuple[gr.File, ...] = ()
    given: tuple[Component, ...] = ()
    read: tuple[Component, ...] = ()
    telling: tuple[gr.HTML, ...] = ()
    galleries: tuple[gr.Gallery, ...] = ()
    hint: gr.HTML | None = None

    @abstractmethod
    def build(self, page: Page) -> None:
        """Make the widgets, inside the current tab."""

    def connect(self, shell: Any) -> None:  # noqa: B027  (a room of text alone has no events)
        """Wire the events, once all rooms are built; ``shell`` is the page's ``Handlers``."""

    def expects(self, page: Page, values: Values, job: JobSettings | None) -> str:
        """What a run will take and how long, for the hint; without a job the settings are not valid."""
        return ""

    def leave(self, session: str) -> None:  # noqa: B027
        """A visitor has gone: let go of what was kept for the session."""


@dataclass
class Page:
    """What the rooms share: the picture, the settings, the story's panes and tables, and the list of runs."""

    rooms: dict[str, Room] = field(default_factory=dict)
    knobs: dict[tuple[str, str], Component] = field(default_factory=dict)
    panes: dict[str, gr.Image] = field(default_factory=dict)
    captions: dict[str, gr.HTML] = field(default_factory=dict)

    record: gr.State = field(init=False)
    new_seed: gr.Checkbox = field(init=False)
    preset: gr.Dropdown = field(init=False)
    imported: gr.UploadButton = field(init=False)
    exported: gr.Button = field(init=False)
    copied: gr.Button = field(init=False)
    document: gr.Textbox = field(init=False)
    gathered: gr.Textbox = field(init=False)
    shared: gr.Button = field(init=False)
    archive: gr.DownloadButton = field(init=False)
    past: gr.Dropdown = field(init=False)
    past_other: gr.Dropdown = field(init=False)
    past_restore: gr.Button = field(init=False)
    past_report: gr.DownloadButton = field(init=False)
    past_archive: gr.DownloadButton = field(init=False)
    past_view: gr.HTML = field(init=False)
    upload: gr.Image = field(init=False)
    examples: gr.Examples = field(init=False)
    notes: gr.HTML = field(init=False)
    mask: gr.ImageEditor = field(init=False)
    target: gr.Image = field(init=False)
    target_area: gr.Column = field(init=False)
    both: gr.Button = field(init=False)
    protect: gr.Button = field(init=False)
    purify: gr.Button = field(init=False)
    stop: gr.Button = field(init=False)
    answers: gr.Checkbox = field(init=False)
    live: dict[str, gr.Button] = field(default_factory=dict)
    ghost: gr.Button = field(init=False)
    status: gr.HTML = field(init=False)
    answer: gr.HTML = field(init=False)
    reconstruction_of: gr.Radio = field(init=False)
    curves: gr.HTML = field(init=False)
    left: gr.Dropdown = field(init=False)
    right: gr.Dropdown = field(init=False)
    slider: gr.ImageSlider = field(init=False)
    gain: gr.Slider = field(init=False)
    signed: gr.Checkbox = field(init=False)
    difference: gr.Image = field(init=False)
    figures: gr.HTML = field(init=False)
    whole: gr.Files = field(init=False)
    part: gr.Dropdown = field(init=False)
    table: gr.HTML = field(init=False)

    edit: gr.Button = field(init=False)
    edit_stop: gr.Button = field(init=False)
    edit_status: gr.HTML = field(init=False)
    edit_painting: gr.Column = field(init=False)
    edit_mask: gr.ImageEditor = field(init=False)
    edits: dict[str, gr.Image] = field(default_factory=dict)
    edit_captions: dict[str, gr.HTML] = field(default_factory=dict)
    verdict: gr.HTML = field(init=False)

    impress_knobs: gr.Column = field(init=False)

    @property
    def named(self) -> dict[str, Component]:
        """Every widget by its owner's name and its own: "page.status", "style.sets.clean"."""
        found: dict[str, Component] = {}
        for owner, widgets in (("page", vars(self)), *((room.name, vars(room)) for room in self.rooms.values())):
            for name, value in widgets.items():
                parts = value if isinstance(value, dict) else {"": value}
                for part, widget in parts.items():
                    if hasattr(widget, "_id"):
                        found[f"{owner}.{name}.{part}".removesuffix(".")] = widget
        return found

    @property
    def by_number(self) -> dict[int, Component]:
        """Every widget by the number that it has in any process of this program."""
        return {widget._id: widget for widget in self.named.values()}

    @property
    def settings(self) -> set[Component]:
        """What every job and every estimate reads besides the knobs."""
        rooms = {widget for room in self.rooms.values() for widget in room.read}
        return {self.new_seed, self.record, self.upload, *rooms}

    @property
    def run_inputs(self) -> set[Component]:
        """What a run of the story reads besides the knobs."""
        return {*self.settings, self.mask, self.target, self.reconstruction_of}

    @property
    def shown(self) -> list[Component]:
        """What a run of the story sets."""
        told = [self.notes, self.answer, self.curves, self.table, self.whole]
        pictures = [*told, *self.panes.values(), *self.captions.values()]
        return [self.status, *pictures]

    @property
    def edit_texts(self) -> list[Component]:
        """What stands under the edits: it says which of them are of older pictures."""
        return [*self.edit_captions.values(), self.verdict]

    @property
    def after_job(self) -> list[Component]:
        """What every job sets besides its room's own widgets."""
        return [self.record, *self.edit_texts, *self.run_buttons, *self.stop_buttons, *self.after_run]

    @property
    def after_run(self) -> tuple[Component, ...]:
        """What every run sets besides its own section: the seed it drew, its zip, the list of runs."""
        return (
            self.knobs["run", "seed"],
            self.archive,
            self.past,
            self.past_other,
            self.past_report,
            self.past_archive,
            self.past_view,
        )

    @property
    def areas(self) -> dict[str, tuple[gr.Column, str]]:
        """Columns of a section that are shown while its method has a field, or that has a value, and which."""
        return {"protect": (self.target_area, "target=image"), "purify": (self.impress_knobs, "recipe")}

    def section(self, name: str) -> dict[str, Component]:
        """The knobs of one section of the settings, by field."""
        return {knob_name: widget for (section, knob_name), widget in self.knobs.items() if section == name}

    @property
    def run_buttons(self) -> tuple[gr.Button, ...]:
        """What starts a job: a page has one at a time."""
        own = (self.both, self.protect, self.purify, self.edit)
        return (*own, *(button for room in self.rooms.values() for button in room.run_buttons))

    @property
    def stop_buttons(self) -> tuple[gr.Button, ...]:
        """What ends it, beside each of the places that start one."""
        return (self.stop, self.edit_stop, *(button for room in self.rooms.values() for button in room.stop_buttons))

    @property
    def buttons_back(self) -> Update:
        """The updates with which another job may begin."""
        return {
            **dict.fromkeys(self.run_buttons, gr.update(interactive=True)),
            **dict.fromkeys(self.stop_buttons, gr.update(interactive=False, value="Stop")),
        }


_built: list[Page] = []


def register(page: Page) -> None:
    """Note the page that this process serves."""
    _built[:] = [page]


def built_page() -> Page:
    """That page: a forked worker has it too, with the same numbers."""
    return _built[0]


def add_knobs(page: Page, section: str, names: tuple[str, ...]) -> None:
    """Place a section's knobs here."""
    model = SECTIONS[section]
    defaults = vars(model())
    for name in names:
        # On a public host a file is not a visitor's to choose: the box could name any of the machine's.
        options: dict[str, Any] = {}
        if ON_SPACES and model.describe(name)["local"]:
            options = {"choices": [EMBEDDED, *OFFERED]} if name == "checkpoint" and OFFERED else {"interactive": False}
        if ON_SPACES and (section, name) == ("purify", "method"):
            options = {"choices": [method for method in KNOBS if method == CHAIN or not PURIFIERS[method].own_file]}
        shows = model.shows(name, defaults)
        page.knobs[section, name] = knob(model, name, elem_id=f"{section}-{name}", visible=shows, **options)


def other_knobs(section: str, *without: str) -> tuple[str, ...]:
    """A section's knobs that are not among the main ones."""
    shown = {*MAIN_KNOBS[section], *without}
    return tuple(name for name in SECTIONS[section].model_fields if name not in shown)
