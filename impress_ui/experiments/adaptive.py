"""The paper's section 5.4: does a protection hold that was made against IMPRESS?

Rows: a clean picture (what the purifier alone does to it), the protection as it is, and its adaptive forms: with the
consistency term, or IMPRESS's whole loss, at several weights beta, and unrolled. Columns: how strong the protection is
before and after the purification, in the encoder (||E(x) - E(original)|| / ||E(original)||) and in the edit (SSIM
against the clean picture's edit: the lower, the stronger), what it costs the picture, and what gives it away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from impress_ui.experiments.charts import Chart, Lines, Point
from impress_ui.experiments.experiment import Experiment, PictureRow, Record, Run, Sheet, Unit, means_of, whole_model
from impress_ui.experiments.pictures import edited, prompt_of, protected, protected_key, purified, purified_key
from impress_ui.experiments.settings import AdaptiveSettings
from impress_ui.measures.grid import distances_to
from impress_ui.measures.metrics import lpips, measure, round_trip_error
from impress_ui.measures.stress_rows import NOTHING, share_left
from impress_ui.models.autoencoder import load_autoencoder
from impress_ui.pictures.images import to_tensor
from impress_ui.settings import JobSettings, ProtectSettings
from impress_ui.settings.recipes import QUICK_GLAZE

CLEAN, PLAIN, UNROLLED = "clean", "none", "unrolled"
COLUMNS = {
    "latent_before": "Latent distance, protected",
    "latent_after": "Latent distance, purified",
    "left": "Share of it left",
    "edit_ssim_before": "SSIM of the edit, protected",
    "edit_ssim_after": "SSIM of the edit, purified",
    "lpips": "LPIPS, protected",
    "lpips_purified": "LPIPS, purified",
    "round_trip_error": "Round-trip error, protected",
}


def units(settings: AdaptiveSettings) -> list[Unit]:
    """Each photograph under each form of each protection."""
    return [
        Unit({"photograph": name, "method": method, "form": form}, name)
        for name in settings.names
        for method in settings.methods
        for form in forms(method, settings)
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
    made = {name: ProtectSettings.model_validate({**base, "method": method, **c}) for name, c in changes.items()}
    return {CLEAN: None, **made}


def run(unit: Unit, run: Run[AdaptiveSettings]) -> list[Record]:
    """One photograph under one form: its figures before and after the purification."""
    name, method, form = (unit.key[key] for key in ("photograph", "method", "form"))
    settings = forms(method, run.settings)[form]
    job, told = _job(run.settings, settings), name if settings else f"{name} {CLEAN}"
    original, prompt = run.original(name), prompt_of(name, run.settings)
    before = original if settings is None else protected(told, original, job, run)
    after = purified(told, before, job, run)
    goal = edited(f"{name} {CLEAN}", original, job, run, prompt)
    edit_before = goal if settings is None else edited(f"{name} {method} {form}", before, job, run, prompt)
    edit_after = edited(f"{name} {method} {form} purified", after, job, run, prompt)
    autoencoder = load_autoencoder(job.run)
    distance = distances_to(original, autoencoder)
    latent_before, latent_after = distance(before), distance(after)
    weighed = settings is not None and settings.adaptive in ("consistency", "loss")
    return [
        {
            "beta": settings.beta if settings is not None and weighed else None,
            "latent_before": latent_before,
            "latent_after": latent_after,
            "left": share_left(latent_after, latent_before, 0.0, NOTHING["latent"]),
            "edit_ssim_before": measure(edit_before, goal).ssim,
            "edit_ssim_after": measure(edit_after, goal).ssim,
            "lpips": lpips(before, original),
            "lpips_purified": lpips(after, original),
            "round_trip_error": round_trip_error(to_tensor(before, autoencoder.device), autoencoder).item(),
        }
    ]


def table(settings: AdaptiveSettings, records: list[Record]) -> list[Record]:
    """Means over the photographs."""
    rows = means_of(records, ("method", "form", "beta"), COLUMNS)
    order = {(m, form): number for m in settings.methods for number, form in enumerate(forms(m, settings))}
    return sorted(rows, key=lambda row: (settings.methods.index(row["method"]), order[row["method"], row["form"]]))


def charts(settings: AdaptiveSettings, rows: list[Record], records: list[Record]) -> list[Chart]:
    """Strength over beta, before and after the purification; forms without a beta are level lines."""
    drawn: list[Chart] = []
    for method in settings.methods:
        ours = {row["form"]: row for row in rows if row["method"] == method}
        for term in settings.terms:
            for column, what in (
                ("latent", "Latent distance to the original"),
                ("edit_ssim", "SSIM of the edit against the clean edit (low: strong)"),
            ):
                drawn.append(_over_beta(method, term, column, what, ours, settings.betas))
    return drawn


def _over_beta(
    method: str, term: str, column: str, what: str, rows: Mapping[str, Record], betas: tuple[float, ...]
) -> Lines:
    lines: dict[str, list[Point]] = {}
    for form, words in ((PLAIN, "not adaptive"), (term, term), (UNROLLED, UNROLLED)):
        for side, when in (("before", "protected"), ("after", "purified")):
            own = [(beta, rows.get(f"{form} {beta:g}" if form == term else form)) for beta in sorted(betas)]
            name = f"{column}_{side}"
            points = [(beta, row[name], row[f"{name}_se"]) for beta, row in own if row and row[name] is not None]
            if points:
                lines[f"{words}, {when}"] = points
    title = f"{method}, {term}: before and after purifying"
    return Lines(f"{method}_{term}_{column}", title, "β", what, lines, log_x=len(betas) > 1)


def sheets(run: Run[AdaptiveSettings], rows: list[Record]) -> list[Sheet]:
    """The first photographs of each protection in three forms, protected and purified; and the edits of all these."""
    settings = run.settings
    strongest = [f"{term} {max(settings.betas):g}" for term in settings.terms[:1]]
    shown = [PLAIN, *strongest, *([UNROLLED] if settings.unrolled else [])]
    labels = ["clean", *(label for form in shown for label in (form, f"{form}, purified"))]
    drawn: list[Sheet] = []
    for method in settings.methods:
        jobs = [_job(settings, forms(method, settings)[form]) for form in shown]

        def pictures(name: str, jobs: Sequence[JobSettings] = jobs) -> PictureRow:
            keys = [key for job in jobs for key in (protected_key(name, job), purified_key(name, job))]
            return [run.original(name), *map(run.kept, keys)]

        def edits(name: str, method: str = method) -> PictureRow:
            ends = [CLEAN, *(f"{method} {form}{after}" for form in shown for after in ("", " purified"))]
            return [run.kept(f"edited {name} {end}") for end in ends]

        drawn += run.sheet(f"{method}_pictures", labels, pictures)
        drawn += run.sheet(f"{method}_edits", labels, edits)
    return drawn


def _job(settings: AdaptiveSettings, form: ProtectSettings | None) -> JobSettings:
    return settings.job if form is None else settings.job.model_copy(update={"protect": form})


ADAPTIVE = Experiment(
    "adaptive",
    "Whether a protection holds that was made against IMPRESS (the paper's section 5.4): its strength before and after "
    "the purification, with the consistency term or IMPRESS's whole loss at several weights, and unrolled. The clean "
    "row is what the purifier does to an unprotected picture.",
    AdaptiveSettings,
    units,
    run,
    table,
    charts,
    sheets,
    extent=("photographs",),
    checkpoints=whole_model,
    columns=COLUMNS,
)
