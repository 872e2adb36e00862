"""The fold that learns one perturbation over many pictures, and adds one to the picture at hand."""

from __future__ import annotations

from typing import Any

import gradio as gr

from impress_ui.ui.page import Page, Room, Values


class UniversalFold(Room):
    """Pictures to learn from, and the perturbation: what was learnt stands where another one can be put."""

    name = "universal"

    def build(self, page: Page) -> None:
        """The fold, among the settings."""
        with gr.Accordion("One perturbation for many pictures", open=False, elem_id="universal-area"):
            gr.HTML(
                "<p>Learn one perturbation over many pictures, as the protection above is set; then it is added to "
                "any picture at no cost. It covers less than a picture’s own attack does.</p>"
            )
            self.works = gr.File(
                label="Pictures to learn from", file_count="multiple", file_types=["image"], type="filepath",
                height=120,
                elem_id="universal-works",
            )  # fmt: skip
            self.learn = gr.Button("Learn it", elem_id="universal-learn")
            self.file = gr.File(
                label="The perturbation, learnt or yours", file_types=[".png"], type="filepath", height=120,
                elem_id="universal-file",
            )  # fmt: skip
            self.add = gr.Button("Add it to the picture", elem_id="universal-add")
        self.run_buttons = (self.learn, self.add)

    def connect(self, shell: Any) -> None:
        """Learning leaves the picture as it is; adding protects it, as the story does."""
        page = shell.page
        shell.starts(self.learn, self.learning, [page.target, self.works], [page.status, self.file])
        shell.shows_after(shell.starts(self.add, self.adding, [*page.run_inputs, self.file], page.shown))

    def learning(self, page: Page, values: Values, session: str) -> Any:
        """Learn a perturbation."""
        from impress_ui.ui.rooms.universal.run import LearnRun

        return LearnRun(page, values, session, page.status)

    def adding(self, page: Page, values: Values, session: str) -> Any:
        """Protect the picture with one."""
        from impress_ui.ui.rooms.universal.run import AddRun

        return AddRun(page, values, session)
