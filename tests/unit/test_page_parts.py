"""The page's factories: every knob from the settings, every picture without loss."""

import gradio as gr
import pytest

from impress_ui.core.errors import UserError
from impress_ui.settings import JobSettings, ProtectSettings, PurifySettings, RunSettings
from impress_ui.ui import forms, views
from impress_ui.ui.app import build_app
from impress_ui.ui.components import knob, on_grid
from impress_ui.ui.forms import job_from_widgets, recipe_values
from impress_ui.ui.layout import build_page


@pytest.fixture(scope="module")
def demo() -> gr.Blocks:
    return build_app()


def test_every_picture_component_is_lossless(demo: gr.Blocks) -> None:
    pictures = [b for b in demo.blocks.values() if isinstance(b, gr.Image | gr.ImageSlider | gr.ImageEditor)]
    assert len(pictures) >= 12
    assert {picture.format for picture in pictures} == {"png"}


def test_every_setting_has_a_knob_that_starts_at_its_default() -> None:
    with gr.Blocks():
        page = build_page()
    for section, model in (("run", RunSettings), ("protect", ProtectSettings), ("purify", PurifySettings)):
        missing = set(model.model_fields) - set(page.section(section))
        assert missing <= {"method"} if section == "protect" else not missing
    assert job_from_widgets(page, {widget: widget.value for widget in page.knobs.values()}) == JobSettings()


def test_sliders_stand_on_their_grid() -> None:
    assert on_grid(1e-5, 0.001) == 0.001 and on_grid(0, 0.01) == 0 and on_grid(1, 1) == 1 and on_grid(64, 8) == 64
    slider = knob(PurifySettings, "learning_rate")
    assert isinstance(slider, gr.Slider) and slider.minimum == 0.001
    assert isinstance(knob(RunSettings, "seed"), gr.Number)
    assert isinstance(knob(PurifySettings, "keep_best"), gr.Checkbox)


def test_a_recipe_gives_the_published_values() -> None:
    paper = recipe_values("paper")
    assert paper["steps"] == 3000 and paper["adam_eps"] == 1e-5 and paper["keep_best"] is False
    assert recipe_values("fast")["steps"] == PurifySettings().steps


def test_a_public_host_keeps_to_its_own_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = {"run": {"checkpoint": "/somewhere"}}
    assert forms.job_from_json(elsewhere).run.checkpoint == "/somewhere"
    monkeypatch.setattr(forms, "ON_SPACES", True)
    with pytest.raises(UserError, match="embedded checkpoint"):
        forms.job_from_json(elsewhere)


def test_text_from_outside_is_escaped() -> None:
    assert "<script>" not in views.notes(["<script>"]) + views.status("x", "<script>") + views.figures(None)
