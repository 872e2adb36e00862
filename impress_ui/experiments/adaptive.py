"""The paper's section 5.4: does a protection hold that was made against IMPRESS?

Rows: a clean picture (what the purifier alone does to it), the protection as it is, and its adaptive forms: with the
consistency term, or IMPRESS's whole loss, at several weights beta, unrolled, and made through another purifier; each
after every purifier. Columns: how strong the protection is before and after the purification, in the encoder
(||E(x) - E(original)|| / ||E(original)||) and in the edit (SSIM against the clean picture's edit: the lower, the
stronger), what is left (``left.py``), what it costs the picture, and what gives it away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from impress_ui.experiments.charts import Chart, Lines, Point
from impress_ui.experiments.experiment import Experiment, PictureRow, Record, Run, Sheet, Unit, whole_model
from impress_ui.experiments.left import BY, CLEAN, EDITED, NONE, SHARES, left_of, purified_by, rows_of, words_of_edit
from impress_ui.experiments.left import COLUMNS as FIGURES
from impress_ui.experiments.pictures import edit_key, prompt_of, protected, protected_key, purified_key
from impress_ui.experiments.settings import AdaptiveSettings
from impress_ui.settings import JobSettings, ProtectSettings
from impress_ui.settings.recipes import QUICK_GLAZE

PLAIN, UNROLLED = "none", "unrolled"
# What this experiment calls the figures of ``left.py``.
NAMES = {
    "strength": "latent_before",
    "after": "latent_after",
    "edit_ssim_protected": "edit_ssim_before",
    "edit_ssim": "edit_ssim_after",
    "cost": "lpips",
    "lpips": "lpips_purified",
    "cost_dists": "dists",
    "dists": "dists_purified",
    "round_trip": "round_trip_error",
}
COLUMNS = {
    "latent_before": "Latent distance, protected",
    "latent_after": "Latent distance, purified",
    "left": "Share of it left",
    "twin": FIGURES["twin"],
    "by_edit": FIGURES["by_edit"],
    "edit_ssim_before": "SSIM of the edit, protected",
    "edit_ssim_after": "SSIM of the edit, purified",
    "edit_lpips": EDITED["edit_lpips"],
    "edit_dists": EDITED["edit_dists"],
    "lpips": "LPIPS, protected",
    "lpips_purified": "LPIPS, purified",
    "dists": "DISTS, protected",
    "dists_purified": "DISTS, purified",
    "round_trip_error": "Round-trip error, protected",
}


def units(settings: AdaptiveSettings) -> list[Unit]:
    """Each photograph under each form of each protection, after each purifier."""
    return [
        Unit({"photograph": name, "method": method, "form": form, "purifier": purifier}, name)
        for name in settings.names
        for method in settings.methods
        for form in forms(method, settings)
        for purifier in settings.purifiers
    ]


def forms(method: str, settings: AdaptiveSettings) -> dict[str, ProtectSettings | None]:
    """The rows of one protection by name; None is the clean row."""
    base: dict[str, Any] = {}
    if method == settings.protect.method:
        base = settings.protect.model_dump(exclude_unset=True)
    elif method == "glaze":
        base = QUICK_GLAZE
    changes: dict[str, dict[str, Any]] = {PLAIN: {"adaptive": "none"}}
    for term in settings.terms:
        changes |= {f"{term} {beta:g}": {"adaptive": term, "beta": beta} for beta in settings.betas}
    if settings.unrolled:
        changes[UNROLLED] = {"adaptive": "unrolled"}
    changes |= {f"through {kind}": {"adaptive": "none", "robust_to": (kind,)} for kind in settings.through}
    made = {name: ProtectSettings.model_validate({**base, "method": method, **c}) for name, c in changes.items()}
    return {CLEAN: None, **made}


def run(unit: Unit, run: Run[AdaptiveSettings]) -> list[Record]:
    """One photograph under one form: its figures before and after one purification."""
    name, method, form, purifier = (unit.key[key] for key in ("photograph", "method", "form", "purifier"))
    settings = forms(method, run.settings)[form]
    job = _job(run.settings, settings, purifier)
    changed = None if settings is None else protected(name, run.original(name), job, run)
    figures = left_of(name, f"{method} {form}", changed, purifier, job, run, prompt=prompt_of(name, run.settings))
    named = {NAMES.get(figure, figure): value for figure, value in figures.items()}
    weighed = settings is not None and settings.adaptive in ("consistency", "loss")
    return [
        {
            "beta": settings.beta if settings is not None and weighed else None,
            **{figure: named[figure] for figure in COLUMNS},
        }
    ]


def table(settings: AdaptiveSettings, records: list[Record]) -> list[Record]:
    """Means over the photographs; where there are several purifiers, also of the least that any of them leaves."""
    rows = rows_of(
        records, ("method", "form", "beta"), COLUMNS, settings.purifiers,
        intervals=(*SHARES, "edit_ssim_before", "edit_ssim_after"),
    )  # fmt: skip
    order = {(m, form): number for m in settings.methods for number, form in enumerate(forms(m, settings))}
    return sorted(rows, key=lambda row: order[row["method"], row["form"]])


def charts(settings: AdaptiveSettings, rows: list[Record], records: list[Record]) -> list[Chart]:
    """Strength over beta, before and after the purification; forms without a beta are level lines."""
    drawn: list[Chart] = []
    for method in settings.methods:
        ours = {(row["form"], row["purifier"]): row for row in rows if row["method"] == method}
        for term in settings.terms:
            for column, what in (
                ("latent", "Latent distance to the original"),
                ("edit_ssim", "SSIM of the edit against the clean edit (low: strong)"),
            ):
                drawn.append(_over_beta(method, term, column, what, ours, settings))
    return drawn


def _over_beta(
    method: str, term: str, column: str, what: str, rows: Mapping[tuple[str, str], Record], settings: AdaptiveSettings
) -> Lines:
    betas, first = sorted(settings.betas), settings.purifiers[0]
    several = len(settings.purifiers) > 1
    sides = [("before", first, "protected")]
    sides += [("after", name, f"after {name}" if several else "purified") for name in settings.purifiers]
    lines: dict[str, list[Point]] = {}
    for form, words in ((PLAIN, "not adaptive"), (term, term), (UNROLLED, UNROLLED)):
        for side, purifier, when in sides:
            own = [(beta, rows.get((f"{form} {beta:g}" if form == term else form, purifier))) for beta in betas]
            name = f"{column}_{side}"
            points = [(beta, row[name], row[f"{name}_se"]) for beta, row in own if row and row[name] is not None]
            if points:
                lines[f"{words}, {when}"] = points
    title = f"{method}, {term}: before and after purifying"
    return Lines(f"{method}_{term}_{column}", title, "β", what, lines, log_x=len(settings.betas) > 1)


def sheets(run: Run[AdaptiveSettings], rows: list[Record]) -> list[Sheet]:
    """The first photographs of each protection in some forms, protected and purified; and the edits of all these."""
    settings = run.settings
    shown = [
        PLAIN,
        *(f"{term} {max(settings.betas):g}" for term in settings.terms[:1]),
        *([UNROLLED] if settings.unrolled else []),
        *(f"through {kind}" for kind in settings.through),
    ]
    purifier = settings.purifiers[0]
    labels = ["clean", *(label for form in shown for label in (form, f"{form}, purified"))]
    drawn: list[Sheet] = []
    for method in settings.methods:
        jobs = [_job(settings, forms(method, settings)[form], purifier) for form in shown]

        def pictures(name: str, jobs: Sequence[JobSettings] = jobs) -> PictureRow:
            keys = [key for job in jobs for key in (protected_key(name, job), purified_key(name, job))]
            return [run.original(name), *map(run.kept, keys)]

        def edits(name: str, method: str = method) -> PictureRow:
            words = [words_of_edit(f"{method} {form}", after) for form in shown for after in (NONE, purifier)]
            return [run.kept(f"edited {edit_key(f'{name} {end}', settings.run.seed)}") for end in (CLEAN, *words)]

        drawn += run.sheet(f"{method}_pictures", labels, pictures)
        drawn += run.sheet(f"{method}_edits", labels, edits)
    return drawn


def _job(settings: AdaptiveSettings, form: ProtectSettings | None, purifier: str) -> JobSettings:
    job = settings.job if form is None else settings.job.model_copy(update={"protect": form})
    return purified_by(job, purifier)


ADAPTIVE = Experiment(
    "adaptive",
    "Whether a protection holds that was made against IMPRESS (the paper's section 5.4): its strength before and after "
    "the purification, with the consistency term or IMPRESS's whole loss at several weights, unrolled, and made "
    "through another purifier. The clean row is what the purifier does to an unprotected picture.",
    AdaptiveSettings,
    units,
    run,
    table,
    charts,
    sheets,
    extent=("photographs",),
    checkpoints=whole_model,
    columns=COLUMNS | BY,
)
