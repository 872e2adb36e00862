"""The tables of the page's other languages."""

import json
import re
from pathlib import Path

import pytest

from impress_ui.settings import SECTIONS
from impress_ui.settings.sweep import swept_names
from impress_ui.ui.components import CHOICE_NAMES
from impress_ui.ui.curves import PANELS
from impress_ui.ui.theme import LANGUAGES


@pytest.mark.parametrize("file", sorted(LANGUAGES.glob("*.json")), ids=lambda file: file.stem)
def test_a_language_has_every_setting_and_loses_no_figure(file: Path) -> None:
    table = json.loads(file.read_text(encoding="utf-8"))
    for english, told in table.items():
        assert re.findall(r"{[#=]?}", english) == re.findall(r"{[#=]?}", told), english
    wanted = set()
    for model in SECTIONS.values():
        for name in model.model_fields:
            about = model.describe(name)
            wanted |= {f"{about['label']} {about['symbol']}".strip(), about["help"]}
    names = {name for value, name in CHOICE_NAMES.items() if value not in swept_names()}
    curves = {words for panel in PANELS for words in (panel.title, *panel.series, *panel.series.values())}
    assert (wanted | names | curves) - set(table) == set()
