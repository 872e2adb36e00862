"""What a purifier leaves of a protection: one way of measuring it, for every experiment that asks.

For the protected picture x_adv of x, purified to x', the twin t (x purified alike), and edits d from the same noise:

    left      ||E(x') - E(x)|| / ||E(x_adv) - E(x)||          by the latent
    twin      ||E(x') - E(t)|| / ||E(x_adv) - E(x)||          which leaves out the purifier's own damage
    by_edit   LPIPS(d(x'), d(x)) / LPIPS(d(x_adv), d(x))      means over the noises above and below

Whoever undoes a protection may choose the purifier, so the least that any of them leaves of a photograph says what the
protection is worth: by each of the three measures, since they do not always agree which purifier that is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

from impress_ui.experiments.experiment import Record, Run, grouped, mean_and_error, means_of
from impress_ui.experiments.pictures import edits_from, picture_of, purified
from impress_ui.experiments.settings import Edited
from impress_ui.jobs.workflow import purify_picture
from impress_ui.measures.grid import distances_to
from impress_ui.measures.metrics import dists, lpips, measure, round_trip_error, ssim
from impress_ui.measures.stress_rows import NOTHING, share_left
from impress_ui.models.autoencoder import load_autoencoder
from impress_ui.pictures.images import to_tensor
from impress_ui.settings import JobSettings, purifier_of
from impress_ui.settings.stress import AS_SET

NONE, CLEAN = "none", "clean"
LEAST = "the least of them"  # by the latent
LEAST_BY = {"left": LEAST, "twin": "the least by the twin", "by_edit": "the least by the edit"}
SHARES = tuple(LEAST_BY)
EDITED = {
    "by_edit": "Left by the edit",
    "edit_ssim_protected": "Edit of the protected picture against the original's, SSIM",
    "edit_ssim": "Edit against the original's edit, SSIM",
    "edit_lpips": "Edit against the original's edit, LPIPS",
    "edit_dists": "Edit against the original's edit, DISTS",
}
COLUMNS = {
    "strength": "Latent distance of the protected picture to the original",
    "after": "Latent distance after purifying",
    "left": "Protection left",
    "twin": "Left by the twin",
    **EDITED,
    "lpips": "LPIPS of the result to the original",
    "dists": "DISTS of the result to the original",
    "ssim": "SSIM of the result to the original",
    "psnr": "PSNR of the result to the original",
    "cost": "LPIPS of the protected picture to the original",
    "cost_dists": "DISTS of the protected picture to the original",
    "round_trip": "Round-trip error of the protected picture",
}
BY = {"by": "The purifier that leaves least, how often"}
INTERVALS = (*SHARES, "edit_ssim")


def left_of(
    name: str,
    label: str,
    changed: Image.Image | None,
    purifier: str,
    job: JobSettings,
    run: Run[Edited],
    *,
    original: Image.Image | None = None,
    edits: bool = True,
    prompt: str = "",
) -> Record:
    """The figures of ``COLUMNS`` for one protected photograph after one purifier; None where there is no such figure.

    Args:
        name: the photograph.
        label: what tells its protection, or ``CLEAN``, from the run's others; purifiers and seeds come on top.
        changed: the protected picture; None for the original itself, of which nothing can be left.
        purifier: in words, with ``NONE`` for the protected picture as it is; ``job`` has its settings.
        original: what everything is measured against, where it is not the photograph of that name.
        prompt: as ``edited`` has it.
    """
    original, autoencoder = original or run.original(name), load_autoencoder(job.run)
    before = changed or original
    twin = None
    if purifier != NONE:
        twin = run.picture(f"twin {name} {purifier}", lambda: picture_of(purify_picture(original, job)))
    result = before if twin is None else twin if changed is None else purified(name, changed, job, run)
    distance = distances_to(original, autoencoder)
    strength, after, found = distance(before), distance(result), measure(result, original)

    def share(value: float | None) -> float | None:
        return share_left(value, strength, 0.0, NOTHING["latent"])

    figures: Record = {
        "strength": strength,
        "after": after,
        "left": share(after),
        "twin": None if twin is None else share(distances_to(twin, autoencoder)(result)),
        **dict.fromkeys(EDITED),
        "lpips": found.lpips,
        "dists": dists(result, original),
        "ssim": found.ssim,
        "psnr": found.psnr,
        "cost": lpips(before, original),
        "cost_dists": dists(before, original),
        "round_trip": round_trip_error(to_tensor(before, autoencoder.device), autoencoder).item(),
    }
    if not edits:
        return figures

    def of(words: str, picture: Image.Image) -> list[Image.Image]:
        return edits_from(f"{name} {words}", picture, job, run, run.settings.edit_seeds, prompt)

    goals = of(CLEAN, original)
    spoiled = goals if changed is None else of(words_of_edit(label, NONE), changed)
    made = spoiled if purifier == NONE else of(words_of_edit(label, purifier), result)
    return {**figures, **_of_edits(goals, spoiled, made)}


def words_of_edit(label: str, purifier: str) -> str:
    """How the key of an edit goes on after the photograph's name, for contact sheets."""
    return f"{label}, {purifier}"


