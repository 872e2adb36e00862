"""The runs of a session, two of them in one plot, and a run as a zip."""

from __future__ import annotations

import base64
import csv
import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
from PIL import Image

from impress_ui.jobs import documents
from impress_ui.jobs.archive import losses_csv, write_zip
from impress_ui.settings import JobSettings, ProtectSettings
from impress_ui.settings.presets import EXAMPLES, PRESETS
from impress_ui.ui import views
from impress_ui.ui.forms import job_from_widgets, widgets_of
from impress_ui.ui.layout import build_page
from impress_ui.ui.record import Record
from impress_ui.ui.rooms.history import views as history_views
from impress_ui.ui.rooms.history.report import write_report
from impress_ui.ui.rooms.history.runs import MOST, Histories, PastRun

ROW = {"name": "purified", "control": False, "round_trip_error": 0.0123, "against_original": {"ssim": 0.8125}}


def run_of(budget: int, values: list[float], **more: object) -> PastRun:
    job = JobSettings().updated(protect={"budget": budget})
    return PastRun(
        "Protect", job, Record(), f"<b>{budget}", {"latent distance": values}, {"latent distance": 9}, **more
    )


def test_sessions_keep_their_own_runs_the_newest_first_and_not_for_ever() -> None:
    histories = Histories()
    for number in range(MOST + 3):
        assert histories.add("a", run_of(8, [1.0])).number == number + 1
    histories.add("b", run_of(9, [1.0]))
    numbers = [run.number for run in histories.runs("a")]
    assert numbers == list(range(MOST + 3, 3, -1)) and histories.find("a", 2) is None
    assert histories.find("b", 1).job.protect.budget == 9 and histories.find("b", None) is None
    histories.forget("a")
    assert histories.runs("a") == [] and len(histories.runs("b")) == 1


def test_two_runs_share_a_plot_and_what_differs_is_told() -> None:
    first = run_of(8, [4.0, 2.0, 1.0], number=1)
    second = run_of(5, [8.0, 3.0], number=2, room="story")
    shown = history_views.compared(first, second)
    assert shown.count("<svg") == 1 and shown.count("<polyline") == 4
    assert 'class="line line-latent-distance other"' in shown and "run 2" in shown
    assert "protect.budget" in shown and "<td>8</td><td>5</td>" in shown
    assert "<b>8" not in shown and "&lt;b&gt;8" in shown  # escaped
    alone = history_views.compared(first, None)
    assert alone.count("<polyline") == 2 and "other" not in alone.replace("another", "")
    assert history_views.compared(None, None) == history_views.NONE_YET
    measured = PastRun("Purify", JobSettings(), Record(rows=[ROW]), "done", number=3)
    assert "0.812" in history_views.compared(measured, None) and "0.01230" in history_views.compared(measured, None)
    assert "set alike" in history_views.compared(measured, PastRun("Edit", JobSettings(), Record(), "", number=4))


def test_a_report_needs_nothing_else_and_escapes_what_it_is_told(tmp_path: Path) -> None:
    with gr.Blocks():
        page = build_page()
    Image.new("RGB", (4, 4), "red").save(tmp_path / "a.png")
    run = run_of(8, [2.0, 1.0], shown={page.curves._id: "<svg id='drawn'></svg>", page.status._id: "<p>status</p>"})
    run = replace(run, record=Record(files={"protected": str(tmp_path / "a.png")}), told="<script>1</script>")
    text = write_report(tmp_path / "report.html", run, page).read_text()
    assert "<svg id='drawn'>" in text and "status</p>" not in text and "protect.budget = 8" in text
    assert "<script" not in text and not re.search(r"""(src|href)=["'](?!data:)|url\((?!data:)""", text)
    packed = re.search(r'src="data:image/png;base64,([^"]+)"', text).group(1)
    assert Image.open(io.BytesIO(base64.b64decode(packed))).getpixel((0, 0)) == (255, 0, 0)
    gallery = replace(run, shown={page.rooms["generate"].gallery._id: [(str(tmp_path / "a.png"), "seed 7")]})
    assert "<figcaption>seed 7</figcaption>" in write_report(tmp_path / "report.html", gallery, page).read_text()


def test_a_status_line_gives_its_words_back() -> None:
    assert views.text_of(views.status("Done", "it's <so> & done", "done")) == "it's <so> & done"
    assert views.text_of("") == ""
    assert "2 jobs are before" in views.waiting(2, 3.0) and "one job is before" in views.waiting(1, 3.0)


def test_a_zip_says_how_to_make_its_run_again(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"bytes as they are")
    job = JobSettings().updated(run={"seed": 6}, protect={"budget": 3})
    path = write_zip(
        tmp_path / "run.zip", "A run", job, {"pictures/a.png": picture}, curves={"x": [1.5, 0.5], "y": [2.0]},
        measures=[{"ssim": 0.5}],
    )  # fmt: skip
    with zipfile.ZipFile(path) as archive:
        assert set(archive.namelist()) == {
            "README.txt", "settings.json", "losses.csv", "measures.json", "pictures/a.png",
        }  # fmt: skip
        assert archive.read("pictures/a.png") == picture.read_bytes()
        assert documents.from_json(archive.read("settings.json").decode(), "it") == job
        readme = archive.read("README.txt").decode()
        link = next(line.split()[1] for line in readme.splitlines() if line.strip().startswith("link"))
        assert documents.read_settings(link) == job and "seed 6" in readme
        assert list(csv.reader(io.StringIO(archive.read("losses.csv").decode()))) == [
            ["step", "x", "y"], ["0", "1.5", "2.0"], ["1", "0.5", ""],
        ]  # fmt: skip
    assert losses_csv({"x": [1.0]}, 1) == "step,x\n1,1.0\n"


JOBS = {
    **{name: preset.applied_to(JobSettings()) for name, preset in PRESETS.items()},
    **{name: example.job for name, example in EXAMPLES.items()},
    **{method: JobSettings().updated(protect={"method": method}) for method in ProtectSettings.fields_of},
    "chain": JobSettings().updated(purify={"method": "chain", "chain": "jpeg 25, then paper steps=9"}),
    "stress": JobSettings().updated(stress={"purifiers": "jpeg 25, jpeg 40 then fast"}, edit={"mode": "inpaint"}),
}


def test_restored_knobs_stand_for_the_settings_and_show_the_picked_method_s_own() -> None:
    with gr.Blocks():
        page = build_page()
    for name, job in JOBS.items():
        updates = widgets_of(page, job)
        values = {widget: updates[widget]["value"] for widget in page.knobs.values()}
        assert job_from_widgets(page, values) == job, name
        shown = {
            field
            for (section, field), widget in page.knobs.items()
            if section == "protect" and updates[widget]["visible"]
        }
        own = ProtectSettings.fields_of[job.protect.method]
        assert shown == {"method", *(field for field in own if not job.protect.lacks(field))}
        assert updates[page.target_area]["visible"] == (job.protect.target == "image" and "target" in own)
        assert updates[page.impress_knobs]["visible"] == (job.purify.method == "impress")


def test_a_seed_is_drawn_within_its_range() -> None:
    from impress_ui.settings import RunSettings
    from impress_ui.ui.lifecycle import SEEDS

    most = RunSettings.describe("seed")["maximum"]
    assert most >= SEEDS - 1 + 200
    with pytest.raises(ValueError):
        JobSettings().updated(run={"seed": most + 1})
