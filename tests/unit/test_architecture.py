"""The promises about the house itself: who may import whom, nothing pickled, rooms of a size one can know."""

from __future__ import annotations

import ast
import graphlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = sorted((ROOT / "impress_ui").rglob("*.py"))


# The floors, from the ground up: a module imports from its own floor and from those below. The first prefix that fits
# counts, so a method's file stands under the settings that are made of it.
FLOORS = (
    ("errors", "fields", "paths"),
    ("methods.impress", "methods.protections", "methods.purifiers"),
    ("settings",),
    ("pictures",),
    ("models",),
    ("art",),
    ("methods",),
    ("measures",),
    ("charts",),
    ("jobs",),
    ("cli",),
    ("ui",),
    ("experiments",),
    ("bench",),
    ("__main__",),
)
# What a method's file imports inside its functions is the mathematics that it runs: torch, and the loop above it.
METHODS = FLOORS[1]


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT / "impress_ui").with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in SOURCES if path.parent != ROOT / "impress_ui" or path.stem != "__init__"}


def within(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def floor_of(name: str) -> int:
    best = max((prefix for floor in FLOORS for prefix in floor if within(name, (prefix,))), key=len)
    return next(number for number, floor in enumerate(FLOORS) if best in floor)


def imports(path: Path, *, everywhere: bool = True) -> set[str]:
    """The modules that a file imports; with ``everywhere`` off not those inside functions or for types alone."""
    tree = ast.parse(path.read_text())
    names = set()
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            full = {f"{module}.{alias.name}" for alias in node.names}
            names |= {name if name.removeprefix("impress_ui.") in MODULES else module for name in full}
    return names


def neighbours(name: str) -> set[str]:
    """The project's modules that a module imports."""
    found = imports(MODULES[name], everywhere=not within(name, METHODS))
    return {other.removeprefix("impress_ui.") for other in found if other.startswith("impress_ui.")}


def packages_of(name: str) -> set[str]:
    """The packages around a module, which Python imports before it."""
    return {".".join(name.split(".")[:depth]) for depth in range(1, name.count(".") + 1)}


def test_imports_run_one_way() -> None:
    climbing = [(name, other) for name in MODULES for other in neighbours(name) if floor_of(other) > floor_of(name)]
    assert not climbing
    for name, path in MODULES.items():
        outside = {imported.split(".")[0] for imported in imports(path)}
        assert not outside & {"training", "tests", "docs"}, name
        assert "gradio" not in outside or within(name, ("ui", "bench")), name


def test_no_imports_run_in_a_circle() -> None:
    around = {name: {name} | packages_of(name) for name in MODULES}
    graph = {
        name: {each for other in neighbours(name) if other in around for each in around[other]} - around[name]
        | (neighbours(name) & set(MODULES))
        for name in MODULES
    }
    circle = ""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        circle = " -> ".join(error.args[1])
    assert not circle


def test_few_files_stand_loose() -> None:
    loose = {path.stem for path in (ROOT / "impress_ui").glob("*.py")}
    assert loose == {"__init__", "__main__", "errors", "fields", "paths"}


def test_no_pickled_weights_ship() -> None:
    weights = [path for path in (ROOT / "assets").rglob("*") if path.suffix in {".pt", ".pth", ".bin", ".ckpt", ".pkl"}]
    assert not weights


@pytest.mark.parametrize(("folder", "megabytes"), [("assets/micro-ldm", 60), ("assets", 110)])
def test_assets_stay_small(folder: str, megabytes: int) -> None:
    assert sum(path.stat().st_size for path in (ROOT / folder).rglob("*") if path.is_file()) < megabytes * 1e6


def test_files_stay_short() -> None:
    long = [path for path in (*SOURCES, *(ROOT / "training").glob("*.py")) if len(path.read_text().splitlines()) > 320]
    assert not long


def test_help_needs_neither_torch_nor_a_second() -> None:
    def within_a_second() -> bool:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-m", "impress_ui", "--help"], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0 and "purify" in done.stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1

    assert any(within_a_second() for _ in range(4))  # of the processor, which other work does not stretch by much
    code = "import sys, impress_ui.cli; print([m for m in ('torch', 'gradio', 'diffusers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env={**os.environ})
    assert done.stdout.strip() == "[]", done.stderr


def test_the_page_is_built_without_torch() -> None:
    """Which takes seconds to import: the page answers first, and loads it behind the first paint."""
    code = (
        "import sys; from impress_ui.ui.environment import without_stubs\n"
        "with without_stubs(): from impress_ui.ui.app import build_app\n"
        "build_app(); "
        "print([m for m in ('torch', 'diffusers', 'scipy', 'skimage', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env={**os.environ})
    assert done.stdout.strip().splitlines()[-1] == "[]", done.stderr


def test_held_out_photographs_are_all_there() -> None:
    from impress_ui.pictures.photographs import names_of

    test, validation = names_of("test"), names_of("validation")
    assert len(test) == 32 and len(validation) == 16 and not set(test) & set(validation)
    for split in ("test", "validation"):
        assert {path.stem for path in (ROOT / "assets/photos" / split).glob("*.jpg")} == set(names_of(split))
