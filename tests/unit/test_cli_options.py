"""Every setting of what a command does is one of its options, and arrives."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import typer

from impress_ui.__main__ import app, main
from impress_ui.cli import classification, files, imitations, items, samples
from impress_ui.settings import ClassifySettings, JobSettings, Settings

# By command: which section its options set, who is given the settings, and what else it needs.
COMMANDS: dict[str, tuple[str, Any, list[str]]] = {
    "protect": ("protect", (files, "protect_files"), ["in.png", "-o", "out.png"]),
    "universal": ("protect", (files, "universal_file"), ["in", "-o", "out.png"]),
    "purify": ("purify", (files, "purify_files"), ["in.png", "-o", "out.png"]),
    "edit": ("edit", (samples, "edit_files"), ["in.png", "-o", "out.png"]),
    "generate": ("generate", (samples, "generate_files"), ["-o", "out"]),
    "stress": ("stress", (items, "stress_file"), ["in.png"]),
    "explore": ("explore", (items, "explore_file"), ["in.png"]),
    "mimic": ("mimic", (imitations, "mimic_files"), ["-o", "out"]),
    "classify": ("classify", (classification, "classify_files"), ["in.png"]),
}
WITHOUT_SETTINGS = {"settings", "reconstruct", "measure", "experiment", "bench", "serve"}  # but those of a run
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
    if annotation is str:
        return "something else"
    if about["minimum"] is None:
        return annotation(about["default"] + 1)
    return about["maximum"] if about["default"] == about["minimum"] else about["minimum"]


def test_all_commands_are_looked_at() -> None:
    assert set(typer.main.get_command(app).commands) == {*COMMANDS, *WITHOUT_SETTINGS}  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_setting_is_an_option_and_arrives(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    section, (module, name), needed = COMMANDS[command]
    model = model_of(section)
    got: list[Settings] = []

    def runner(*arguments: Any, **_: Any) -> dict[str, Any]:
        got.extend(each for each in arguments if isinstance(each, (JobSettings, ClassifySettings)))
        return {"summary": ""}

    monkeypatch.setattr(module, name, runner)
    values = {field: another(model, field) for field in model.model_fields}
    options: list[str] = []
    for field, value in values.items():
        flag = field.replace("_", "-")
        options += [f"--{'' if value else 'no-'}{flag}"] if isinstance(value, bool) else [f"--{flag}", str(value)]
    monkeypatch.setattr(sys, "argv", ["impress_ui", command, *needed, *options])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    settings = got[0] if section == "classify" else getattr(got[0], section)
    for field, value in values.items():
        found = getattr(settings, field)
        assert found != getattr(model(), field), field
        if field not in TEXTS:
            assert found == value, field
    if section == "classify":
        assert settings.stages == ((2, 3),) and settings.classes == ("woodcut", "mosaic")


def test_an_exploration_writes_its_folder(
    capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    given = ["--x", "purify.jpeg_quality", "--x-from", "20", "--x-to", "40", "--x-count", "2", "--size", "64"]
    given += ["--set", "purify.method=jpeg", "--set", "protect.steps=2"]
    monkeypatch.setattr(sys, "argv", ["impress_ui", "explore", str(photo), "-o", str(out), *given, "--json"])
    with pytest.raises(SystemExit) as caught:
        main()
    report = json.loads(capsys.readouterr().out)
    assert caught.value.code == 0 and [cell["purify.jpeg_quality"] for cell in report["cells"]] == [20, 40]
    assert all(cell["left"] > 0 for cell in report["cells"]) and not report["stopped"]
    assert {"explore.json", "explore.csv", "chart.svg", "sheet.png", "jpeg_quality-20.png"} <= {
        path.name for path in out.iterdir()
    }
    for wrong, words in ((["--set", "purify.nothing=1"], "nothing"), (["--x-from", "2000"], "JPEG quality")):
        monkeypatch.setattr(sys, "argv", ["impress_ui", "explore", str(photo), *given, *wrong])
        with pytest.raises(SystemExit) as caught:
            main()
        error = capsys.readouterr().err
        assert caught.value.code == 2 and words in error and len(error.strip().splitlines()) == 1
