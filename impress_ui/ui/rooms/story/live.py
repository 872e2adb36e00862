"""Sliders that answer: a purification that runs when one is let go, and gives way to the next."""

from __future__ import annotations

from typing import Any

import gradio as gr

from impress_ui.ui import runs, views
from impress_ui.ui.forms import job_from_widgets
from impress_ui.ui.page_job import Update
from impress_ui.ui.progress import expected
from impress_ui.ui.rooms.story.run import PageRun

LONGEST = 15.0  # seconds: what is expected to take longer is left to the button


class LiveRun(PageRun):
    """The story's run, from the protected picture that is there; only what a slider can change is measured anew."""

    live = True

    def instead(self) -> Update | None:
        """Nothing beside another job of the visitor's, or where there is nothing to purify yet; what is there without
        the run where that would take too long."""
        nothing: Update = {self.status: gr.update()}  # Gradio would empty every widget of a run that says nothing
        if not runs.JOBS.free(self.session):
            return nothing
        if (told := super().instead()) is not None:
            return told
        if any(job.doing == "both" and not job.over for job in self.ended):
            self.what, self.parts = "both", ("protect", "purify")  # or the budget that was moved before would be lost
        assert self.own is not None
        self.own.doing = self.what
        if "protected" not in self.record.files:
            return self._put_back() | self.page.buttons_back | nothing if self.ended else nothing
        if reason := self._too_much():
            return self._put_back() | self._buttons_back(views.status("Live", f"{reason}; press {self.button}", "idle"))
        return None

    @property
    def button(self) -> str:
        """What runs the same without being asked for by a slider."""
        return "Purify" if self.what == "purify" else "Protect and purify"

    def draws_seed(self) -> bool:
        """No: curves are compared that differ by the slider alone."""
        return False

    def known(self) -> list[dict[str, Any]]:
        """The purified picture alone is new, unless the protected one is."""
        return [row for row in self.record.rows if row["name"] != "purified"] if self.what == "purify" else []

    def _too_much(self) -> str:
        """Why this is not run unasked."""
        if runs.JOBS.line.busy():
            return "others are waiting for the device"
        try:
            job = job_from_widgets(self.page, self.values)
        except Exception:  # the run itself says what is wrong with the settings
            return ""
        size = self.record.own or self.record.size or (0, 0)
        kinds = ("protect", "purify") if self.what == "both" else ("purify",)
        seconds = sum(expected(kind, job, size) or 0.0 for kind in kinds)
        return f"this would take about {views.duration(seconds)}" if seconds > LONGEST else ""
