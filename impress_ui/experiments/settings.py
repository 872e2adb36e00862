"""The experiments' settings: one model, and so one settings file, for each."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from impress_ui.fields import knob
from impress_ui.methods.protections.protection import Alteration
from impress_ui.pictures.photographs import Split, names_of
from impress_ui.settings.job import JobSettings
from impress_ui.settings.protect import ProtectMethod, checked_protections
from impress_ui.settings.recipes import STYLE_GLAZE
from impress_ui.settings.run import LARGEST_SEED
from impress_ui.settings.stress import AS_SET, checked_purifiers

Attack = Literal["encoder", "diffusion"]
Budget = Annotated[int, Field(ge=1, le=64)]
Beta = Annotated[float, Field(gt=0, le=1e6)]
Term = Literal["consistency", "loss"]  # the adaptive terms that beta weighs
Share = Annotated[float, Field(gt=0, lt=1)]
# The published baselines (JPEG 15, noise .1, resize to a half), each kind of control at what it does best on works of
# art, and the purifiers that undo GLAZE best.
STYLE_PURIFIERS = (
    "jpeg 15", "noise 0.1", "resize 0.5", "non-local-means 0.08", "fast-style", "non-local-means 0.05, then fast-style",
)  # fmt: skip
_BUDGETS_HELP = "Budgets of the protection, in grey levels."


def _budgets(*usual: int) -> Any:
    return knob(usual, _BUDGETS_HELP, label="Budgets", min_length=1, max_length=40)


class ExperimentSettings(JobSettings):
    """What every experiment has: the sections of a job, and which photographs.

    A settings file of the other commands, or a PNG's settings, is one of these too.
    """

    # What is usual is brought into form like what is given: a folder knows its run by the settings that it wrote.
    model_config = ConfigDict(validate_default=True)

    # What of the sections decides about the figures, beside ``run``.
    sections: ClassVar[tuple[str, ...]] = ("protect",)

    experiment: str = ""
    split: Split = knob("test", "Photographs: 'test' for reported figures, 'validation' for choosing recipes.")
    photographs: int | None = knob(None, "Only the first so many photographs of the split; all without it.", ge=1)

    @property
    def names(self) -> list[str]:
        """The photographs, by name."""
        return names_of(self.split)[: self.photographs]

    @property
    def job(self) -> JobSettings:
        """The sections alone, as the other commands have them."""
        given = self.model_dump(exclude_unset=True)
        return JobSettings.model_validate({name: given[name] for name in JobSettings.model_fields if name in given})

    @property
    def used(self) -> tuple[str, ...]:
        """The sections that count as these settings stand.

        ``purify`` does only where a purifier is as it is set there, ``protect`` where its method is among the methods.
        """
        idle = set() if AS_SET in getattr(self, "purifiers", (AS_SET,)) else {"purify"}
        if not getattr(self, "edits", True):
            idle.add("edit")
        if self.protect.method not in getattr(self, "methods", (self.protect.method,)):
            idle.add("protect")
        return ("run", *(section for section in self.sections if section not in idle))

    def overridden(self, sections: dict[str, dict[str, Any]], **fields: Any) -> Self:
        """A validated copy with some fields of the sections, and some of its own, replaced."""
        changed = self.updated(**sections).model_dump(exclude_unset=True)
        return type(self).model_validate({**changed, **fields})


class _Paper(ExperimentSettings):
    paper_photographs: int = knob(
        1, "Photographs on which the paper recipes run too: ten minutes each on two cores.", ge=0
    )


class Few(ExperimentSettings):
    photographs: int | None = knob(8, "Only the first so many photographs of the split.", ge=1)


class Edited(Few):
    """Those that measure what is left of a protection by the edits as well."""

    edit_seeds: int = knob(
        1, "Noises that each picture is edited from, the run's seed and the next ones; figures are means.", ge=1, le=64
    )

    @model_validator(mode="after")
    def _seeds_are_there(self) -> Self:
        if (last := self.run.seed + self.edit_seeds - 1) > LARGEST_SEED:
            told = {"last": last, "largest": LARGEST_SEED}
            raise PydanticCustomError(
                "edits", "the seeds of the edits go up to {last}, beyond the largest, {largest}", told
            )
        return self


class PurificationSettings(_Paper):
    """What each purifier restores, and what it costs the picture."""

    experiment: Literal["purification"] = "purification"
    budgets: tuple[Budget, ...] = _budgets(8, 16)


class EditingSettings(_Paper):
    """Whether a protection spoils an edit, and which purifier brings the edit back."""

    sections: ClassVar = ("edit",)

    experiment: Literal["editing"] = "editing"
    budgets: tuple[Budget, ...] = _budgets(16)
    attacks: tuple[Attack, ...] = knob(("encoder", "diffusion"), "PhotoGuard's attacks to run.", min_length=1)


class StyleSettings(ExperimentSettings):
    """Whether a model can imitate an artist from protected works, and from works purified again."""

    sections: ClassVar = ("protect", "purify", "mimic", "generate")

    experiment: Literal["style"] = "style"
    artists: int | None = knob(None, "Only the first so many artists; all without it.", ge=1)
    paper_artists: int = knob(0, "Artists whose works the paper recipe purifies too, half an hour each.", ge=0)
    purifiers: Annotated[tuple[str, ...], BeforeValidator(checked_purifiers)] = knob(
        STYLE_PURIFIERS,
        "Purifiers in words, as a stress test has them; the last one is tried on the clean works too.",
        max_length=20,
    )
    shares: tuple[Share, ...] = knob(
        (), "Shares of the protection's change that a perfect purifier would leave, such as 0.25: a row each."
    )
    clean_colours: bool = knob(
        False, "Also a row in which the last purifier's works get back the clean works' colours, at 16x16 pixels."
    )

    @model_validator(mode="before")
    @classmethod
    def _in_a_few_minutes(cls, data: Any) -> Any:
        """GLAZE in the form made for two cores and works of one artist, unless another protection is named."""
        if not isinstance(data, dict):
            return data
        own = data.get("protect", {})
        return {**data, "protect": {**STYLE_GLAZE, **own}} if isinstance(own, dict) and "method" not in own else data


class DetectorSettings(ExperimentSettings):
    """Whether the round-trip error tells protected pictures from clean ones."""

    experiment: Literal["detector"] = "detector"
    budgets: tuple[Budget, ...] = _budgets(8, 16)


class FoundSettings(ExperimentSettings):
    """Whether what the learned purifier would take away tells protected pictures from others."""

    experiment: Literal["found"] = "found"
    budgets: tuple[Budget, ...] = _budgets(2, 4, 8, 12, 16)
    others: tuple[ProtectMethod, ...] = knob(
        ("glaze", "advdm", "sds-minus"), "Other protections, at the largest budget."
    )
    beta: Beta = knob(1000.0, "Weight of the consistency in the adaptive form, which blinds the round trip.")
    unseen: str = knob("assets/autoencoders/kl", "A checkpoint that training never saw, to protect on; empty for none.")


class WholeSettings(ExperimentSettings):
    """What a picture's own size costs a protection: tiles, an enlarged change, and views."""

    sections: ClassVar = ("protect", "purify")

    experiment: Literal["whole"] = "whole"
    photographs: int | None = knob(8, "Only the first so many photographs of the split.", ge=1)


