"""The room that studies a style: whose works, how they are protected and imitated, and what comes of it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from impress_ui.settings.artist_names import MANNERS
from impress_ui.settings.recipes import STYLE_GLAZE
from impress_ui.ui import views
from impress_ui.ui.components import lossless
from impress_ui.ui.page import MAIN_KNOBS, Page, Room, Values, add_knobs, other_knobs
from impress_ui.ui.rooms.style import views as style_views
from impress_ui.ui.rooms.style.views import AS_ABOVE, QUICK

OWN_NAME = "my style"


class StyleRoom(Room):
    """Three columns: clean, protected and purified works, and under each what was imitated from them."""

    name, title = "style", "Copy a style"

    def build(self, page: Page) -> None:
        """The section, in its tab."""
        gr.HTML(
            views.heading("Style", "Can a model imitate an artist from protected works, and from works purified again?")
        )
        with gr.Column(elem_classes="studio"):
            self._ask()
            with gr.Column(elem_classes="finer"):
                self.protection = gr.Radio(
                    [("Quick", QUICK), ("As set in Settings", AS_ABOVE)], value=QUICK, label="Protection and purifier",
                    info=f"Quick: GLAZE in {STYLE_GLAZE['steps']} steps, no pixel changed by more than "
                    f"{STYLE_GLAZE['cap']} levels; then gentle non-local means and IMPRESS by its recipe fast-style.",
                    elem_id="style-protection",
                )  # fmt: skip
                add_knobs(page, "mimic", MAIN_KNOBS["mimic"])
                with gr.Accordion("More about the fine-tuning", open=False):
                    add_knobs(page, "mimic", other_knobs("mimic"))
            with gr.Column(elem_classes="made"):
                self.status = gr.HTML(views.idle(style_views.IDLE), elem_id="style-status")
                self.sets: dict[str, gr.Gallery] = {}
                self.imitations: dict[str, gr.Gallery] = {}
                with gr.Row(elem_id="style-sets", equal_height=False):
                    for name, label in style_views.VARIANTS.items():
                        with gr.Column(min_width=150, elem_classes=["pane", f"pane-{name}"]):
                            self.sets[name] = _gallery(label, f"style-set-{name}")
                            self.imitations[name] = _gallery(f"Imitations, {label.lower()}", f"style-imitations-{name}")
                self.losses = gr.HTML(style_views.losses({}, 1), elem_id="style-losses")
                self.bars = gr.HTML("", elem_id="style-bars")
                gr.HTML(views.what_you_see(style_views.TOLD), elem_id="style-told", elem_classes="told-after")
                self.verdict = gr.HTML("", elem_id="style-verdict")
                self.zip = gr.File(label="The study as a zip", visible=False, interactive=False, elem_id="style-zip")
        self.run_buttons, self.stop_buttons, self.archives = (self.run,), (self.stop,), (self.zip,)
        self.given = (self.files,)
        self.telling = (self.verdict, self.bars, self.losses)

    def connect(self, shell: Any) -> None:
        """The study."""
        outputs = [
            self.status, *self.sets.values(), *self.imitations.values(), self.losses, self.bars, self.verdict, self.zip,
        ]  # fmt: skip
        shell.starts(self.run, self.job, [self.artist, self.files, self.label, self.protection], outputs)

    def leave(self, session: str) -> None:
        """Let go of the study that was begun, with its weights."""
        from impress_ui.ui.rooms.style.run import forget_study

        forget_study(session)

    def job(self, page: Page, values: Values, session: str) -> Any:
        """The job of a click."""
        from impress_ui.ui.rooms.style.run import StyleRun

        return StyleRun(page, values, session, self.status)

    def _ask(self) -> None:
        with gr.Column(elem_classes="ask"):
            with gr.Column(elem_classes="words-in"):
                self.artist = gr.Dropdown(
                    [(f"{name}: {manner}", name) for name, manner in MANNERS.items()],
                    value=next(iter(MANNERS)), label="Artist", elem_id="style-artist",
                    info="Renderers that the embedded model has never seen; no person is meant by their names.",
                )  # fmt: skip
                with gr.Accordion("Or your own pictures", open=False, elem_id="style-own"):
                    self.files = gr.File(
                        label="Four pictures or more, and captions.txt if you have one", file_count="multiple",
                        type="filepath", elem_id="style-files",
                    )  # fmt: skip
                    self.label = gr.Textbox(
                        OWN_NAME, label="What captions call the style", max_lines=1, max_length=60,
                        elem_id="style-name",
                        info="The classifier then compares with your pictures, not with a word.",
                    )  # fmt: skip
            with gr.Column(elem_classes="buttons"):
                self.run = gr.Button("Run the study", variant="primary", size="lg", elem_id="style-run")
                self.stop = gr.Button("Stop", variant="stop", interactive=False, elem_id="style-stop")
            gr.HTML('<p class="hint">It takes minutes. Stop keeps what is done; run again to go on.</p>')


def _gallery(label: str, elem_id: str) -> gr.Gallery:
    return lossless(
        gr.Gallery, label, type="filepath", interactive=False, columns=3, height="auto", object_fit="contain",
        buttons=["download", "fullscreen"], elem_id=elem_id, elem_classes="style-gallery",
    )  # fmt: skip
