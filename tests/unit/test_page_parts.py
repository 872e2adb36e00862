"""The page's factories: every knob from the settings, every picture without loss."""

import json

import gradio as gr
import pytest
from gradio.state_holder import StateHolder
from pydantic import ValidationError

from impress_ui.errors import UserError
from impress_ui.settings import SECTIONS, JobSettings, ProtectSettings, PurifySettings, RunSettings
from impress_ui.ui import forms, prompts, views
from impress_ui.ui.app import build_app
from impress_ui.ui.components import knob, on_grid
from impress_ui.ui.forms import job_from_widgets
from impress_ui.ui.gathered import knobs_from
from impress_ui.ui.layout import build_page
from impress_ui.ui.progress import Clock, estimate, work_of
from impress_ui.ui.public import Host
from impress_ui.ui.record import Edit, Record
from impress_ui.ui.rooms.edit import views as edit_views
from impress_ui.ui.rooms.story.compare import figures, shown_instead
from impress_ui.ui.sessions import drop_state
from training.captions import STYLE_PHRASES, SUBJECTS, canonical


@pytest.fixture(scope="module")
def demo() -> gr.Blocks:
    return build_app()


def test_every_picture_component_is_lossless(demo: gr.Blocks) -> None:
    pictures = [
        b for b in demo.blocks.values() if isinstance(b, gr.Image | gr.ImageSlider | gr.ImageEditor | gr.Gallery)
    ]
    assert len(pictures) >= 16
    assert {picture.format for picture in pictures} == {"png"}


def test_every_setting_has_a_knob_that_starts_at_its_default() -> None:
    with gr.Blocks():
        page = build_page()
    assert set(SECTIONS) == set(JobSettings.model_fields) - {"version"}
    for section, model in SECTIONS.items():
        assert set(model.model_fields) == set(page.section(section))
    assert job_from_widgets(page, {widget: widget.value for widget in page.knobs.values()}) == JobSettings()


def test_a_knob_that_its_widget_would_refuse_is_told_by_the_settings_and_only_where_it_counts() -> None:
    with gr.Blocks():
        page = build_page()
    number = {knob: place for place, knob in enumerate(page.knobs.values())}

    def job(**changed: object) -> JobSettings:
        held = [knob.value for knob in page.knobs.values()]
        for name, value in changed.items():
            held[number[page.knobs[tuple(name.split("__"))]]] = value
        return job_from_widgets(page, knobs_from(page, {page.gathered: json.dumps(held)}))

    assert job() == JobSettings() and job(protect__budget=7).protect.budget == 7
    with pytest.raises(UserError, match=r"Budget.* is empty"):
        job(protect__budget=None)
    with pytest.raises(ValidationError, match="less than or equal to 255"):
        job(protect__budget=500)
    assert "cap" not in ProtectSettings.fields_of["photoguard-encoder"]
    assert job(protect__cap=None, purify__jpeg_quality=900) == JobSettings()  # other methods'
    assert job(protect__beta=-5, protect__draws=None) == JobSettings()  # nothing needs them
    assert job(protect__beta=7, protect__budget=3).protect.beta == 7  # kept for when something does
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        job(protect__beta=-5, protect__adaptive="consistency")


def test_a_protection_shows_its_own_knobs_only() -> None:
    with gr.Blocks():
        page = build_page()
    knobs = page.section("protect")
    values = {widget: widget.value for widget in knobs.values()}
    # With what else stands there they change nothing.
    idle = {"draws", "beta", "unrolled_steps", "l2_radius", "l2_step", "attacked_guidance"}
    shown = {name for name, widget in knobs.items() if widget.visible}
    assert shown == {"method", *ProtectSettings.fields_of["photoguard-encoder"]} - idle and not page.target_area.visible
    for method, fields in ProtectSettings.fields_of.items():
        updates = forms.chosen(page, "protect", "method", values | {knobs["method"]: method})
        after = {name: updates[widget] for name, widget in knobs.items() if widget in updates}
        assert {"method", *after} == set(ProtectSettings.model_fields)
        assert {name for name, update in after.items() if update["visible"]} == set(fields) - idle
        assert after["steps"]["value"] == ProtectSettings(method=method).steps
        assert updates[page.target_area]["visible"] is False  # of a picture only: below