class AutoencoderSettings(ExperimentSettings):
    """The autoencoder's fidelity, how far a protection steers it, and its speed."""

    experiment: Literal["autoencoder"] = "autoencoder"


class ClassifierSettings(ExperimentSettings):
    """How often the classifiers of style are right on clean renderings."""

    sections: ClassVar = ()

    experiment: Literal["classifier"] = "classifier"


class RobustnessSettings(Edited):
    """How a protection's strength grows with its budget, and what each purifier leaves of it."""

    sections: ClassVar = ("protect", "purify", "edit")

    experiment: Literal["robustness"] = "robustness"
    budgets: tuple[Budget, ...] = _budgets(2, 4, 8, 12, 16, 24, 32)
    purifiers: Annotated[tuple[str, ...], BeforeValidator(checked_purifiers)] = knob(
        ("jpeg 40", "resize 0.5", "noise 0.05", "total-variation", "non-local-means", "fast", "learned"),
        "Purifiers in words: 'jpeg 25', 'paper steps=300', 'jpeg 40, then fast'; 'as-set' is the purify section's.",
        max_length=60,
    )
    edits: bool = knob(False, "Also edit every picture, and measure how far the edit is from the clean picture's.")
    untouched: bool = knob(
        False,
        "Also purify pictures that nobody protected: clean, as a JPEG, with a camera's noise; 'after' is the damage.",
    )


