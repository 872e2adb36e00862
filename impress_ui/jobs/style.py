"""A study of a style: protect an artist's works, purify them, fine-tune a model on each set, and judge what it makes.

    study = StyleStudy(works, captions, artist, job)
    for step in study.run():
        ...                                   # step.phase, step.variant, step.index of step.steps
    study.galleries["purified"], study.scores["purified"]

A study that was stopped goes on where it was when ``run`` is called again. The page, the command line and the
experiment run this one class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from PIL import Image
from torch import Tensor

from impress_ui.art.artists.works import Work
from impress_ui.jobs.encoders import load_others
from impress_ui.methods.attacks.glaze import Judge, best_style, style_targets
from impress_ui.methods.batches import BATCH, over_batches
from impress_ui.methods.mimic import FineTuning, imitate
from impress_ui.methods.optimise import ShouldStop, Step, never
from impress_ui.methods.protect import protect
from impress_ui.methods.purify import check_ready, purify
from impress_ui.models.diffusion_model import DiffusionModel, load_diffusion_model
from impress_ui.pictures.images import to_images, to_tensor
from impress_ui.settings import JobSettings, PurifySettings

Phase = Literal["target", "protect", "purify", "fine-tune", "generate", "judge"]


@dataclass(frozen=True)
class Variant:
    """A set of works to imitate: the artist's own, the protected ones, or those purified with the settings.

    What a perfect purifier might leave: of a protected set's change the ``share``, in every pixel, or with
    ``own_colours`` all but what is left when a picture is reduced to 16x16 pixels.
    """

    protected: bool = False
    purify: PurifySettings | None = None
    share: float = 1.0
    own_colours: bool = False


@dataclass
class StudyStep:
    """Where a study is: ``index`` of ``steps`` of a phase, ``stage`` of ``stages`` phases in all.

    ``preview`` is a sample of a fine-tuning, where one was due; what is finished is in the study's own attributes.
    """

    phase: Phase
    variant: str
    index: int
    steps: int
    stage: int
    stages: int
    losses: dict[str, float] = field(default_factory=dict)
    preview: Image.Image | None = None
    stopped: bool = False


def variants_of(job: JobSettings) -> dict[str, Variant]:
    """The page's three: the works as they are, protected, and purified again."""
    return {"clean": Variant(), "protected": Variant(True), "purified": Variant(True, job.purify)}


