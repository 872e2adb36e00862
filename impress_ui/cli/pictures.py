"""The commands that protect, reconstruct, purify and measure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from impress_ui.cli.shared import (
    AsJson,
    Checkpoint,
    DeviceName,
    Input,
    Mask,
    Output,
    PrecisionName,
    Seed,
    SettingsFile,
    Size,
    app,
    job_of,
    option,
    print_report,
)
from impress_ui.settings import ProtectSettings, PurifySettings


@app.command()
def protect(
    source: Input,
    output: Output,
    method: Annotated[str | None, option(ProtectSettings, "method")] = None,
    target: Annotated[str | None, option(ProtectSettings, "target")] = None,
    target_image: Annotated[Path | None, typer.Option(help="The picture for --target image.")] = None,
    budget: Annotated[int | None, option(ProtectSettings, "budget")] = None,
    steps: Annotated[int | None, option(ProtectSettings, "steps")] = None,
    step_size: Annotated[float | None, option(ProtectSettings, "step_size")] = None,
    norm: Annotated[str | None, option(ProtectSettings, "norm")] = None,
    l2_radius: Annotated[float | None, option(ProtectSettings, "l2_radius")] = None,
    attacked_prompt: Annotated[str | None, option(ProtectSettings, "attacked_prompt")] = None,
    attacked_strength: Annotated[float | None, option(ProtectSettings, "attacked_strength")] = None,
    attacked_steps: Annotated[int | None, option(ProtectSettings, "attacked_steps")] = None,
    repetitions: Annotated[int | None, option(ProtectSettings, "repetitions")] = None,
    mask: Mask = None,
    checkpoint: Checkpoint = None,
    size: Size = None,
    seed: Seed = None,
    device: DeviceName = None,
    precision: PrecisionName = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Add an imperceptible perturbation that misleads the model: its encoder, or its whole edit."""
    from impress_ui import batch

    if target_image is not None:
        target = target or "image"
    job = job_of(
        settings,
        run=dict(checkpoint=checkpoint, size=size, seed=seed, device=device, precision=precision),
        protect=dict(
            method=method, target=target, budget=budget, steps=steps, step_size=step_size, norm=norm,
            l2_radius=l2_radius, attacked_prompt=attacked_prompt, attacked_strength=attacked_strength,
            attacked_steps=attacked_steps, repetitions=repetitions,
        ),
    )  # fmt: skip
    print_report(batch.protect_files(source, output, job, mask=mask, target=target_image), json)


@app.command()
def reconstruct(
    source: Input,
    output: Output,
    checkpoint: Checkpoint = None,
    size: Size = None,
    seed: Seed = None,
    device: DeviceName = None,
    precision: PrecisionName = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Save V(x) = D(E(x)): what the latent diffusion model sees of the picture."""
    from impress_ui import batch

    job = job_of(settings, run=dict(checkpoint=checkpoint, size=size, seed=seed, device=device, precision=precision))
    print_report(batch.reconstruct_files(source, output, job), json)


@app.command()
def purify(
    source: Input,
    output: Output,
    method: Annotated[str | None, option(PurifySettings, "method")] = None,
    recipe: Annotated[str | None, option(PurifySettings, "recipe")] = None,
    alpha: Annotated[float | None, option(PurifySettings, "alpha")] = None,
    delta: Annotated[float | None, option(PurifySettings, "delta")] = None,
    steps: Annotated[int | None, option(PurifySettings, "steps")] = None,
    lr: Annotated[float | None, option(PurifySettings, "learning_rate", "--lr")] = None,
    start_noise: Annotated[float | None, option(PurifySettings, "start_noise")] = None,
    smoothness: Annotated[float | None, option(PurifySettings, "smoothness")] = None,
    similarity_network: Annotated[str | None, option(PurifySettings, "similarity_network")] = None,
    start: Annotated[str | None, option(PurifySettings, "start")] = None,
    start_quality: Annotated[int | None, option(PurifySettings, "start_quality")] = None,
    jpeg_quality: Annotated[int | None, option(PurifySettings, "jpeg_quality")] = None,
    noise_std: Annotated[float | None, option(PurifySettings, "noise_std")] = None,
    resize_factor: Annotated[float | None, option(PurifySettings, "resize_factor")] = None,
    chain: Annotated[str | None, option(PurifySettings, "chain")] = None,
    mask: Mask = None,
    checkpoint: Checkpoint = None,
    size: Size = None,
    seed: Seed = None,
    device: DeviceName = None,
    precision: PrecisionName = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Take a protection out again: IMPRESS, one of the purifiers that it must beat, or a chain of them."""
    from impress_ui import batch

    if chain is not None:
        method = method or "chain"
    job = job_of(
        settings,
        run=dict(checkpoint=checkpoint, size=size, seed=seed, device=device, precision=precision),
        purify=dict(
            method=method, recipe=recipe, alpha=alpha, delta=delta, steps=steps, learning_rate=lr,
            start_noise=start_noise, smoothness=smoothness, similarity_network=similarity_network, start=start,
            start_quality=start_quality, jpeg_quality=jpeg_quality, noise_std=noise_std, resize_factor=resize_factor,
            chain=chain,
        ),
    )  # fmt: skip
    print_report(batch.purify_files(source, output, job, mask=mask), json)


@app.command()
def measure(
    a: Annotated[Path, typer.Argument(metavar="A", help="The picture to judge, or a folder of them.")],
    b: Annotated[
        Path, typer.Argument(metavar="B", help="The picture to compare with, or a folder with the same names.")
    ],
    checkpoint: Checkpoint = None,
    size: Size = None,
    seed: Seed = None,
    device: DeviceName = None,
    precision: PrecisionName = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Compare A with B: SSIM, PSNR, VIFp, LPIPS, L-inf and L2 in grey levels, and the round-trip error of each."""
    from impress_ui import batch

    job = job_of(settings, run=dict(checkpoint=checkpoint, size=size, seed=seed, device=device, precision=precision))
    print_report(batch.measure_files(a, b, job), json)
