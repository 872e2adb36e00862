"""A benchmark in words and tables: what the command prints, and the file that it writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from impress_ui.bench.plan import Report
from impress_ui.bench.plot import lines
from impress_ui.errors import UserError

QUALITY = {
    "loss": "published loss ↓",
    "latent_distance": "latent distance ↓",
    "ssim_of_v": "SSIM of V(x) ↑",
    "ssim": "SSIM ↑",
    "lpips": "LPIPS ↓",
    "psnr": "PSNR ↑",
    "round_trip_error": "round-trip error ↓",
}


def refuse_bad_output(path: Path | None) -> None:
    """Before minutes are spent, refuse a file that could not be written.

    Raises:
        UserError: no Markdown file, or in no folder that there is.
    """
    if path is None:
        return
    if path.suffix.lower() != ".md":
        raise UserError(f"{path.name} is no Markdown file; give --write a name that ends in .md.")
    if not path.absolute().parent.is_dir():
        raise UserError(f"There is no folder {path.parent} to write {path.name} into; make it first.")


def write_report(report: Report, path: Path) -> None:
    """The report as Markdown, with its plots as SVG files of the same stem beside it."""
    shown = ""
    for name, svg in _plots(report).items():
        file = path.with_name(f"{path.stem}_{name}.svg")
        file.write_text(svg, encoding="utf-8")
        shown += f"![{name.replace('_', ' ')}]({file.name})\n\n"
    path.write_text(f"{as_text(report)}\n\n## Plots\n\n{shown.rstrip()}\n", encoding="utf-8")


def as_text(report: Report) -> str:
    """Every table that the benchmark has figures for, as Markdown."""
    parts = [_head(report), _goals(report), _steps(report), _quality(report), _memory(report), _start_up(report)]
    parts += [_growth(report), _own_size(report), _large(report), _surrogate(report)]
    return "\n\n".join(part for part in parts if part)


def _head(report: Report) -> str:
    about, quick = report["machine"], " --quick" if report["bench"] == "quick" else ""
    return (
        f"# Performance\n\nPrinted by `python -m impress_ui bench{quick}` in {report['seconds'] / 60:.1f} minutes: "
        f"{about['processor']}, {about['cores']} cores, {about['threads']} threads, device {about['device']}, "
        f"{about['precision']}, torch {about['torch']}, load at the beginning {_number(about['load'])}. Checkpoint "
        f"{report['checkpoint']}, squares of {report['side']} pixels unless said otherwise. Seconds are medians over "
        "rounds in which everything is timed in turn; ratios are medians of each round's, by the clock and, in "
        "brackets, by processor time. *Published* is the published algorithm written from its description "
        "(`impress_ui/bench/published.py`); the *floor* is a bare forward and backward pass of what a step cannot do "
        "without."
    )


def _goals(report: Report) -> str:
    def shown(goal: Report) -> list[Any]:
        sign = "≥" if goal["at_least"] else "≤"
        value = "not reached" if goal["value"] is None else _number(goal["value"])
        return [goal["goal"], f"{sign} {goal['limit']:g}", value, "met" if goal["met"] else "**missed**"]

    clock = "processor time" if report["machine"]["device"] == "cpu" else "the clock"
    missed = sum(not goal["met"] for goal in report["goals"])
    told = f"## Goals\n\nRatios by {clock}. {missed} of {len(report['goals'])} missed."
    return f"{told}\n\n{_table(['goal', 'limit', 'measured', ''], map(shown, report['goals']))}"


def _steps(report: Report) -> str:
    rows = [
        [
            job, way, _number(taken["seconds"]), _number(taken["processor_seconds"]),
            _both(ways["speedup"].get(way)), _both(ways["over_floor"].get(way)),
        ]
        for job, ways in report["steps"].items()
        for way, taken in ways.items()
        if way not in ("speedup", "over_floor")
    ]  # fmt: skip
    page = report["page"]
    heads = ["job", "way", "seconds", "processor seconds", "times as fast as published", "over the floor"]
    return (
        "## Seconds a step\n\nAn edit is one of three pictures in eight sampling steps at strength 0.5, as published "
        "one picture after the other; the published fine-tuning trains the whole denoiser; the fast recipe's floor is "
        f"the decoder and LPIPS.\n\n{_table(heads, rows)}\n\nThe page's stream of curves and previews takes "
        f"{_both(page['page_over_headless'])} of the bare loop's time ({_number(page['headless']['seconds'])} s "
        "a step)."
    )


def _quality(report: Report) -> str:
    quality = report["same_quality"]
    recipe, words = quality["recipe"], {name: label[:-2] for name, label in QUALITY.items()}

    def row(name: str, point: Report, *about: Any) -> list[Any]:
        return [name, *about, *(f"{point[c]:.2f}" if c == "psnr" else f"{point[c]:.4f}" for c in QUALITY)]

    rows = [row("protected", quality["start"], "", "")]
    for name, points in ((recipe, quality["published"]), ("fast", quality["fast"])):
        rows += [row(name, point, point["steps"], _number(point["seconds"])) for point in points]
    told = [
        f"The fast recipe does not reach the {words[name]} of {recipe}'s end."
        if share is None
        else f"The fast recipe reaches the {words[name]} of {recipe}'s end after {share['steps']} steps, in "
        f"{_both(share)} of its time."
        for name, share in quality["share_of_time"].items()
    ]
    worse = ", ".join(words[name] for name in quality["worse"]) or "no column"
    return (
        f"## To the same quality\n\n{quality['photographs']} test photographs as squares of {quality['side']} pixels, "
        f"budget 16; `{recipe}` to its end ({quality['steps']} steps). Each line of `fast` is a run of so many steps. "
        f"{' '.join(told)} A whole run takes {_both(quality['share_of_time_of_a_whole_run'])} of the published one's "
        f"time; its end is worse in: {worse}. The clean photographs' own round-trip error is "
        f"{_number(quality['start']['clean_round_trip_error'])}: what lies below it is no quality of a photograph.\n\n"
        f"{_table(['recipe', 'steps', 'seconds', *QUALITY.values()], rows)}"
    )


def _memory(report: Report) -> str:
    rows = [
        [job, way, *_numbers(taken, "peak", "over_idle", "share_of_published")]
        for job, ways in report["memory"].items()
        for way, taken in ways.items()
    ]
    return (
        "## Memory\n\nEach in a process of its own, in MiB: the process at its peak, and what the work added to the "
        f"loaded model.\n\n{_table(['job', 'way', 'peak', 'added', 'share of published'], rows)}"
    )


def _start_up(report: Report) -> str:
    start = report["start_up"]
    rows = [
        ["`--help`, seconds", *_numbers(start, "help_seconds", "help_processor_seconds")],
        ["the page answers, seconds", *_numbers(start, "page_seconds", "page_processor_seconds")],
        ["the page at rest, MiB", *_numbers(start, "idle_memory"), ""],
    ]
    return f"## Start-up\n\n{_table(['', 'measured', 'processor seconds'], rows)}"


def _growth(report: Report) -> str:
    if "growth" not in report:
        return ""
    sides, batches, steps = (report["growth"][by] for by in ("by_side", "by_batch", "by_steps"))
    side_rows = [[row["side"], *_numbers(row, "paper", "seconds", "over_idle")] for row in sides]
    batch_rows = [
        [
            row["batch"], _number(row["seconds"]), _number(row["seconds"] / row["batch"]),
            *_numbers(row, "over_idle", "images_a_minute"),
        ]
        for row in batches
    ]  # fmt: skip
    step_rows = [[row["steps"], *_numbers(row, "seconds")] for row in steps]
    side_heads = ["side", "paper, seconds a step", "fast, seconds a step", "fast, MiB added"]
    batch_heads = ["batch", "seconds a step", "seconds a picture", "MiB added", "pictures a minute (40 steps)"]
    return (
        f"## How the cost grows\n\n{_table(side_heads, side_rows)}\n\nThe fast recipe by batch:\n\n"
        f"{_table(batch_heads, batch_rows)}\n\nThe fast recipe, a whole run:\n\n"
        f"{_table(['steps', 'seconds'], step_rows)}"
    )


def _own_size(report: Report) -> str:
    if "own_size" not in report:
        return ""
    rows = [
        [f"{row['width']}x{row['height']}", row["way"], row["tiles"], *_numbers(row, "seconds", "peak")]
        for row in report["own_size"]
    ]
    heads = ["picture", "way", "tiles", "seconds a step", "process at its peak, MiB"]
    return f"## At the picture's own size\n\nThe encoder attack, a step of each tile:\n\n{_table(heads, rows)}"


def _large(report: Report) -> str:
    if "large_checkpoint" not in report:
        return ""
    large = report["large_checkpoint"]
    how = "computing activations twice" if large["recomputes"] else "keeping all activations"
    return (
        "## Large checkpoints\n\nAn autoencoder of Stable Diffusion's size with random weights, the paper recipe: "
        f"{_number(large['ours']['seconds'])} s a step at {large['side']} pixels, {_both(large['over_floor'])} of the "
        f"floor ({_number(large['floor']['seconds'])} s). At {large['full_side']} pixels one step takes "
        f"{_number(large['full_seconds'])} s and the process {_number(large['full_peak'])} MiB at its peak, {how}."
    )


def _surrogate(report: Report) -> str:
    bound = report["surrogate"]
    return (
        "## A tiny autoencoder as a surrogate\n\nA forward and backward pass of TAESD's decoder takes "
        f"{_both(bound['tiny_over_embedded'])} of the embedded decoder's ({_number(bound['tiny']['seconds'])} and "
        f"{_number(bound['embedded']['seconds'])} s). With it in all but {bound['exact_steps']} of the fast recipe's "
        f"{bound['steps']} steps, and everything else for nothing, a run would be {_both(bound['most_speedup'])} times "
        "as fast at best. None is built."
    )


def _plots(report: Report) -> dict[str, str]:
    quality, plots = report["same_quality"], {}
    runs = {quality["recipe"]: quality["published"], "fast": quality["fast"]}
    for name in ("latent_distance", "loss"):
        words = QUALITY[name][:-2]
        curves = {run: [(point["seconds"], point[name]) for point in points] for run, points in runs.items()}
        plots[f"{name}_against_seconds"] = lines(
            f"{words} against seconds", "seconds", words, curves, log_y=name == "loss"
        )
    if "growth" in report:
        grown = report["growth"]["by_side"]
        by_side = {
            way: [(row["side"], row[name]) for row in grown]
            for way, name in (("paper", "paper"), ("fast", "seconds"), ("memory", "over_idle"))
        }
        memory = {"fast": by_side.pop("memory")}
        plots["seconds_by_side"] = lines("seconds a step by side", "pixels", "seconds", by_side, log_y=True)
        if all(added for _, added in memory["fast"]):
            plots["memory_by_side"] = lines("memory added by side", "pixels", "MiB", memory, log_y=True)
    return plots


def _table(heads: Sequence[str], rows: Any) -> str:
    body = "\n".join(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows)
    return f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}\n{body}"


def _number(value: float | None) -> str:
    """Three significant digits, without exponents for what is not tiny."""
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _numbers(row: Report, *names: str) -> list[str]:
    return [_number(row.get(name)) for name in names]


def _both(value: Report | None) -> str:
    """A ratio by the clock and, in brackets, by processor time."""
    return "" if value is None else f"{value['wall']:.3g} ({value['processor']:.3g})"