class StyleStudy:
    """See the module's docstring.

    Args:
        works: what the artist made, of one size, with captions.
        captions: what the imitators are asked for.
        artist: the class that a judge should find in the imitations.
        judge: names the style of pictures, as ``ClipClassifier`` does; also finds GLAZE's target.
        variants: by name, in the order in which they are run.

    Attributes:
        style: the style that GLAZE moved the works towards.
        sets: the works of each variant; galleries: what its imitator made; scores: the judge's (N, classes).
        tunings: each variant's fine-tuning, while it is needed or kept.
    """

    def __init__(
        self,
        works: Sequence[Work],
        captions: Sequence[str],
        artist: str,
        job: JobSettings,
        *,
        judge: Judge,
        variants: Mapping[str, Variant] | None = None,
        keep_models: bool = True,
    ) -> None:
        self.works, self.captions, self.artist, self.job, self.judge = list(works), list(captions), artist, job, judge
        self.variants = dict(variants or variants_of(job))
        self.keep_models = keep_models
        self.style = job.protect.style
        self.targets: list[Image.Image] = []
        self.protected: list[Image.Image] = []
        self.sets: dict[str, list[Image.Image]] = {name: [] for name in self.variants}
        self.tunings: dict[str, FineTuning] = {}
        self.galleries: dict[str, list[Image.Image]] = {}
        self.scores: dict[str, Tensor] = {}
        self.curves: dict[str, list[float]] = {name: [] for name in self.variants}

    @property
    def images(self) -> list[Image.Image]:
        """The artist's works as pictures."""
        return [work.image for work in self.works]

    @property
    def finished(self) -> bool:
        return len(self.scores) == len(self.variants)

    def run(self, *, should_stop: ShouldStop = never) -> Iterator[StudyStep]:
        """All phases that are still to be done; a stop ends the current one after its step and keeps what is there."""
        model = load_diffusion_model(self.job.run)
        purifiers = [variant.purify for variant in self.variants.values() if variant.purify is not None]
        check_ready(purifiers, model.autoencoder)
        phases = self._phases(model)
        for stage, (phase, variant, steps) in enumerate(phases):
            ran = False
            for step in steps(should_stop):
                ran = True
                step.stage, step.stages, step.phase, step.variant = stage, len(phases), phase, variant
                yield step
                if step.stopped:
                    return
            if ran and stage < len(phases) - 1 and should_stop():
                yield StudyStep(phase, variant, 1, 1, stage, len(phases), stopped=True)
                return

    def _phases(self, model: DiffusionModel) -> list[tuple[Phase, str, Callable[[ShouldStop], Iterator[StudyStep]]]]:
        protects = any(variant.protected for variant in self.variants.values())
        phases: list[tuple[Phase, str, Callable[[ShouldStop], Iterator[StudyStep]]]] = []
        if protects and self.job.protect.method == "glaze":
            phases.append(("target", "", lambda stop: self._target(model, stop)))
        if protects:
            phases.append(("protect", "", lambda stop: self._protect(model, stop)))
        for name, variant in self.variants.items():
            phases += [
                ("purify", name, lambda stop, n=name, v=variant: self._purify(n, v, model, stop)),
                ("fine-tune", name, lambda stop, n=name: self._tune(n, model, stop)),
                ("generate", name, lambda stop, n=name: self._generate(n, stop)),
                ("judge", name, lambda stop, n=name: self._judge(n)),
            ]
        return [phase for phase in phases if not (phase[0] == "purify" and self.variants[phase[1]].purify is None)]

    def _target(self, model: DiffusionModel, should_stop: ShouldStop) -> Iterator[StudyStep]:
        if self.targets or len(self.protected) == len(self.works):
            return
        settings, seed = self.job.protect, self.job.run.seed
        if not self.style:
            best = best_style(self.images, self.judge, settings, model, seed=seed, should_stop=should_stop)
            self.style = best or ""
        if self.style:
            made = style_targets(self.images, self.style, settings, model, seed=seed, should_stop=should_stop)
            self.targets = made or []
        yield _step(1, 1, stopped=not self.targets)

    def _protect(self, model: DiffusionModel, should_stop: ShouldStop) -> Iterator[StudyStep]:
        job, device, others = self.job, model.device, load_others(self.job)

        def attack(x: Tensor, first: int) -> Iterator[Step]:
            goal = to_tensor(self.targets[first : first + len(x)], device) if self.targets else None
            return protect(
                x, job.protect, model.autoencoder, model=model, seed=job.run.seed, target=goal, others=others,
                should_stop=should_stop,
            )  # fmt: skip

        yield from _over(self.images, self.protected, attack, device)
        for name, variant in self.variants.items():
            self.sets[name] = self.sets[name] or self._start_of(variant)

    def _start_of(self, variant: Variant) -> list[Image.Image]:
        """The set of a variant that needs no purifier."""
        if variant.purify is not None:
            return []
        if not variant.protected:
            return self.images
        return [Image.blend(*pair, variant.share) for pair in zip(self.images, self.protected, strict=True)]

    def _purify(
        self, name: str, variant: Variant, model: DiffusionModel, should_stop: ShouldStop
    ) -> Iterator[StudyStep]:
        job, settings = self.job, variant.purify
        assert settings is not None
        source = self.protected if variant.protected else self.images
        yield from _over(
            source,
            self.sets[name],
            lambda x, first: purify(
                x, settings, model.autoencoder, model=model, seed=job.run.seed, should_stop=should_stop
            ),
            model.device,
        )
        if variant.own_colours and len(self.sets[name]) == len(source):
            self.sets[name] = list(map(with_colours_of, self.sets[name], self.images))

    def _tune(self, name: str, model: DiffusionModel, should_stop: ShouldStop) -> Iterator[StudyStep]:
        if name in self.galleries:
            return
        if name not in self.tunings:
            pictures = self.sets[name] or self._start_of(self.variants[name])
            self.sets[name] = pictures
            shown = [
                Work(image, work.caption, work.subject, work.photograph)
                for image, work in zip(pictures, self.works, strict=True)
            ]
            self.tunings[name] = FineTuning(
                model, shown, self.job.mimic, seed=self.job.run.seed, caption=self.captions[0]
            )
        for step in self.tunings[name].run(should_stop=should_stop):
            losses = step.loss_values()
            self.curves[name] += losses.values()
            yield _step(step.index, step.steps, losses=losses, preview=step.sample, stopped=step.stopped)

    def _generate(self, name: str, should_stop: ShouldStop) -> Iterator[StudyStep]:
        if name in self.galleries:
            return
        side = self.images[0].size
        wanted = self.job.generate.model_copy(
            update={"width": side[0], "height": side[1], "guidance": self.job.mimic.guidance}
        )
        imitator = self.tunings[name].model()
        for step in imitate(imitator, self.captions, wanted, seed=self.job.run.seed, should_stop=should_stop):
            if step.results is not None and not step.stopped:
                self.galleries[name] = step.results
            yield _step(step.index, step.steps, stopped=step.stopped)
        if name in self.galleries and not self.keep_models:
            del self.tunings[name]

    def _judge(self, name: str) -> Iterator[StudyStep]:
        if name in self.scores:
            return
        self.scores[name] = self.judge.scores(self.galleries[name])
        yield _step(1, 1)


def with_colours_of(image: Image.Image, other: Image.Image) -> Image.Image:
    """The picture with the colours of another one of its size, where both are reduced to 16x16 pixels, and its own
    detail."""
    x, y = to_tensor([image]), to_tensor([other])
    coarse = torch.nn.functional.interpolate(y - x, (16, 16), mode="area")
    change = torch.nn.functional.interpolate(coarse, x.shape[-2:], mode="bicubic")
    return to_images((x + change).clamp(-1, 1))[0]


def _step(index: int, steps: int, **more: object) -> StudyStep:
    return StudyStep("judge", "", index, steps, 0, 0, **more)  # type: ignore[arg-type]  # the caller fills the place in


def _over(
    images: Sequence[Image.Image],
    done: list[Image.Image],
    run: Callable[[Tensor, int], Iterator[Step]],
    device: str,
) -> Iterator[StudyStep]:
    """``over_batches`` as steps of a study."""
    batches = -(-len(images) // BATCH)
    for first, step in over_batches(images, done, run, device):
        per_batch = max(1, step.steps) + 1
        yield _step(
            first // BATCH * per_batch + step.index + 1,
            batches * per_batch,
            losses={name: float(torch.mean(values)) for name, values in step.losses.items()},
            stopped=step.stopped,
        )