@pytest.mark.parametrize(
    ("section", "held", "shown", "hidden"),
    [
        ("protect", {"norm": "l2"}, {"l2_radius", "l2_step"}, {"budget", "step_size"}),
        ("protect", {"norm": "linf"}, {"budget", "step_size"}, {"l2_radius", "l2_step"}),
        ("protect", {"robust_to": ["jpeg"]}, {"draws"}, set()),
        ("protect", {"robust_to": []}, set(), {"draws"}),
        ("protect", {"adaptive": "loss"}, {"beta"}, {"unrolled_steps"}),
        ("protect", {"method": "photoguard-diffusion", "attacked_prompt": "a dog"}, {"attacked_guidance"}, set()),
        ("protect", {"method": "photoguard-diffusion", "attacked_prompt": None}, set(), {"attacked_guidance"}),
        ("protect", {"method": "glaze", "norm": "l2"}, set(), {"budget", "l2_radius"}),
        ("protect", {"target": "image"}, {"target"}, set()),
        ("purify", {"start": "jpeg"}, {"start_quality"}, set()),
        ("purify", {"consistency_weight": 0}, set(), {"consistency_norm"}),
        ("edit", {"mode": "inpaint"}, {"paste_back"}, set()),
        ("mimic", {"tuning": "whole"}, set(), {"rank"}),
    ],
)
def test_a_knob_that_changes_nothing_is_hidden(
    section: str, held: dict[str, object], shown: set[str], hidden: set[str]
) -> None:
    with gr.Blocks():
        page = build_page()
    knobs = page.section(section)
    values = {widget: widget.value for widget in knobs.values()} | {knobs[name]: one for name, one in held.items()}
    updates = forms.counting(page, section, values)
    if section == "protect":
        assert updates[page.target_area]["visible"] == (held.get("target") == "image")
    visible = {name for name, widget in knobs.items() if updates.get(widget, {"visible": widget.visible})["visible"]}
    assert shown <= visible and not hidden & visible


def test_sliders_stand_on_their_grid() -> None:
    assert on_grid(1e-5, 0.001) == 0.001 and on_grid(0, 0.01) == 0 and on_grid(1, 1) == 1 and on_grid(64, 8) == 64
    slider = knob(PurifySettings, "learning_rate")
    assert isinstance(slider, gr.Slider) and slider.minimum == 0.001
    assert isinstance(knob(RunSettings, "seed"), gr.Number)
    assert isinstance(knob(PurifySettings, "keep_best"), gr.Checkbox)


def test_a_recipe_gives_the_published_values() -> None:
    paper = PurifySettings.chosen_values("paper")
    assert paper["steps"] == 3000 and paper["adam_eps"] == 1e-5 and paper["keep_best"] is False
    assert PurifySettings.chosen_values("fast")["steps"] == PurifySettings().steps


def test_a_public_host_keeps_to_its_own_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = {"run": {"checkpoint": "/somewhere"}}
    assert forms.job_from_json(elsewhere).run.checkpoint == "/somewhere"
    monkeypatch.setattr(forms, "HOST", Host("0.0.0.0"))
    with pytest.raises(UserError, match="one of its list \\(embedded\\)"):
        forms.job_from_json(elsewhere)


@pytest.mark.parametrize(
    ("there", "chosen", "shown"),
    [
        ("original protected purified", ("original", "purified"), ("original", "purified")),
        ("original protected", ("original", "purified"), ("original", "protected")),
        ("original protected", ("protected", "purified"), ("protected", "purified")),  # not two of one picture
        ("protected purified", ("original", "purified"), ("protected", "purified")),
        ("protected purified", ("original", "protected"), ("original", "protected")),
        ("protected purified", ("original", "cleaned"), ("protected", "cleaned")),
    ],
)
def test_a_pair_that_is_not_there_yet_shows_the_protected_picture_once(
    there: str, chosen: tuple[str, str], shown: tuple[str, str]
) -> None:
    record = Record(files={name: f"{name}.png" for name in there.split()})
    assert shown_instead(record, *chosen) == shown
    assert record.unknown_original is ("original" not in there) and not Record().unknown_original


def test_figures_name_what_is_not_there() -> None:
    assert "not there: Purified<" in figures(None, missing=["Purified", "Purified"])
    assert "once both pictures are there" in figures(None)


def test_text_from_outside_is_escaped() -> None:
    shown = views.notes(["<script>"]) + views.status("x", "<script>", machine="<script>") + figures(None)
    assert "<script>" not in shown


CLEAN = None  # the original's edit has no measures of its own