ROBUST = "photoguard-encoder robust_to=jpeg+resize+blur"


class ArmsRaceSettings(Edited):
    """Protections by purifiers: what is left of each, and the least that any purifier leaves of a picture."""

    sections: ClassVar = ("purify", "edit")

    experiment: Literal["arms-race"] = "arms-race"
    photographs: int | None = knob(16, "Only the first so many photographs of the split.", ge=1)
    protections: Annotated[tuple[str, ...], BeforeValidator(checked_protections)] = knob(
        ("photoguard-encoder", "mist-textural", "sds-minus", ROBUST, f"{ROBUST}+learned draws=2"),
        "Protections in words: a method, and its settings as name=value, lists with plus signs.",
        min_length=1,
        max_length=60,
    )
    purifiers: Annotated[tuple[str, ...], BeforeValidator(checked_purifiers)] = knob(
        ("jpeg 75", "jpeg 40", "resize 0.5", "non-local-means", "learned", "fast"),
        "Purifiers in words, as a stress test has them.",
        min_length=1,
        max_length=60,
    )
    edits: bool = knob(True, "Also edit every picture, and measure how far the edit is from the clean picture's.")


class AdaptiveSettings(Edited):
    """Whether a protection holds that was made against IMPRESS: the paper's section 5.4."""

    sections: ClassVar = ("protect", "purify", "edit")

    experiment: Literal["adaptive"] = "adaptive"
    methods: tuple[ProtectMethod, ...] = knob(
        ("photoguard-encoder",),
        "Protections; the protect section's fields count for its own method, the others run as they come, GLAZE in its "
        "form for two cores.",
        min_length=1,
    )
    terms: tuple[Term, ...] = knob(("consistency", "loss"), "The terms against IMPRESS that beta weighs.")
    betas: tuple[Beta, ...] = knob(
        (30.0, 100.0, 300.0, 1000.0, 3000.0), "Their weights beside the protection's own objective.", min_length=1
    )
    unrolled: bool = knob(True, "Also the form that attacks what IMPRESS makes of the picture.")
    through: tuple[Alteration, ...] = knob(
        (), "Also forms made to outlive these, each alone, as robust_to has them: 'learned' is the learned purifier."
    )
    purifiers: Annotated[tuple[str, ...], BeforeValidator(checked_purifiers)] = knob(
        (AS_SET,),
        "Purifiers in words, as a stress test has them; 'as-set' is the purify section's.",
        min_length=1,
        max_length=60,
    )


class TransferSettings(Few):
    """Whether what was made on one autoencoder holds on another: protect on A, purify with B, look with C."""

    sections: ClassVar = ("protect", "purify", "edit")

    experiment: Literal["transfer"] = "transfer"
    checkpoints: tuple[str, ...] = knob(
        (), "Checkpoints beside the embedded one: folders in diffusers' layout, or autoencoders alone.", max_length=8
    )
    edits: bool = knob(True, "Also edit with the embedded model, the only one here whose denoiser fits its latents.")
