"""The page's widgets by name, and the groups of knobs that its sections are made of."""

from __future__ import annotations

from dataclasses import dataclass, field

import gradio as gr
from gradio.components import Component

from impress_ui.settings import (
    KNOBS,
    EditSettings,
    ExploreSettings,
    GenerateSettings,
    MimicSettings,
    ProtectSettings,
    PurifySettings,
    RunSettings,
    Settings,
    StressSettings,
)
from impress_ui.ui.components import knob
from impress_ui.ui.public import ON_SPACES

SECTIONS: dict[str, type[Settings]] = {
    "run": RunSettings,
    "protect": ProtectSettings,
    "purify": PurifySettings,
    "edit": EditSettings,
    "generate": GenerateSettings,
    "mimic": MimicSettings,
    "stress": StressSettings,
    "explore": ExploreSettings,
}
# The knobs that a first look needs; all others are folded away, so that a new setting has a place at once.
MAIN_KNOBS = {
    "protect": ("method", "style", "concept", "perceptual_budget", "budget", "steps", "adaptive"),
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


@dataclass
class Page:
    """Every widget that a handler reads or writes."""

    knobs: dict[tuple[str, str], Component] = field(default_factory=dict)
    panes: dict[str, gr.Image] = field(default_factory=dict)
    captions: dict[str, gr.HTML] = field(default_factory=dict)

    record: gr.State = None
    new_seed: gr.Checkbox = None
    preset: gr.Dropdown = None
    imported: gr.UploadButton = None
    exported: gr.Button = None
    copied: gr.Button = None
    document: gr.Textbox = None
    shared: gr.Button = None
    archive: gr.DownloadButton = None
    past: gr.Dropdown = None
    past_other: gr.Dropdown = None
    past_restore: gr.Button = None
    past_report: gr.DownloadButton = None
    past_archive: gr.DownloadButton = None
    past_view: gr.HTML = None
    upload: gr.Image = None
    examples: gr.Examples = None
    notes: gr.HTML = None
    mask: gr.ImageEditor = None
    target: gr.Image = None
    target_area: gr.Column = None
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

    edit: gr.Button = None
    edit_stop: gr.Button = None
    edit_hint: gr.HTML = None
    edit_status: gr.HTML = None
    edit_painting: gr.Column = None
    edit_mask: gr.ImageEditor = None
    edits: dict[str, gr.Image] = field(default_factory=dict)
    edit_captions: dict[str, gr.HTML] = field(default_factory=dict)
    verdict: gr.HTML = None

    generate: gr.Button = None
    generate_stop: gr.Button = None
    generate_hint: gr.HTML = None
    generate_status: gr.HTML = None
    gallery: gr.Gallery = None

    impress_knobs: gr.Column = None
    stress: gr.Button = None
    stress_stop: gr.Button = None
    stress_hint: gr.HTML = None
    stress_protected: gr.Image = None
    stress_original: gr.Image = None
    stress_status: gr.HTML = None
    stress_verdict: gr.HTML = None
    stress_scatter: gr.HTML = None
    stress_table: gr.HTML = None
    stress_pictures: gr.Gallery = None
    stress_zip: gr.File = None

    universal_works: gr.File = None
    universal_learn: gr.Button = None
    universal: gr.File = None
    universal_add: gr.Button = None

    explore: gr.Button = None
    explore_stop: gr.Button = None
    explore_hint: gr.HTML = None
    explore_status: gr.HTML = None
    explore_verdict: gr.HTML = None
    explore_chart: gr.HTML = None
    explore_pictures: gr.Gallery = None
    explore_files: gr.File = None
    explored: gr.State = None

    style_artist: gr.Dropdown = None
    style_files: gr.File = None
    style_name: gr.Textbox = None
    style_protection: gr.Radio = None
    style_run: gr.Button = None
    style_stop: gr.Button = None
    style_status: gr.HTML = None
    style_sets: dict[str, gr.Gallery] = field(default_factory=dict)
    style_imitations: dict[str, gr.Gallery] = field(default_factory=dict)
    style_losses: gr.HTML = None
    style_bars: gr.HTML = None
    style_verdict: gr.HTML = None
    style_zip: gr.File = None

    @property
    def by_number(self) -> dict[int, Component]:
        """Every widget by the number that it has in any process of this program."""
        found: dict[int, Component] = {}
        for value in vars(self).values():
            for widget in value.values() if isinstance(value, dict) else (value,):
                if hasattr(widget, "_id"):
                    found[widget._id] = widget
        return found

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
        """Columns of a section that are shown while its method has a field, and that field."""
        return {"protect": (self.target_area, "target"), "purify": (self.impress_knobs, "recipe")}

    def section(self, name: str) -> dict[str, Component]:
        """The knobs of one section of the settings, by field."""
        return {knob_name: widget for (section, knob_name), widget in self.knobs.items() if section == name}

    @property
    def run_buttons(self) -> tuple[gr.Button, ...]:
        """What starts a job: a page has one at a time."""
        return (
            self.both, self.protect, self.purify, self.edit, self.generate, self.stress, self.explore, self.style_run,
            self.universal_learn, self.universal_add,
        )  # fmt: skip

    @property
    def stop_buttons(self) -> tuple[gr.Button, ...]:
        """What ends it, beside each of the places that start one."""
        return self.stop, self.edit_stop, self.generate_stop, self.stress_stop, self.explore_stop, self.style_stop


_built: list[Page] = []


def register(page: Page) -> None:
    """Note the page that this process serves."""
    _built[:] = [page]


def built_page() -> Page:
    """That page: a forked worker has it too, with the same numbers."""
    return _built[0]


def add_knobs(page: Page, section: str, names: tuple[str, ...]) -> None:
    """Place a section's knobs here."""
    for name in names:
        # On a public host a checkpoint is not a visitor's to choose: the box could name any folder.
        options = {"interactive": False} if name == "checkpoint" and ON_SPACES else {}
        model = SECTIONS[section]
        page.knobs[section, name] = knob(model, name, elem_id=f"{section}-{name}", visible=model.has(name), **options)


def other_knobs(section: str, *without: str) -> tuple[str, ...]:
    """A section's knobs that are not among the main ones."""
    shown = {*MAIN_KNOBS[section], *without}
    return tuple(name for name in SECTIONS[section].model_fields if name not in shown)
