"""The stress test: does a protection hold? One protected picture, many purifiers, and what each leaves of it.

    test = StressTest(protected, job, original)
    for step in test.run():
        ...                                   # step.phase, step.seconds_left
    test.rows                                 # what is done, whether stopped or not

Protection left is 100 % at the protected picture and 0 % at the original, in each of these measures m:

    latent      m(x) = ||E(x) - E(original)||                        left = m(x) / m(protected)
    edit        m(x) = LPIPS(edit of x, edit of the original)        left = m(x) / m(protected)
    twin        m(x) = ||E(x) - E(original purified alike)||         left = m(x) / m(protected)
    round trip  m(x) = mean((V(x) - x)^2)              left = (m(x) - m(clean)) / (m(protected) - m(clean)), at least 0

where m(clean) is the original's or, without one, the median of clean photographs that the detector was calibrated on
(0 on a checkpoint without one). The latent's figure leads; without the original, that of the round trip, which is
weaker: purifiers that draw with the decoder are consistent whatever they draw. A purifier that damages the picture
moves its latent too, and that damage counts as protection left; only the twin, which is damaged alike, tells the two
apart.

Picture lost is LPIPS to the original; without it, to the protected picture, where the removed perturbation counts too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.jobs.items import ItemStep
from impress_ui.jobs.workflow import same_size
from impress_ui.measures.costs import expected_seconds, measure_pace, remember
from impress_ui.measures.metrics import encode_picture, latent_distance, load_detector, look_at, lpips
from impress_ui.measures.stress_rows import NOTHING, ORIGINAL, PROTECTED, StressRow, beats, loss_of, share_left
from impress_ui.methods.edit import edit
from impress_ui.methods.optimise import ShouldStop, Step, never
from impress_ui.methods.purify import check_ready, needs_model, planned_steps, purify
from impress_ui.models.autoencoder import load_autoencoder
from impress_ui.models.diffusion_model import load_diffusion_model
from impress_ui.pictures.images import Picture, to_images, to_tensor
from impress_ui.settings import JobSettings, PurifySettings


@dataclass
class StressTest:
    """One protected picture under the purifiers of ``job.stress``.

    Raises:
        UserError: an original of another size, edits or twins wanted without one, no purifier, or one that needs more
            of the checkpoint than there is.
    """

    protected: Image.Image
    job: JobSettings
    original: Image.Image | None = None
    rows: list[StressRow] = field(default_factory=list)
    expected: float | None = None

    def __post_init__(self) -> None:
        if self.original is not None:
            same_size(self.protected, Picture(self.original), "original")
        for wanted, what in ((self.job.stress.edits, "edits"), (self.job.stress.twins, "twins")):
            if wanted and self.original is None:
                raise UserError(
                    f"The {what} are measured against the original's: give the original, or leave them out."
                )
        self._autoencoder = load_autoencoder(self.job.run)
        chosen = self.job.stress.settings_of(self.job.purify)
        if not chosen:
            raise UserError("There is no purifier to run: choose one or more.")
        check_ready(chosen.values(), self._autoencoder)
        needing = [name for name, settings in chosen.items() if needs_model(settings)]
        try:
            self._model = load_diffusion_model(self.job.run) if needing or self.job.stress.edits else None
        except UserError as error:
            listed = ", ".join([*needing, *(["the edits"] if self.job.stress.edits else [])])
            raise UserError(f"{error} Or leave out {listed}.") from None
        self._purifiers = chosen
        self._reference: dict[str, Any] = {}

    @property
    def baseline(self) -> list[StressRow]:
        """The rows of the protected picture and of the original, where it is known."""
        return [row for row in self.rows if row.name in (PROTECTED, ORIGINAL)]

    @property
    def ranking(self) -> list[StressRow]:
        """The purifiers' rows, the one that leaves least of the protection first; the unknown last."""
        rows = [row for row in self.rows if row.name not in (PROTECTED, ORIGINAL)]
        known = [row for row in rows if row.protection_left is not None]
        return sorted(known, key=lambda row: (row.protection_left, row.picture_lost)) + [
            row for row in rows if row.protection_left is None
        ]

    @property
    def unbeaten(self) -> set[str]:
        """The purifiers that no other one equals or betters in both what is left and what is lost."""
        rows = [row for row in self.ranking if row.protection_left is not None]
        return {row.name for row in rows if not any(beats(other, row) for other in rows)}

    def run(self, should_stop: ShouldStop = never) -> Iterator[ItemStep]:
        """Measure the pace and the pictures as they are, tell the cost, then run the cheapest purifier first."""
        count = len(self._purifiers)
        yield ItemStep("Measuring the pace", 0, count)
        measure_pace(list(self._purifiers.values()), self.protected, self._autoencoder, self._model, should_stop)
        began = time.monotonic()
        self._measure_given()
        overhead = (time.monotonic() - began) / len(self.rows)
        size = self.protected.size
        runs = 2 if self.job.stress.twins else 1
        costs = {name: overhead + runs * (expected_seconds(s, size) or 0.0) for name, s in self._purifiers.items()}
        self.expected = left = sum(costs.values())
        yield ItemStep("Measured the protected picture", 0, count, seconds_left=left, done=True)
        for number, (name, settings) in enumerate(sorted(self._purifiers.items(), key=lambda item: costs[item[0]])):
            if should_stop():
                yield ItemStep("Stopped", number, count, stopped=True)
                return
            planned = planned_steps(settings)
            step = ItemStep(name, number, count, 0, runs * planned, left)
            yield step
            made: list[Image.Image] = []
            began = time.monotonic()
            for turn, source in enumerate((self.protected, self.original)[:runs]):
                for at in self._purify(source, settings, should_stop):
                    index = turn * planned + at.index
                    share = index / step.steps if step.steps else 0.0
                    yield replace(step, index=index, seconds_left=left - share * costs[name])
                    if at.fault:
                        raise UserError(f"{name}: {at.fault}")
                    if at.stopped:
                        # A purifier stopped half way would be shown weaker than it is.
                        yield replace(step, phase="Stopped", stopped=True)
                        return
                    made += [] if at.result is None else to_images(at.result)
            seconds = (time.monotonic() - began) / runs
            remember(settings, size, seconds)
            self.rows.append(self._row(name, made[0], made[-1], seconds=seconds))
            left -= costs[name]
            yield replace(step, number=number + 1, index=step.steps, seconds_left=left, done=True)

    def report(self) -> dict[str, Any]:
        """The whole test as plain data, the purifiers ranked."""
        unbeaten = self.unbeaten
        ranked = [{"rank": rank, **row.as_dict(), "unbeaten": row.name in unbeaten}
                  for rank, row in enumerate(self.ranking, 1)]  # fmt: skip
        return {
            "original_known": self.original is not None,
            "expected_seconds": self.expected,
            "given": [row.as_dict() for row in self.baseline],
            "ranking": ranked,
            "done": len(ranked),
            "asked": len(self._purifiers),
        }

    def _purify(self, picture: Image.Image | None, settings: PurifySettings, should_stop: ShouldStop) -> Iterator[Step]:
        assert picture is not None
        x = to_tensor(picture, self._autoencoder.device)
        return purify(
            x, settings, self._autoencoder, model=self._model, seed=self.job.run.seed, should_stop=should_stop
        )

    def _measure_given(self) -> None:
        """The protected picture's row and the original's, which all shares are made of."""
        known = self.original is not None
        given = {PROTECTED: self.protected, **({ORIGINAL: self.original} if self.original is not None else {})}
        edits = dict(zip(given, self._edit(list(given.values())), strict=True)) if self.job.stress.edits else {}
        if self.original is not None:
            self._reference = {"latent": encode_picture(self.original, self._autoencoder), "edit": edits.get(ORIGINAL)}
        values = {name: self._values(image, edits.get(name), self.original) for name, image in given.items()}
        detector = load_detector(self._autoencoder)
        clean = {"latent": 0.0, "edit": 0.0, "twin": 0.0, "round_trip": detector.clean_error if detector else 0.0}
        if known:
            clean["round_trip"] = values[ORIGINAL]["round_trip"] or 0.0
        self._reference |= {"clean": clean, PROTECTED: values[PROTECTED]}
        self.rows = [self._row(name, image, self.original, edited=edits.get(name)) for name, image in given.items()]

    def _row(
        self,
        name: str,
        image: Image.Image,
        twin: Image.Image | None,
        *,
        edited: Image.Image | None = None,
        seconds: float | None = None,
    ) -> StressRow:
        """``twin`` is the original after the same purifier; used where twins are wanted."""
        if self.job.stress.edits and edited is None:
            (edited,) = self._edit([image])
        values = self._values(image, edited, twin)
        protected, clean = self._reference[PROTECTED], self._reference["clean"]
        left = {key: share_left(value, protected[key], clean[key], NOTHING[key]) for key, value in values.items()}
        return StressRow(
            name, image, values, left, loss_of(image, self.protected),
            None if self.original is None else loss_of(image, self.original), edited, seconds,
        )  # fmt: skip

    @torch.no_grad()
    def _values(
        self, image: Image.Image, edited: Image.Image | None, twin: Image.Image | None
    ) -> dict[str, float | None]:
        latent, decoded = look_at(image, self._autoencoder)
        reference, clean_edit = self._reference.get("latent"), self._reference.get("edit")

        def distance(from_latent: Tensor) -> float | None:
            return None if reference is None else latent_distance(latent, from_latent, unit=reference)

        twins = self.job.stress.twins and twin is not None
        return {
            "latent": distance(reference),
            "twin": distance(encode_picture(twin, self._autoencoder)) if twins else None,
            "edit": None if edited is None or clean_edit is None else lpips(edited, clean_edit),
            "round_trip": ((to_tensor(decoded) - to_tensor(image)) ** 2).mean().item(),
        }

    def _edit(self, images: list[Image.Image]) -> list[Image.Image]:
        assert self._model is not None
        how = self.job.edit.model_copy(update={"mode": "img2img"})
        made = None
        for step in edit(images, how, self._model, seed=self.job.run.seed):
            made = step.results
        assert made is not None
        return made
