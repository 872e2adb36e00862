"""The fold that asks which of two pictures is better without saying which is which."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from dataclasses import replace
from html import escape
from typing import Any

import gradio as gr

from impress_ui.errors import UserError
from impress_ui.measures.blind import ANSWERS, QUESTIONS, as_csv, order_of
from impress_ui.ui.components import lossless, picture_input
from impress_ui.ui.engine import load_engine
from impress_ui.ui.mistakes import explain, toast
from impress_ui.ui.page import PRIVATE, Page, Room, Update, Values
from impress_ui.ui.record import ALL_PICTURES, EDITS, new_folder
from impress_ui.ui.rooms.history import blind_views
from impress_ui.ui.rooms.history.blind_study import Pair, Study, of_files, of_runs
from impress_ui.ui.rooms.history.runs import HISTORIES
from impress_ui.ui.sessions import session_of

# Which pictures of a run each question is about, and which one is chosen first.
KINDS = {"change": ("protected", "purified"), "edit": tuple(EDITS)}
FIRST = {"change": "protected", "edit": "edit(protected)"}
TIMES, MOST_TIMES = 6, 20
BUTTONS = dict(zip(ANSWERS, ("← Left", "↓ No difference", "Right →"), strict=True))
PLACES = {"left": "The left picture", "original": "The original picture", "right": "The right picture"}
# The question and its buttons fit a window, of which other things may have the upper half.
IN_SIGHT = "() => { document.getElementById('blind-area').scrollIntoView({ block: 'start' }); }"


class BlindFold(Room):
    """What is compared; then one question after the other; then what the answers come to."""

    name = "blind"

    def build(self, page: Page) -> None:
        """The fold, below the choice of two runs."""
        self.study = gr.State(Study())
        with gr.Accordion("Compare blind", open=False, elem_id="blind-area"):
            with gr.Column(elem_id="blind-setup") as self.setup:
                self._choose()
            with gr.Column(visible=False, elem_id="blind-asking") as self.asking:
                self._ask()
            with gr.Column(visible=False, elem_id="blind-ended") as self.ended:
                self.result = gr.HTML("", elem_id="blind-result")
                self.csv = gr.DownloadButton("The answers as CSV", size="sm", elem_id="blind-csv")
        # All of it is the visitor's: a run that is restored leaves it as it is.
        self.given = (self.study, self.listed, self.asked, self.result, *self.own.values(), *self.pictures.values())

    def _choose(self) -> None:
        gr.HTML(f'<p class="caption">{escape(blind_views.INTRODUCED)}</p>')
        self.question = gr.Radio(
            [(words, name) for name, words in QUESTIONS.items()], value="change", label="Question",
            elem_id="blind-question",
        )  # fmt: skip
        with gr.Row(elem_id="blind-pair"):
            self.kinds = [
                gr.Dropdown(
                    _choices("change"), value=FIRST["change"], label=label, elem_id=elem_id, min_width=180,
                    filterable=False,
                )
                for label, elem_id in (("A, of the run", "blind-a"), ("B, of the run beside it", "blind-b"))
            ]  # fmt: skip
            self.times = gr.Slider(
                1, MOST_TIMES, TIMES, step=1, label="Times that each pair is asked", elem_id="blind-times",
                min_width=220,
            )  # fmt: skip
        with gr.Accordion("Or two pictures of your own", open=False, elem_id="blind-own"):
            gr.HTML('<p class="caption">While they lie here, they are taken in place of the runs’ pictures.</p>')
            with gr.Row():
                self.own = {
                    name: picture_input(label, label, elem_id=f"blind-own-{name}", height=150)
                    for name, label in (("a", "Picture A"), ("original", "Their original"), ("b", "Picture B"))
                }
        self.listed = gr.HTML("", elem_id="blind-listed")
        with gr.Row(elem_id="blind-buttons"):
            self.begin = gr.Button("Begin", variant="primary", elem_id="blind-begin", min_width=110)
            self.add = gr.Button("Add the pair to a list", elem_id="blind-add", min_width=150)
            self.clear = gr.Button("Empty the list", visible=False, elem_id="blind-clear", min_width=110)

    def _ask(self) -> None:
        self.asked = gr.HTML("", elem_id="blind-asked")
        self.pictures: dict[str, gr.Image] = {}
        self.answers: dict[str, gr.Button] = {}
        with gr.Row(elem_id="blind-pictures", equal_height=False):
            for (place, alt), answer in zip(PLACES.items(), ANSWERS, strict=True):
                with gr.Column(min_width=100, elem_id=f"blind-at-{place}"):
                    with gr.Column() as frame:
                        gr.HTML(f'<p class="caption">{place.capitalize()}</p>')
                        # Nothing to download: the two pictures are no results, and are called after their side.
                        self.pictures[place] = lossless(
                            gr.Image, alt, alt_text=alt, type="filepath", interactive=False, show_label=False,
                            buttons=["fullscreen"], elem_id=f"blind-{place}",
                        )  # fmt: skip
                    if place == "original":
                        self.middle = frame
                    self.answers[answer] = gr.Button(BUTTONS[answer], elem_id=f"blind-say-{place}", min_width=60)
        self.finish = gr.Button("Show the result", size="sm", elem_id="blind-finish")

    def connect(self, shell: Any) -> None:
        """Choosing, asking, answering; none of it needs the device, so that a run goes on meanwhile."""
        self.page = page = shell.page
        runs = {page.past, page.past_other}
        chosen = {self.study, self.question, *self.kinds, self.times, *self.own.values(), *runs}
        listing = [self.study, self.listed, self.clear]
        shown = [
            *listing, self.setup, self.asking, self.ended, self.asked, self.middle, *self.pictures.values(),
            self.result, self.csv,
        ]  # fmt: skip
        self.question.input(self.kinds_of, [self.question], self.kinds, **PRIVATE)
        self.add.click(self._told(self.added), chosen, listing, **PRIVATE)
        self.clear.click(self.emptied, {self.study}, listing, **PRIVATE)
        begun = self.begin.click(self._told(self.begun), chosen, shown, **PRIVATE)
        begun.success(None, None, js=IN_SIGHT, **PRIVATE)
        for answer, button in self.answers.items():
            button.click(self._told(functools.partial(self.answered, answer)), {self.study}, shown, **PRIVATE)
        self.finish.click(self._told(self.finished), {self.study}, shown, **PRIVATE)

    def kinds_of(self, question: str) -> list[Any]:
        """What A and B can be for this question."""
        return [gr.update(choices=_choices(question), value=FIRST[question])] * len(self.kinds)

    def added(self, values: Values, session: str) -> Update:
        """One more pair on the list."""
        study = values[self.study]
        return self._listing(replace(study, listed=(*study.listed, self._pair(values, session))))

    def emptied(self, values: Values) -> Update:
        """No pair is on the list any more; the answers stay."""
        return self._listing(replace(values[self.study], listed=()))

    def begun(self, values: Values, session: str) -> Update:
        """A new series: of the list, or of the pair that is chosen where there is none."""
        study = values[self.study]
        pairs = study.listed or (self._pair(values, session),)
        turns = order_of(len(pairs), int(values[self.times]), random.SystemRandom().getrandbits(32))
        return self._next(replace(study, pairs=pairs, turns=turns, answers=(), kept=study.all_answers), session)

    def answered(self, answer: str, values: Values, session: str) -> Update:
        """An answer, and the next question or the result."""
        study = values[self.study]
        return self._next(study if study.turn is None else study.answered(answer), session)

    def finished(self, values: Values, session: str) -> Update:
        """The result so far; what was not asked yet is left out."""
        study = values[self.study]
        return self._next(replace(study, turns=study.turns[: len(study.answers)]), session)

    def _next(self, study: Study, session: str) -> Update:
        if study.turn is None:
            return self._end(study, session)
        study, files = study.asked(new_folder(session))
        return {
            self.study: study,
            self.setup: gr.update(visible=False),
            self.ended: gr.update(visible=False),
            self.asking: gr.update(visible=True),
            self.asked: blind_views.asked(study),
            self.middle: gr.update(visible=files["original"] is not None),
            **{widget: files[place] for place, widget in self.pictures.items()},
        }

    def _end(self, study: Study, session: str) -> Update:
        file = new_folder(session) / "impress-blind.csv"
        file.write_text(as_csv(study.all_answers), encoding="utf-8")
        return {
            self.study: study,
            self.asking: gr.update(visible=False),
            self.setup: gr.update(visible=True),
            self.ended: gr.update(visible=True),
            self.result: blind_views.result(study),
            self.csv: gr.update(value=str(file), interactive=bool(study.all_answers)),
        }

    def _listing(self, study: Study) -> Update:
        return {
            self.study: study,
            self.listed: blind_views.listed(study.listed),
            self.clear: gr.update(visible=bool(study.listed)),
        }

    def _pair(self, values: Values, session: str) -> Pair:
        """The pair that is chosen: of the visitor's own pictures, or of the runs.

        Raises:
            UserError: there is none.
        """
        load_engine()
        question, folder = values[self.question], new_folder(session)
        own = {name: values[widget] for name, widget in self.own.items()}
        if any(own.values()):
            return of_files(question, own["a"], own["b"], own["original"], folder)
        run = HISTORIES.find(session, values[self.page.past])
        if run is None:
            raise UserError("There is no run to compare yet: make one first, or put in two pictures of your own.")
        other = HISTORIES.find(session, values[self.page.past_other]) or run
        return of_runs(question, (run, other), [values[kind] for kind in self.kinds], folder)

    def _told(self, handler: Callable[[Values, str], Update]) -> Callable[[Values, gr.Request], Update]:
        """The handler of a click; a mistake is told in a sentence."""

        def handle(values: Values, request: gr.Request) -> Update:
            try:
                return handler(values, session_of(request))
            except Exception as error:
                raise toast(explain(error)) from None

        return handle


def _choices(question: str) -> list[tuple[str, str]]:
    return [(ALL_PICTURES[name], name) for name in KINDS[question]]