def _of_edits(goals: Sequence[Image.Image], spoiled: Sequence[Image.Image], made: Sequence[Image.Image]) -> Record:
    """``EDITED`` of the edits of a result, by the protected picture's and the original's from the same noises."""
    distances = [lpips(edit, goal) for edit, goal in zip(made, goals, strict=True)]
    of_protected = [lpips(edit, goal) for edit, goal in zip(spoiled, goals, strict=True)]
    distance, _ = mean_and_error(distances)
    return {
        # Of the means: where one noise's edit hardly changes, a share of its own would weigh as much as the others.
        "by_edit": share_left(distance, mean_and_error(of_protected)[0], 0.0, NOTHING["edit"]),
        "edit_ssim_protected": _mean_ssim(spoiled, goals),
        "edit_ssim": _mean_ssim(made, goals),
        "edit_lpips": distance,
        "edit_dists": mean_and_error([dists(edit, goal) for edit, goal in zip(made, goals, strict=True)])[0],
    }


def _mean_ssim(edits: Sequence[Image.Image], goals: Sequence[Image.Image]) -> float | None:
    pairs = [(np.asarray(edit), np.asarray(goal)) for edit, goal in zip(edits, goals, strict=True)]
    return mean_and_error([float(ssim(edit, goal)) for edit, goal in pairs])[0]


def least_of(records: Sequence[Record], by: Sequence[str], measure: str = "left") -> list[Record]:
    """Of each photograph under each protection the record of the purifier that leaves least of it.

    Args:
        by: the columns that tell one protection of a photograph from another.
        measure: by which of ``SHARES``; records without it count for nothing.
    """
    tried = [record for record in records if record["purifier"] != NONE and record[measure] is not None]
    best = [min(group, key=lambda row: row[measure]) for group in grouped(tried, (*by, "photograph")).values()]
    return [{**record, "purifier": LEAST_BY[measure], "by": record["purifier"]} for record in best]


def rows_of(
    records: Sequence[Record],
    by: Sequence[str],
    columns: Iterable[str],
    purifiers: Sequence[str],
    *,
    shares: Sequence[str] = SHARES,
    intervals: Sequence[str] = INTERVALS,
) -> list[Record]:
    """Means over the photographs with 95 % intervals, of each purifier and of the least that any leaves.

    Args:
        by: the columns that tell one protection from another.
        columns: the figures that are wanted, those of the records.
        purifiers: in which order, after ``NONE``; of one alone there is no least.
        shares: by which measures the least is sought.
    """
    shares = shares if len(purifiers) > 1 else ()
    columns, keys = tuple(columns), (*by, "purifier")
    records = [{**dict.fromkeys(columns), **record} for record in records]  # a folder of an earlier version lacks some
    every = [*records, *(record for share in shares for record in least_of(records, by, share))]
    rows = means_of(every, keys, columns, intervals=intervals)
    for row, ours in zip(rows, grouped(every, keys).values(), strict=True):
        counted = Counter(record["by"] for record in ours if "by" in record)
        row["by"] = ", ".join(f"{purifier} {count}" for purifier, count in counted.most_common()) or None
    order = {name: number for number, name in enumerate((NONE, *purifiers, *LEAST_BY.values()))}
    return sorted(rows, key=lambda row: order[row["purifier"]])


def purified_by(job: JobSettings, purifier: str) -> JobSettings:
    """The job with a purifier in words; its own where none is named."""
    as_it_is = purifier in (NONE, AS_SET)
    return job if as_it_is else job.model_copy(update={"purify": purifier_of(purifier)})
