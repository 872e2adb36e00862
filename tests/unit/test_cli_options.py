"""Every setting of what a command does is one of its options, and arrives."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import typer
from PIL import Image

from impress_ui.__main__ import app, main
from impress_ui.cli import classification, files, imitations, items, learning, samples
from impress_ui.jobs.explore import Exploration
from impress_ui.jobs.items import ItemStep
from impress_ui.pictures.images import save_png
from impress_ui.settings import ClassifySettings, JobSettings, RunSettings, Settings
from tests.unit.test_cli import run, run_json

ROOT = Path(__file__).resolve().parent.parent.parent

# By command: which section its options set, who is given the settings, and what else it needs.
COMMANDS: dict[str, tuple[str, Any, list[str]]] = {
    "protect": ("protect", (files, "protect_files"), ["in.png", "-o", "out.png", "--mask", "mask.png"]),
    "universal": ("protect", (files, "universal_file"), ["in", "-o", "out.png"]),
    "purify": ("purify", (files, "purify_files"), ["in.png", "-o", "out.png", "--mask", "mask.png"]),
    "edit": ("edit", (samples, "edit_files"), ["in.png", "-o", "out.png"]),
    "generate": ("generate", (samples, "generate_files"), ["-o", "out"]),
    "stress": ("stress", (items, "stress_file"), ["in.png"]),
    "explore": ("explore", (items, "explore_file"), ["in.png"]),
    "mimic": ("mimic", (imitations, "mimic_files"), ["-o", "out"]),
    "classify": ("classify", (classification, "classify_files"), ["in.png"]),
}
# Commands that have no section of their own, but the run's.
RUNS: dict[str, tuple[Any, list[str]]] = {
    **{command: (reached, needed) for command, (_, reached, needed) in COMMANDS.items()},
    "reconstruct": ((files, "reconstruct_files"), ["in.png", "-o", "out.png"]),
    "measure": ((files, "measure_files"), ["in.png", "other.png"]),
    "train-purifier": ((learning, "train_files"), ["--pairs", "a", "b", "-o", "out.safetensors"]),
}
OF_NO_USE = {  # fields of the run
    "classify": {"size", "invert_mask"},
    "generate": {"size", "invert_mask"},
    "reconstruct": {"lora", "invert_mask"},
    "measure": {"lora", "invert_mask"},
    "train-purifier": {"lora", "size", "precision", "invert_mask"},
}
WHOLE = {"protect", "purify"}  # what is done at a picture's own size
MASKED = {"protect", "purify", "explore"}  # an edit's mask has a setting of its own
ABOVE = ["serve", "demo", "experiment", "bench"]  # which the floors above bring
TEXTS = {
    "purifiers": "jpeg 25, median 2",
    "chain": "jpeg 30, then noise 0.1",
    "classes": "woodcut, mosaic",
    "templates": "a {}",
    "stages": "[[2, 3]]",
}


def model_of(section: str) -> type[Settings]:
    return ClassifySettings if section == "classify" else type(getattr(JobSettings(), section))


def another(model: type[Settings], name: str) -> Any:
    """A valid value that is not the field's default."""
    about, annotation = model.describe(name), model.model_fields[name].annotation
    if name in TEXTS:
        return TEXTS[name]
    if annotation is bool:
        return not about["default"]
    if get_origin(annotation) is Literal:
        return next(choice for choice in get_args(annotation) if choice != about["default"])
    if get_origin(annotation) is tuple:
        return tuple(about["choices"][:2])
    if annotation is str:
        return "something else"
    if about["minimum"] is None:
        return annotation(about["default"] + 1)
    return about["maximum"] if about["default"] == about["minimum"] else about["minimum"]


def options_for(values: dict[str, Any]) -> list[str]:
    """Those that set fields to values."""
    options: list[str] = []
    for field, value in values.items():
        flag = field.replace("_", "-")
        text = ",".join(value) if isinstance(value, tuple) else str(value)
        options += [f"--{'' if value else 'no-'}{flag}"] if isinstance(value, bool) else [f"--{flag}", text]
    return options


