"""``python -m impress_ui``: the engine without the page.

Every command takes ``--json`` and then prints one JSON object on standard output; all else goes to
standard error. Mistakes end with status 2 and one sentence. Torch is imported inside the commands, so
``--help`` is instant.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError

from impress_ui.core.errors import UserError
from impress_ui.settings import JobSettings, ProtectSettings, PurifySettings, RunSettings, Settings, sentence_of

app = typer.Typer(
    help="Protect, reconstruct, purify and measure pictures against latent diffusion models. "
    "Evaluate protections with it, and use only images you have the right to use.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def option(model: type[Settings], field: str, *names: str) -> Any:
    """A command-line option whose help, range and default come from the settings."""
    about = model.describe(field)
    limits = f" {about['minimum']} to {about['maximum']}." if about["maximum"] is not None else ""
    symbol = f"{about['symbol']}: " if about["symbol"] else ""
    default = f" Default: {about['default']}." if about["default"] is not None else ""
    return typer.Option(*(names or (f"--{field.replace('_', '-')}",)), help=f"{symbol}{about['help']}{limits}{default}")


# One alias an option, used by every command that has it.
Input = Annotated[Path, typer.Argument(metavar="IN", help="A picture, or a folder of pictures.")]
Output = Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="Where to save: a .png file, or a folder.")]
Checkpoint = Annotated[str | None, option(RunSettings, "checkpoint")]
DeviceName = Annotated[str | None, option(RunSettings, "device")]
PrecisionName = Annotated[str | None, option(RunSettings, "precision")]
Size = Annotated[int | None, option(RunSettings, "size")]
Seed = Annotated[int | None, option(RunSettings, "seed")]
Mask = Annotated[Path | None, typer.Option(help="A picture whose white parts may change; the rest stays as it is.")]
SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", help="A JSON file of settings, or a PNG saved by this program; options override it."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


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
    mask: Mask = None,
    checkpoint: Checkpoint = None,
    size: Size = None,
    seed: Seed = None,
    device: DeviceName = None,
    precision: PrecisionName = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Add an imperceptible perturbation that misleads the autoencoder."""
    from impress_ui import batch

    if target_image is not None:
        target = target or "image"
    job = _job(
        settings,
        run=dict(checkpoint=checkpoint, size=size, seed=seed, device=device, precision=precision),
        protect=dict(method=method, target=target, budget=budget, steps=steps, step_size=step_size),
    )
    _print(batch.protect_files(source, output, job, mask=mask, target=target_image), json)


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

    job = _job(settings, run=dict(checkpoint=checkpoint, size=size, seed=seed, device=device, precision=precision))
    _print(batch.reconstruct_files(source, output, job), json)


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
    mask: Mask = None,
    checkpoint: Checkpoint = None,
    size: Size = None,
    seed: Seed = None,
    device: DeviceName = None,
    precision: PrecisionName = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Take a protection out again: IMPRESS, or one of the controls that it must beat."""
    from impress_ui import batch

    job = _job(
        settings,
        run=dict(checkpoint=checkpoint, size=size, seed=seed, device=device, precision=precision),
        purify=dict(
            method=method, recipe=recipe, alpha=alpha, delta=delta, steps=steps, learning_rate=lr,
            start_noise=start_noise, smoothness=smoothness, similarity_network=similarity_network, start=start,
            start_quality=start_quality, jpeg_quality=jpeg_quality, noise_std=noise_std, resize_factor=resize_factor,
        ),
    )  # fmt: skip
    _print(batch.purify_files(source, output, job, mask=mask), json)


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
    """Compare A with B: SSIM, PSNR, LPIPS, L-inf and L2 in grey levels, and the round-trip error of each."""
    from impress_ui import batch

    job = _job(settings, run=dict(checkpoint=checkpoint, size=size, seed=seed, device=device, precision=precision))
    _print(batch.measure_files(a, b, job), json)


@app.command()
def experiment(
    name: Annotated[str, typer.Argument(metavar="NAME", help="purification, detector or autoencoder.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for the table (CSV, JSON) and pictures.")
    ] = Path("outputs"),
    photographs: Annotated[
        int | None, typer.Option(min=1, help="Only the first so many photographs of the split.")
    ] = None,
    paper_photographs: Annotated[int, typer.Option(min=0, help="Photographs on which the paper recipe runs too.")] = 4,
    budget: Annotated[
        list[int] | None,
        typer.Option(min=1, max=64, help="Budget in grey levels, more than once for more. Default: 8, 16."),
    ] = None,
    split: Annotated[
        str, typer.Option(help="'test' for reported figures, 'validation' for choosing recipes.")
    ] = "test",
    checkpoint: Checkpoint = None,
    size: Size = None,
    seed: Seed = None,
    device: DeviceName = None,
    precision: PrecisionName = None,
    json: AsJson = False,
) -> None:
    """Print one of the tables of the README, measured on photographs that no training has seen."""
    from impress_ui.core.experiments import Plan, as_text, run_experiment

    job = _job(None, run=dict(checkpoint=checkpoint, size=size, seed=seed, device=device, precision=precision))
    budgets = {"budgets": tuple(budget)} if budget else {}
    plan = Plan(job, output, split, photographs, paper_photographs, log=_log, **budgets)  # type: ignore[arg-type]
    report = run_experiment(name, plan)
    if json:
        _print(report, True)
    else:
        print(as_text(report))


@app.command()
def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 shows the page to your network.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 7860,
) -> None:
    """Open the page."""
    from impress_ui.ui.app import build_app, launch

    launch(build_app(), host=host, port=port)


def _job(file: Path | None, **sections: dict[str, Any]) -> JobSettings:
    """The settings of the file, or the defaults, with the given options on top."""
    given = {
        name: {key: value for key, value in values.items() if value is not None} for name, values in sections.items()
    }
    return (_read_settings(file) if file else JobSettings()).updated(**given)


def _read_settings(file: Path) -> JobSettings:
    import json

    if file.suffix.lower() == ".png" and file.is_file():
        from impress_ui.core.images import read_metadata

        data = (read_metadata(file) or {}).get("settings")
        if data is None:
            raise UserError(f"{file.name} carries no settings; use a PNG saved by this program, or a JSON file.")
    else:
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
        except OSError:
            raise UserError(f"The settings file {file.name} cannot be read; check the path.") from None
        except ValueError:
            raise UserError(f"The settings file {file.name} is not JSON.") from None
    return JobSettings.model_validate(data)


def _print(report: dict[str, Any], as_json: bool) -> None:
    import json

    rows = report.get("results", [report])
    if as_json:
        print(json.dumps(report, ensure_ascii=False, allow_nan=False))
    else:
        for row in rows:
            if "error" not in row:
                print(row["summary"])
    failed = [row["error"] for row in rows if "error" in row]
    if failed:
        raise UserError(f"{len(failed)} of {len(rows)} pictures were not done; the first: {failed[0]}")


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _fail(sentence: str) -> NoReturn:
    _log(f"Error: {' '.join(sentence.split())}")
    sys.exit(2)


def main() -> None:
    """Entry point: runs a command; mistakes become one sentence on standard error and exit status 2."""
    try:
        code = app(standalone_mode=False)
    except ValidationError as error:
        _fail(sentence_of(error))
    except UserError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _log("Interrupted.")
        sys.exit(130)
    except Exception as error:
        # typer's own usage errors; it has moved their class between versions, their method stayed.
        if not hasattr(error, "format_message"):
            raise
        _fail(error.format_message())
    sys.exit(code if isinstance(code, int) else 0)
