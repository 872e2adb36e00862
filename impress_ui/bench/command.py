"""The command that measures the program's own speed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from impress_ui.cli.given import job_of
from impress_ui.cli.report import Report, log, print_report
from impress_ui.cli.shared import AsJson, app, run_options

QUICK_REPEATS, REPEATS = 3, 5
SIDE = 128  # pixels


@app.command()
@run_options("size", "lora")
def bench(
    quick: Annotated[
        bool, typer.Option("--quick", help="The ratios alone: minutes on two cores instead of a quarter of an hour.")
    ] = False,
    gpu: Annotated[
        bool,
        typer.Option(
            "--gpu",
            help="Instead: a GPU with random weights of the sizes of Stable Diffusion 1.5, XL and FLUX's autoencoder; "
            "minutes.",
        ),
    ] = False,
    gpu_pace: Annotated[
        bool,
        typer.Option(
            "--gpu-pace",
            help="Instead: the one number that a Space on ZeroGPU reckons its times with, seconds for 10^12 "
            "operations; of a GPU it is written to gpu-pace.json beside app.py; half a minute.",
        ),
    ] = False,
    write: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="Also write the report as a Markdown file, its plots as SVG files beside it."),
    ] = None,
    repeats: Annotated[
        int | None,
        typer.Option(min=1, max=100, help=f"Rounds of every timing. Default: {REPEATS}; quick: {QUICK_REPEATS}."),
    ] = None,
    photographs: Annotated[
        int | None,
        typer.Option(
            min=1, max=32, help="Test photographs on which the recipes run to their end. Default: 2; quick: 1."
        ),
    ] = None,
    side: Annotated[
        int | None,
        typer.Option(min=64, max=512, help=f"Side of the squares on which a step is timed. Default: {SIDE}."),
    ] = None,
    run: Any = None,
    json: AsJson = False,
) -> None:
    """Time the published algorithms, ours and the floor side by side, and judge the figures against their goals.

    It wants an idle machine; on a busy one look at the ratios of processor time.
    """
    from impress_ui.bench.plan import Plan
    from impress_ui.bench.report import as_text, refuse_bad_output, write_report
    from impress_ui.bench.run import run_bench
    from impress_ui.errors import UserError

    if gpu_pace:
        all_given = {"--write": write, "--quick": quick, "--gpu": gpu, "--side": side, "--photographs": photographs}
        if given := [name for name, value in all_given.items() if value]:
            raise UserError(f"--gpu-pace measures one thing, always in the same way: leave {' and '.join(given)} out.")
    refuse_bad_output(write)
    run = job_of(None, run=run).run
    plan = Plan(
        run, quick, log, side=side or SIDE,
        repeats=repeats or (QUICK_REPEATS if quick else REPEATS),
        photographs=photographs or (1 if quick else 2),
    )  # fmt: skip
    if gpu_pace:
        print_report(_pace(plan), json)
        return
    if gpu:
        print_report(_on_gpu(plan, write), json)
        return
    report = run_bench(plan)
    if write is not None:
        write_report(report, write)
    print_report({"command": "bench", **report, "summary": as_text(report)}, json)


def _pace(plan: Any) -> Report:
    """The pace of the device; a GPU's is written where a Space looks for it, which has no use for another's.

    Raises:
        UserError: another precision than float32, or a place that cannot be written.
    """
    from impress_ui.bench.gpu_pace import measure_gpu_pace
    from impress_ui.measures.gpu_pace import NO_GPU, write_pace

    pace = measure_gpu_pace(plan)
    report = {"command": "bench", "bench": "gpu-pace", **asdict(pace)}
    if pace.device in NO_GPU:
        return {**report, "summary": f"{pace.sentence}. Not written: it is no GPU's, and a Space has no use for it."}
    file = write_pace(pace)
    told = f"{pace.sentence}. Written to {file}; a Space on ZeroGPU reads it there: upload it with the rest."
    return {**report, "file": str(file), "summary": told}


def _on_gpu(plan: Any, write: Path | None) -> Report:
    """The table of a GPU, also as a file.

    Raises:
        UserError: there is none.
    """
    from impress_ui.bench.gpu import as_table, gpu
    from impress_ui.bench.plan import machine
    from impress_ui.errors import UserError

    if plan.device != "cuda":
        raise UserError(f"The device is {plan.device}: --gpu measures a CUDA device, and there is none in use here.")
    rows = gpu(plan)
    table = as_table(rows)
    if write is not None:
        write.write_text(table, encoding="utf-8")
    return {"command": "bench", "bench": "gpu", "machine": machine(plan), "rows": rows, "summary": table}
