"""The commands that run the sampler: edit and generate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from impress_ui.cli.shared import (
    AsJson,
    Guidance,
    Inputs,
    NegativePrompt,
    Output,
    SamplerName,
    SamplingSteps,
    SettingsFile,
    app,
    job_of,
    option,
    print_report,
    run_options,
)
from impress_ui.settings import EditSettings, GenerateSettings


@app.command()
@run_options()
def edit(
    sources: Inputs,
    output: Output,
    reference: Annotated[
        Path | None,
        typer.Option(help="The picture whose edit the others are measured against. Default: the first of several."),
    ] = None,
    prompt: Annotated[str | None, option(EditSettings, "prompt")] = None,
    negative_prompt: NegativePrompt = None,
    mode: Annotated[str | None, option(EditSettings, "mode")] = None,
    strength: Annotated[float | None, option(EditSettings, "strength")] = None,
    guidance: Guidance = None,
    steps: SamplingSteps = None,
    sampler: SamplerName = None,
    mask: Annotated[
        Path | None, typer.Option(help="A picture whose white parts are repainted; implies --mode inpaint.")
    ] = None,
    invert_mask: Annotated[bool | None, option(EditSettings, "invert_mask", "--invert-mask/--no-invert-mask")] = None,
    no_paste_back: Annotated[
        bool, typer.Option("--no-paste-back", help="Leave what lies outside the mask as the model repainted it.")
    ] = False,
    run: Any = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Edit pictures by text, all with the same noise: an original and what was made of it, say."""
    from impress_ui.cli import batch_sampling

    if mask is not None:
        mode = mode or "inpaint"
    job = job_of(
        settings,
        run=run,
        edit=dict(
            prompt=prompt, negative_prompt=negative_prompt, mode=mode, strength=strength, guidance=guidance,
            sampling_steps=steps, sampler=sampler, paste_back=False if no_paste_back else None,
            invert_mask=invert_mask,
        ),
    )  # fmt: skip
    print_report(batch_sampling.edit_files(sources, output, job, reference=reference, mask=mask), json)


@app.command()
@run_options("size")
def generate(
    output: Output,
    prompt: Annotated[str | None, option(GenerateSettings, "prompt")] = None,
    negative_prompt: NegativePrompt = None,
    count: Annotated[int | None, option(GenerateSettings, "count")] = None,
    guidance: Guidance = None,
    steps: SamplingSteps = None,
    sampler: SamplerName = None,
    width: Annotated[int | None, option(GenerateSettings, "width")] = None,
    height: Annotated[int | None, option(GenerateSettings, "height")] = None,
    run: Any = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Make pictures from text alone, from the seeds SEED, SEED + 1, ..."""
    from impress_ui.cli import batch_sampling

    job = job_of(
        settings,
        run=run,
        generate=dict(
            prompt=prompt, negative_prompt=negative_prompt, count=count, guidance=guidance, sampling_steps=steps,
            sampler=sampler, width=width, height=height,
        ),
    )  # fmt: skip
    print_report(batch_sampling.generate_files(output, job), json)
