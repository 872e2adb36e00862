"""The commands that protect, reconstruct, purify and measure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from impress_ui.cli.given import Given
from impress_ui.cli.places import place
from impress_ui.cli.places import source as named_source
from impress_ui.cli.report import Report
from impress_ui.cli.shared import Input, Mask, Options, Output, job_command
from impress_ui.errors import UserError
from impress_ui.settings import ProtectSettings, PurifySettings


@job_command(mask=True, whole=True, protects=True, protect=Options(ProtectSettings))
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
    mask: Mask = None,
    *,
    given: Given,
) -> Report:
    """Add a perturbation that misleads the model: its encoder, its denoiser, its edit, or who imitates with it.

    Each protection (--method) has its published defaults; docs/protections.md describes them. With --mask and a
    large --budget the perturbation is a patch.
    """
    from impress_ui.cli import files
    from impress_ui.methods.protect import needs_model

    chosen = given.sections["protect"]
    _refuse_idle_mask(given, mask)
    if universal is not None and (chosen or target_image is not None):
        name = next(iter(chosen), "target_image").replace("_", "-")
        raise UserError(f"The option --{name} changes nothing with --universal, which adds what was learnt before.")
    if target_image is not None and chosen.setdefault("target", "image") != "image":
        raise UserError(f"--target {chosen['target']} and --target-image contradict each other; give one of them.")
    job = given.job()
    _refuse_idle_lora(given, universal is None and needs_model(job.protect, target=target_image is not None))
    return files.protect_files(source, output, job, mask=mask, target=target_image, universal=universal)


@job_command("universal", protect=Options(ProtectSettings))
def learn_universal(
    source: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", parser=named_source, help="Pictures to learn from; their middle squares."),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT", parser=place, help="The .png file of the perturbation.")
    ],
    target_image: Annotated[Path | None, typer.Option(help="The picture for --target image.")] = None,
    *,
    given: Given,
) -> Report:
    """Learn one perturbation over a folder, which protect --universal adds to any picture at no cost.

    A larger picture than --size has it repeated.
    """
    from impress_ui.cli import files
    from impress_ui.methods.protect import needs_model

    if target_image is not None:
        given.sections["protect"].setdefault("target", "image")
    job = given.job()
    _refuse_idle_lora(given, needs_model(job.protect, target=target_image is not None))
    return files.universal_file(source, output, job, target=target_image)


@job_command(without=["lora"])
def reconstruct(source: Input, output: Output, *, given: Given) -> Report:
    """Save V(x) = D(E(x)): what the latent diffusion model sees of the picture."""
    from impress_ui.cli import files

    return files.reconstruct_files(source, output, given.job())


@job_command(mask=True, whole=True, purify=Options(PurifySettings, names={"learning_rate": "lr"}))
def purify(source: Input, output: Output, mask: Mask = None, *, given: Given) -> Report:
    """Take a protection out again: IMPRESS, one of the purifiers that it must beat, or a chain of them."""
    from impress_ui.cli import files
    from impress_ui.methods.purify import needs_model

    _refuse_idle_mask(given, mask)
    if "chain" in given.sections["purify"]:
        given.sections["purify"].setdefault("method", "chain")
    job = given.job()
    _refuse_idle_lora(given, needs_model(job.purify))
    return files.purify_files(source, output, job, mask=mask)


@job_command(without=["lora"])
def measure(
    a: Annotated[
        Path, typer.Argument(metavar="A", parser=named_source, help="The picture to judge, or a folder of them.")
    ],
    b: Annotated[
        Path,
        typer.Argument(
            metavar="B", parser=named_source, help="The picture to compare with, or a folder with the same names."
        ),
    ],
    *,
    given: Given,
) -> Report:
    """Compare A with B: SSIM, PSNR, VIFp, LPIPS; L-inf, L2 and RMS in grey levels.

    Of each also the round-trip error, and the budget found: a protection's, in grey levels, by what the learned
    purifier would take off; 0 where it finds none. It takes noise for a protection, too.
    """
    from impress_ui.cli import files

    return files.measure_files(a, b, given.job())


def _refuse_idle_lora(given: Given, denoises: bool) -> None:
    """Refuse a LoRA where nothing runs that it would change.

    Raises:
        UserError: it was given.
    """
    if given.sections["run"].get("lora") and not denoises:
        raise UserError("--lora changes nothing here: the chosen method runs no denoiser; leave it out.")


def _refuse_idle_mask(given: Given, mask: Path | None) -> None:
    """Refuse to invert a mask that was not given.

    Raises:
        UserError: it was not.
    """
    if given.sections["run"].get("invert_mask") and mask is None:
        raise UserError("--invert-mask changes nothing without --mask; give the mask too.")