def settings_given(monkeypatch: pytest.MonkeyPatch, command: str, *options: str) -> list[Settings]:
    """What settings a command is going to work with; it does not."""
    (module, name), needed = RUNS[command]
    got: list[Settings] = []

    def runner(*arguments: Any, **_: Any) -> dict[str, Any]:
        got.extend(each for each in arguments if isinstance(each, Settings))
        return {"summary": ""}

    monkeypatch.setattr(module, name, runner)
    monkeypatch.setattr(sys, "argv", ["impress_ui", command, *needed, *options])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    return got


def test_all_commands_are_looked_at() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert set(commands) == {*RUNS, "settings", *ABOVE}
    assert next(iter(commands)) == "protect" and list(commands)[-len(ABOVE) :] == ABOVE


def test_no_command_loads_what_it_may_not_need() -> None:
    code = "import sys, impress_ui.__main__; print(*(m for m in ('torch', 'gradio', 'diffusers') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("command", RUNS)
def test_every_setting_of_a_run_is_an_option_and_arrives(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without = OF_NO_USE.get(command, set() if command in MASKED else {"invert_mask"})
    without = without if command in WHOLE else {*without, "whole"}
    # Where no denoiser runs a LoRA is refused.
    advdm, sdedit = ["--method", "advdm"], ["--method", "sdedit"]
    method = {"protect": advdm, "universal": advdm, "purify": sdedit}.get(command, [])
    without = without if command == "protect" else {*without, "check", "declare"}
    values = {field: another(RunSettings, field) for field in RunSettings.model_fields if field not in without}
    got = settings_given(monkeypatch, command, *method, *options_for(values))
    settings = got[0].run if isinstance(got[0], JobSettings) else got[1]
    assert {field: getattr(settings, field) for field in values} == values


@pytest.mark.parametrize(
    ("command", "name"),
    [("stress", "edit.sampling_steps"), ("explore", "protect.steps"), ("mimic", "generate.sampling_steps")],
)
def test_a_setting_of_another_section_is_set_by_name(command: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (job,) = settings_given(monkeypatch, command, "--set", f"{name}=3", "--set", "run.seed=5")
    section, field = name.split(".")
    assert isinstance(job, JobSettings) and getattr(getattr(job, section), field) == 3 and job.run.seed == 5


@pytest.mark.parametrize("command", COMMANDS)
def test_every_setting_is_an_option_and_arrives(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    section = COMMANDS[command][0]
    model = model_of(section)
    for picked in model.fields_of or [None]:  # a method takes its own options, and refuses the others
        values = {field: another(model, field) for field in model.model_fields if model.has(field, picked)}
        values |= {model.picker: picked} if picked else {}
        whole = model.model_construct(**values)
        # What another setting of these puts out of use is given apart, beside the one that it needs.
        needs = {field: whole.lacks(field) for field in values if whole.lacks(field)}
        together = {field: value for field, value in values.items() if field not in needs}
        apart = [
            {field: values[field], other: wanted.split("|")[0] or another(model, other)}
            for field, need in needs.items()
            for other, _, wanted in [need.partition("=")]
        ]
        for given in [together, *apart]:
            method = {model.picker: picked} if picked else {}
            got = settings_given(monkeypatch, command, *options_for({**given, **method}))
            settings = got[0] if section == "classify" else getattr(got[0], section)
            for field in given if given is together else [next(iter(given))]:
                assert field == model.picker or getattr(settings, field) != getattr(model(), field), field
                if field not in TEXTS:
                    assert getattr(settings, field) == given[field], field
    if section == "classify":
        assert settings.stages == ((2, 3),) and settings.classes == ("woodcut", "mosaic")


JPEGS = ("--x", "purify.jpeg_quality", "--set", "purify.method=jpeg", "--set", "protect.steps=2", "--size", "64")


def test_an_exploration_writes_its_folder(capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    given = [*JPEGS, "--x-from", "20", "--x-to", "40", "--x-count", "2"]
    report = run_json(capsys, "explore", photo, "-o", out, *given)
    assert [cell["purify.jpeg_quality"] for cell in report["cells"]] == [20, 40]
    assert all(cell["left"] > 0 for cell in report["cells"]) and not report["stopped"]
    assert {"explore.json", "explore.csv", "chart.svg", "sheet.png", "jpeg_quality-20.png"} <= {
        path.name for path in out.iterdir()
    }


def test_ctrl_c_ends_an_exploration_and_keeps_its_cells(
    capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Exploration.run

    def pressed(self: Exploration, *arguments: Any) -> Iterator[ItemStep]:
        for step in whole(self, *arguments):
            yield step
            if step.done:
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Exploration, "run", pressed)
    status, out, err = run(capsys, "explore", photo, "-o", tmp_path / "out", *JPEGS, "--x-count", "3", "--json")
    report = json.loads(out)
    assert status == 130 and "Stopped" in err.splitlines()[-1] and "what was done is kept" in report["interrupted"]
    assert report["stopped"] and report["planned"] == 3 and len(report["cells"]) == 1
    kept = json.loads((tmp_path / "out" / "explore.json").read_text())
    assert kept["cells"] == report["cells"] and (tmp_path / "out" / "sheet.png").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["explore", "{photo}", *JPEGS, "--set", "purify.nothing=1"], "nothing"),
        (["explore", "{photo}", *JPEGS, "--set", "nothing"], "NAME=VALUE"),
        (["explore", "{photo}", *JPEGS, "--set", "edit.strength=0.3"], "edit.strength changes nothing here"),
        (["mimic", "-o", "{out}", "--set", "edit.hardened=true"], "those of generate, mimic, run"),
        (["mimic", "-o", "{out}", "--set", "steps=3"], "an example is generate.sampling_steps=20"),
        (["explore", "{photo}", "--set", "protect.draws=2"], "setting protect.draws changes nothing without"),
        (["explore", "{photo}", *JPEGS, "--set", "version.x=1"], "version.x"),
        (["explore", "{photo}", *JPEGS, "--x-from", "2000"], "JPEG quality"),
        (["explore", "{photo}", "--x", "purify.dance"], "explore.x"),
        (["explore", "{photo}", *JPEGS, "--protected", "{small}"], "one size"),
        (["explore", "{photo}", *JPEGS, "-o", "{text}/in"], "cannot be made"),
        (["explore", "missing.png"], "missing.png"),
        (["stress", "{photo}", "-o", "{text}/in"], "cannot be made"),
        (["stress", "{photo}", "--purifiers", "dance"], "no purifier dance"),
        (["mimic", "-o", "{out}", "--tuning", "dance"], "mimic.tuning"),
        (["classify", "missing.png"], "missing.png"),
        (["purify", "{photo}", "-o", "{out}", "--trust-radius", "900"], "trust_radius"),
        (["experiment", "dance"], "no experiment dance"),
        (["experiment", "detector", "-o", "{text}"], "cannot be made"),
        (["experiment", "arms-race", "--set", "protect.steps=9"], "arms-race does not use the settings of protect"),
        (["experiment", "arms-race", "--set", "purify.steps=9"], "does not use the settings of purify"),
        (["experiment", "transfer", "--set", "edits=false", "--set", "edit.strength=1"], "settings of edit"),
        (["experiment", "adaptive", "--set", "methods=[glaze]", "--set", "protect.budget=4"], "settings of protect"),
        (["bench", "--side", "4"], "--side"),
        (["serve", "--port", "0"], "--port"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "text.txt").write_text("hello")
    small = save_png(Image.new("RGB", (40, 40)), tmp_path / "small.png")
    places = {"photo": photo, "small": small, "text": tmp_path / "text.txt", "out": tmp_path / "out"}
    status, out, err = run(capsys, *(argument.format(**places) for argument in arguments))
    assert status == 2 and out == ""
    assert words in err and len(err.strip().splitlines()) == 1
