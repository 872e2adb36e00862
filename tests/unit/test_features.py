"""The table of features claims nothing that no test holds."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/features.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| what")
]


def test_every_yes_names_a_test_that_is_there() -> None:
    assert len(ROWS) > 25
    sources = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    for row in ROWS:
        wanted, here, held = row[0], row[-2], row[-1]
        assert len(row) == 8 and here[0] in "yn~", wanted
        if here[0] == "n":
            continue
        file, name = re.fullmatch(r"`([\w.]+)(?:::(\w+))?`", held).groups()
        assert file in sources, f"{wanted}: there is no {file}"
        assert name is None or f"def {name}(" in sources[file], f"{wanted}: {file} has no {name}"
