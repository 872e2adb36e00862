"""The commands that protect, reconstruct, purify and measure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from impress_ui.cli.shared import (
    AsJson,
    Input,
    Mask,
    Output,
    SettingsFile,
    app,
    job_of,
    options_of,
    print_report,
    run_options,
)
from impress_ui.settings import ProtectSettings, PurifySettings


@app.command()
@options_of(ProtectSettings, "knobs")
@run_options(mask=True)
def protect(
    source: Input,
    output: Output,
    target_image: Annotated[
        Path | None,
        typer.Option(help="The picture for --target image; for glaze and nightshade, the picture to resemble."),
    ] = None,
    universal: Annotated[
        Path | None,
        typer.Option(help="A perturbation that the command universal made, to be added instead of attacking."),
    ] = None,
    knobs: Any = None,
    mask: Mask = None,
    run: Any = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Add a perturbation that misleads the model: its encoder, its denoiser, its edit, or who imitates with it.

    Each protection (--method) has its published defaults; docs/protections.md describes them. With --mask and a
    large --budget the perturbation is a patch.
    """
    from impress_ui.cli import files

    if target_image is not None:
        knobs.setdefault("target", "image")
    job = job_of(settings, run=run, protect=knobs)
    report = files.protect_files(source, output, job, mask=mask, target=target_image, universal=universal)
    print_report(report, json)


@app.command("universal")
@options_of(ProtectSettings, "knobs")
@run_options()
def learn_universal(
    source: Annotated[Path, typer.Argument(metavar="FOLDER", help="Pictures to learn from; their middle squares.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="The .png file of the perturbation.")],
    target_image: Annotated[Path | None, typer.Option(help="The picture for --target image.")] = None,
    knobs: Any = None,
    run: Any = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Learn one perturbation over a folder, which protect --universal adds to any picture at no cost.

    A larger picture than --size has it repeated.
    """
    from impress_ui.cli import files

    if target_image is not None:
        knobs.setdefault("target", "image")
    job = job_of(settings, run=run, protect=knobs)
    print_report(files.universal_file(source, output, job, target=target_image), json)


@app.command()
@run_options()
def reconstruct(
    source: Input,
    output: Output,
    run: Any = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Save V(x) = D(E(x)): what the latent diffusion model sees of the picture."""
    from impress_ui.cli import files

    job = job_of(settings, run=run)
    print_report(files.reconstruct_files(source, output, job), json)


@app.command()
@options_of(PurifySettings, "knobs", learning_rate="lr")
@run_options(mask=True)
def purify(
    source: Input,
    output: Output,
    knobs: Any = None,
    mask: Mask = None,
    run: Any = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Take a protection out again: IMPRESS, one of the purifiers that it must beat, or a chain of them."""
    from impress_ui.cli import files

    if "chain" in knobs:
        knobs.setdefault("method", "chain")
    job = job_of(settings, run=run, purify=knobs)
    print_report(files.purify_files(source, output, job, mask=mask), json)


@app.command()
@run_options()
def measure(
    a: Annotated[Path, typer.Argument(metavar="A", help="The picture to judge, or a folder of them.")],
    b: Annotated[
        Path, typer.Argument(metavar="B", help="The picture to compare with, or a folder with the same names.")
    ],
    run: Any = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Compare A with B: SSIM, PSNR, VIFp, LPIPS, L-inf and L2 in grey levels, and the round-trip error of each."""
    from impress_ui.cli import files

    job = job_of(settings, run=run)
    print_report(files.measure_files(a, b, job), json)
