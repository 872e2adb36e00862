"""What the README and the pages of docs show must run as it stands there, lead somewhere, and be small."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml
from packaging.requirements import Requirement
from PIL import Image

from impress_ui import cli
from impress_ui.__main__ import app
from impress_ui.experiments import table
from impress_ui.pictures.images import save_png
from impress_ui.settings import JobSettings

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), ROOT / "training/README.md", ROOT / "assets/README.md"]
TEXTS = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in PAGES}
README = TEXTS["README.md"]
SMALL = 2  # steps of every run


def shown(language: str) -> list[tuple[str, str]]:
    """(page, code) of every block."""
    return [(page, code) for page in TEXTS for code in re.findall(rf"```{language}\n(.*?)```", TEXTS[page], re.DOTALL)]


def commands() -> list[str]:
    """What follows ``-m impress_ui``, in blocks and in sentences; lines that end in a backslash go on."""
    joined = "\n".join(TEXTS.values()).replace("\\\n", " ")
    return sorted({line.strip() for line in re.findall(r"-m impress_ui +([a-z][^\n`#]*)", joined)})


def test_the_front_matter_is_what_a_space_accepts() -> None:
    front = yaml.safe_load(README.split("---\n")[1])
    assert front["sdk"] == "gradio" and (ROOT / front["app_file"]).is_file()
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {front["colorFrom"], front["colorTo"]} <= colours
    assert len(front["short_description"]) <= 60
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    ranges = {requirement.name: requirement.specifier for requirement in map(Requirement, lines)}
    assert front["sdk_version"] in ranges["gradio"]
    assert "2.8.0" in ranges["torch"]  # the oldest that ZeroGPU offers


@pytest.mark.parametrize(
    ("where", "code"), [pytest.param(*one, id=f"{one[0]}-{n}") for n, one in enumerate(shown("python"))]
)
def test_the_python_runs(
    where: str, code: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    code, changed = re.subn(r"(\bsteps\"?[=:] ?)\d+", rf"\g<1>{SMALL}", code)
    assert changed, where
    code = code.replace('"edit": {', f'"edit": {{"sampling_steps": {SMALL}, ')
    if "gradio_client" in code:
        assert "http://127.0.0.1:7860" in code
        code = code.replace("http://127.0.0.1:7860", request.getfixturevalue("app_url"))
    with Image.open(ROOT / "assets/photos/test/beach2.jpg") as image:
        image.resize((96, 64)).save(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, where, "exec"), {"__name__": "__main__"})
    told = capsys.readouterr().out
    if "print" in code:
        assert re.search(r"0\.\d+", told), told
    if "client.submit" in code:
        assert "Protecting 0" in told
    for name in re.findall(r"\w+\.png", code):
        assert Image.open(tmp_path / name).size == (96, 64)


def test_there_is_python_for_both_ways() -> None:
    readme = [code for page, code in shown("python") if page == "README.md"]
    assert ["gradio_client" in code for code in readme] == [True, False]


class Reached(Exception):
    """A command has understood what it was told and would begin."""


@pytest.fixture
def nothing_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands end where their work begins, in a folder with the files of settings that they read."""

    def reach(*_: object, **__: object) -> None:
        raise Reached

    for module in pkgutil.iter_modules(cli.__path__, "impress_ui.cli."):
        workers = importlib.import_module(module.name)
        for name in vars(workers).copy():
            if name.endswith(("_file", "_files")):
                monkeypatch.setattr(workers, name, reach)
    monkeypatch.setattr(table, "run_experiment", reach)
    monkeypatch.chdir(tmp_path)
    saved = {"settings": JobSettings().model_dump(mode="json")}
    save_png(Image.new("RGB", (64, 64)), tmp_path / "protected.png", saved)


@pytest.mark.parametrize("line", commands())
def test_the_commands_are_understood(line: str, nothing_begins: None) -> None:
    """Every command that is shown anywhere parses, and its settings exist and are within their ranges."""
    name, *words = shlex.split(line)
    command = typer.main.get_command(app).commands[name]
    with command.make_context(name, list(words)) as context:  # it takes the words out of its list
        if name in ("bench", "demo", "serve") or "NAME" in words or not words:  # options alone, or a kind of command
            return
        with contextlib.nullcontext() if name == "settings" else pytest.raises(Reached):
            command.invoke(context)


def test_every_command_is_shown() -> None:
    told = {line.split()[0] for line in commands()}
    assert told >= set(typer.main.get_command(app).commands) and len(commands()) > 40


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links() -> set[tuple[Path, str]]:
    """(target, anchor) of every relative link, told by the page that it stands in when it is wrong."""
    found = set()
    for page in PAGES:
        for link in re.findall(r"\]\(([^)\s]+)\)", TEXTS[str(page.relative_to(ROOT))]):
            if not link.startswith(("http:", "https:", "mailto:")):
                path, _, anchor = link.partition("#")
                target = (page.parent / path).resolve() if path else page
                assert target.exists(), f"{page.name}: {link}"
                found.add((target, anchor))
    return found


def test_links_lead_somewhere_and_every_picture_is_shown() -> None:
    for target, anchor in links():
        assert not anchor or anchor in anchors(target), f"{target.name}#{anchor}"
    reached = {target for target, _ in links()}
    pictures = {path for path in DOCS.rglob("*") if path.suffix in (".webp", ".png", ".svg", ".jpg")}
    assert pictures <= reached, pictures - reached
    assert set(DOCS.glob("*.md")) <= reached


def test_the_findings_are_those_of_the_results() -> None:
    findings = README.split("## What was found")[1].split("## ")[0]
    figures = re.findall(r"\b[\d.]+(?= (?:(?:and|to) [\d.]+ )?(?:%|dB))", findings)
    assert len(figures) > 10
    with_errors = r"(?: ± \d+)?(?: (?:and|to|against) [\d.]+)* (?:%|dB)"
    assert not [one for one in figures if not re.search(rf"\b{re.escape(one)}{with_errors}", TEXTS["docs/results.md"])]


def test_the_readme_is_short_and_the_docs_are_light() -> None:
    assert len(README.split("---\n", 2)[2].encode()) <= 8_000
    assert sum(path.stat().st_size for path in DOCS.rglob("*") if path.is_file()) <= 8 * 2**20
    stance = README.split("![")[0]
    assert "dual use" in stance and "evaluate protections" in stance and "right to use" in stance