@pytest.mark.parametrize(
    ("edits", "told"),
    [
        ({"protected": None, "purified": None}, "no clean edit to compare with"),
        ({"original": CLEAN}, "edit of the original alone"),
        ({"original": CLEAN, "protected": (0.31, 0.5)}, "SSIM 0.31 to the clean edit. There is no edit of a purified"),
        (
            {"original": CLEAN, "protected": (0.31, 0.5), "purified": (0.74, 0.2)},
            "SSIM 0.31 to the clean edit; after purifying 0.74: 62% of the gap is closed.",
        ),
        (
            {"original": CLEAN, "protected": (0.5, 0.2), "purified": (0.6, 0.3)},
            "20% of the gap is closed (LPIPS says otherwise: 0.20 before, 0.30 after)",
        ),
        ({"original": CLEAN, "protected": (0.5, 0.2), "purified": (0.4, 0.3)}, "0.40: the purification made it worse."),
        ({"original": CLEAN, "protected": (0.5, 0.2), "purified": (0.5, 0.2)}, "restored nothing."),
        (
            {"original": CLEAN, "protected": (0.99, 0.0), "purified": (0.9, 0.1)},
            "hardly changed the edit: SSIM 0.99 to the clean edit, so there is little to restore; after purifying 0.90",
        ),
    ],
)
def test_the_verdict_says_what_the_numbers_say(edits: dict, told: str) -> None:
    measures = {name: pair and {"ssim": pair[0], "lpips": pair[1]} for name, pair in edits.items()}
    assert told in edit_views.sentence(measures)
    assert told in edit_views.sentence(measures, stopped=True, pasted=True)


def test_the_verdict_names_what_else_the_numbers_hold() -> None:
    edits = {"original": None, "protected": {"ssim": 0.5, "lpips": 0.2}}
    told = edit_views.sentence(edits, stopped=True, pasted=True)
    assert told.startswith("At the step where it was stopped") and "Outside the mask" in told


def test_edits_outlive_their_picture_but_say_so() -> None:
    edit = Edit("edit.png", source="first.png", measures={"ssim": 0.5, "psnr": None, "lpips": 0.1})
    fresh = Record(files={"protected": "first.png"}, edits={"protected": edit})
    assert fresh.path("edit(protected)") == "edit.png" and "0.500" in edit_views.caption("protected", fresh)
    assert "∞" in edit_views.caption("protected", fresh) and "before the last run" not in edit_views.verdict(fresh)
    later = Record(files={"protected": "second.png"}, edits={"protected": edit})
    assert later.path("edit(protected)") is None
    assert "before the last run" in edit_views.caption("protected", later)
    assert "before the last run" in edit_views.verdict(later)


def test_the_embedded_model_knows_the_words_that_the_page_names() -> None:
    assert set(prompts.STYLES) == set(STYLE_PHRASES)
    known = " ".join(phrase for phrases in SUBJECTS.values() for phrase in phrases)
    assert all(subject in known for subject in prompts.SUBJECTS)
    sentences = {canonical(subject, style) for subject in SUBJECTS for style in STYLE_PHRASES}
    assert {*prompts.EDIT_EXAMPLES, *prompts.GENERATE_EXAMPLES} <= sentences


def test_each_method_has_a_pace_of_its_own() -> None:
    encoder = JobSettings()
    diffusion = encoder.updated(protect={"method": "photoguard-diffusion", "attacked_steps": 4, "repetitions": 4})
    size = (7, 11)
    clock = Clock(work_of("protect", encoder, size))
    clock.at(0, 10, last=False)
    clock.at(10, 10, last=True)
    assert estimate(work_of("protect", encoder, size), 10) is not None
    assert estimate(work_of("protect", diffusion, size), 10) is None
    dearer = diffusion.updated(protect={"repetitions": 8})
    assert work_of("protect", dearer, size).amount == 2 * work_of("protect", diffusion, size).amount
    plain = encoder.updated(edit={"guidance": 1})
    assert work_of("edit", encoder, size, 3).amount == 6 * work_of("edit", plain, size).amount


def test_what_gradio_keeps_of_a_closed_page_goes_with_it(demo: gr.Blocks) -> None:
    holder = StateHolder()
    holder.set_blocks(demo)
    assert holder["leaving"] and holder["staying"]
    drop_state(demo, "leaving")
    drop_state(demo, "never there")
    assert list(holder.session_data) == list(holder.time_last_used) == ["staying"]
