"""Settings that go out of the page and come back, and the runs that it remembers."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Page, expect

from impress_ui.jobs import documents
from impress_ui.pictures.images import read_metadata
from impress_ui.settings import JobSettings
from impress_ui.settings.presets import PRESETS
from tests.browser.hands import (
    begin,
    choose,
    clear,
    download,
    end_of_run,
    enter,
    make_quick,
    put,
    run,
    unfold,
    upload,
    without_check,
)

expect.set_options(timeout=30_000)
LEFT_IN_SIGHT = """() => {
  const image = document.querySelector("#blind-left img");
  const box = image?.getBoundingClientRect();
  const there = box?.height ? document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) : null;
  return Boolean(there?.closest("#blind-left")) && image.complete && image.naturalWidth > 0;
}"""


TWICE = """() => ["ArrowLeft", "ArrowRight"].forEach((key) =>
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })))"""


@pytest.fixture
def asked(page: Page) -> list[str]:
    """The jobs that the page asks the server for; named before ``opened``, from its opening on."""
    jobs: list[str] = []
    page.on("request", lambda request: jobs.append(request.url) if "queue/join" in request.url else None)
    return jobs


def press(page: Page, button: str) -> None:
    unfold(page, button)
    page.click(f"#{button}")


def value_of(page: Page, knob: str) -> str:
    unfold(page, knob)
    return page.locator(f"#{knob} input[type=number]").input_value()


def open_page(page: Page, url: str) -> tuple[Page, list[str], list[str]]:
    """Another tab: the jobs that it asks the server for, and what its scripts complain about."""
    other, asked, failures = page.context.new_page(), [], []
    other.on("request", lambda request: asked.append(request.url) if "queue/join" in request.url else None)
    other.on("pageerror", lambda error: failures.append(str(error)))
    other.on("console", lambda said: failures.append(said.text) if said.type == "error" else None)
    other.goto(url)
    other.wait_for_selector("#run-both")
    return other, asked, failures


def import_file(page: Page, file: Path) -> None:
    unfold(page, "import")
    with page.expect_file_chooser() as chosen:
        page.click("#import")
    chosen.value.set_files(file)


def save(page: Page, button: str, to: Path) -> Path:
    unfold(page, button.removeprefix("#"))
    with page.expect_download() as caught:
        page.click(button)
    path = to / caught.value.suggested_filename
    caught.value.save_as(path)
    return path


def test_settings_go_out_as_a_link_and_as_a_file_and_come_back(asked: list[str], opened: Page, tmp_path: Path) -> None:
    opened.wait_for_timeout(1000)
    assert value_of(opened, "protect-budget") == "16" and asked == []  # an ordinary page asks for nothing
    default = value_of(opened, "purify-steps")
    put(opened, "protect-budget", 9)
    choose(opened, "purify-recipe", "paper (editing)")
    expect(opened.locator("#purify-steps input[type=number]")).to_have_value("1000")
    press(opened, "copy-link")
    expect(opened).to_have_url(re.compile(r"protect\.budget=9"))
    link = opened.url
    assert documents.from_link(link) == JobSettings().updated(protect={"budget": 9}, purify={"recipe": "paper-editing"})
    linked, asked_by_link, failures = open_page(opened, link)
    expect(linked.locator("#protect-budget input[type=number]")).to_have_value("9")
    expect(linked.locator("#purify-steps input[type=number]")).to_have_value("1000")
    expect(linked.locator("#purify-recipe input")).to_have_value("paper (editing)")
    assert asked_by_link and failures == []
    linked.close()

    # A preset keeps the seed.
    unfold(opened, "protect-steps")
    put(opened, "run-seed", 12)
    choose(opened, "preset", "Paper, style")
    expect(opened.locator("#protect-method input")).to_have_value(re.compile("GLAZE"))
    expect(opened.locator("#protect-steps input[type=number]")).to_have_value("500")
    expect(opened.locator("#purify-steps input[type=number]")).to_have_value("3000")
    expect(opened.locator("#protect-perceptual_budget")).to_be_visible()
    assert value_of(opened, "run-seed") == "12"

    put(opened, "protect-steps", 77)
    file = save(opened, "#export", tmp_path)
    preset = PRESETS["paper-style"].applied_to(JobSettings().updated(run={"seed": 12}))
    assert documents.read_settings(file) == preset.updated(protect={"steps": 77})
    choose(opened, "preset", "Default")
    expect(opened.locator("#protect-steps input[type=number]")).to_have_value("40")
    expect(opened.locator("#purify-steps input[type=number]")).to_have_value(default)
    expect(opened.locator("#protect-perceptual_budget")).to_be_hidden()
    import_file(opened, file)
    expect(opened.locator("#protect-steps input[type=number]")).to_have_value("77")
    expect(opened.locator("#protect-perceptual_budget")).to_be_visible()
    expect(opened.locator("#protect-budget")).to_be_hidden()
    hostile = tmp_path / "hostile.json"
    hostile.write_text(json.dumps({"protect": {"bugdet": 1, "steps": 1e99}}))
    import_file(opened, hostile)
    expect(opened.locator(".toast-body").last).to_contain_text("no setting named protect.bugdet")
    assert value_of(opened, "protect-steps") == "77"


def test_runs_are_remembered_compared_restored_and_packed_and_pictures_bring_their_settings(
    opened: Page, app_url: str, photo: Path, tmp_path: Path
) -> None:
    upload(opened, photo)
    make_quick(opened)
    without_check(opened)
    put(opened, "protect-budget", 11)
    unfold(opened, "new-seed")
    opened.locator("#new-seed input").check()
    run(opened)
    seed = int(value_of(opened, "run-seed"))
    assert seed > 0
    purified = a_picture_tells_how_it_was_made(opened, seed, tmp_path)
    first = opened.locator("#pane-protected img").get_attribute("src")
    put(opened, "protect-budget", 5)
    put(opened, "protect-steps", 4)
    begin(opened)
    opened.locator("#reconstruction-of label").first.click()  # while it runs: what is asked for in the end is shown
    end_of_run(opened)
    expect(opened.locator("#run-both")).to_be_enabled()
    expect(opened.locator("#pane-reconstructed img")).to_have_attribute("src", re.compile("reconstruction-of-original"))
    second = opened.locator("#pane-protected img").get_attribute("src")
    assert first != second
    before = figures_of_the_pair(opened)
    two_runs_are_compared(opened)
    two_runs_are_compared_blind(opened)
    choose(opened, "past", re.compile(r"^1 · "))  # not a clock that says so
    opened.click("#past-restore")
    expect(opened.locator("#room-story-button")).to_have_attribute("aria-selected", "true")
    expect(opened.locator("#protect-budget input[type=number]")).to_have_value("11")
    expect(opened.locator("#protect-steps input[type=number]")).to_have_value("6")
    expect(opened.locator("#pane-protected img")).to_have_attribute("src", first)
    assert opened.locator("#curves .own-scale .line-latent-distance").get_attribute("points").count(",") == 7
    assert figures_of_the_pair(opened) != before  # of the restored run's pictures
    expect(opened.locator("#reconstruction-of label.selected")).to_have_text("Protected")
    a_run_is_packed(opened, tmp_path)
    blind_answers_outlive_what_else_happens(opened, tmp_path)

    # A link that is not valid leaves another page as it is; a picture brings its settings there, an example too.
    other, _, failures = open_page(opened, f"{app_url}?protect.budget=4000&__theme=dark")
    expect(other.locator(".toast-body")).to_contain_text("protect.budget is not valid")
    assert value_of(other, "protect-budget") == "16" and failures == []
    upload(other, purified)
    expect(other.locator("#notes")).to_contain_text("brought its settings along")
    assert value_of(other, "protect-budget") == "11" and value_of(other, "run-seed") == str(seed)
    assert value_of(other, "purify-steps") == "5"
    clear(other)
    other.locator("#examples button").nth(1).click()
    expect(other.locator("#protect-method input")).to_have_value(re.compile("GLAZE"))
    expect(other.locator("#upload img")).to_be_visible()
    assert failures == []


def figures_of_the_pair(page: Page) -> str:
    """SSIM of the compared pair, which is that of the table once the comparison has followed the pictures."""
    rounded = "([a, b]) => Math.abs(document.querySelector(a).innerText - document.querySelector(b).innerText) < 6e-4"
    page.wait_for_function(rounded, arg=["tr.row-purified td", "#figures dd"])
    return page.inner_text("#figures dd")


def a_picture_tells_how_it_was_made(page: Page, seed: int, folder: Path) -> Path:
    expect(page.locator("#run-status .machine")).to_contain_text(f"seed {seed}")
    purified = download(page, "pane-purified", folder)
    told = read_metadata(purified)
    assert told["seed"] == told["settings"]["run"]["seed"] == seed and len(told["checkpoint"]["sha256"]["vae"]) == 64
    assert told["versions"]["torch"] and told["steps_done"] == 5
    shown = page.locator("tr.row-purified td").all_inner_texts()
    assert f"{told['measures']['against_original']['ssim']:.3f}" == shown[0]
    return purified


def two_runs_are_compared(page: Page) -> None:
    enter(page, "history")
    view = page.locator("#past-view")
    expect(view).to_contain_text("protect.budget")
    expect(view.locator(".own-scale .line-latent-distance")).to_have_count(2)
    expect(view.locator(".own-scale .line-latent-distance.other")).to_have_count(1)
    lines = view.locator(".own-scale .line-latent-distance").all()
    assert [line.get_attribute("points").count(",") for line in lines] == [5, 7]
    expect(view).to_contain_text("Run 1, purified")


def two_runs_are_compared_blind(page: Page) -> None:
    put(page, "blind-times", 2)
    page.click("#blind-begin")
    expect(page.locator("#blind-asked")).to_contain_text("question 1 of 2")
    pictures = page.locator("#blind-pictures img")
    expect(pictures).to_have_count(3)
    assert [image.get_attribute("src").split("/")[-1] for image in pictures.all()] == [
        "left.png", "original.png", "right.png",
    ]  # fmt: skip
    page.wait_for_function(LEFT_IN_SIGHT)  # the keys are taken from then on
    page.evaluate(TWICE)  # the next question is not there yet when the second comes
    expect(page.locator("#blind-asked")).to_contain_text("question 2 of 2")


def blind_answers_outlive_what_else_happens(page: Page, folder: Path) -> None:
    """A run was restored, and other rooms were looked at."""
    enter(page, "history")
    expect(page.locator("#blind-asked")).to_contain_text("question 2 of 2")
    page.click("#blind-say-original")
    expect(page.locator("#blind-result")).to_contain_text("2 answers")
    rows = list(csv.DictReader(save(page, "#blind-csv", folder).read_text().splitlines()))
    assert [row["answer"] for row in rows] == ["left", "no difference"]
    assert {rows[0]["left"], rows[0]["right"]} == {"run 1, protected", "run 2, protected"}
    assert rows[0]["left"] == rows[1]["right"] and float(rows[0]["seconds"]) > 0


def a_run_is_packed(page: Page, folder: Path) -> None:
    enter(page, "history")
    archive = save(page, "#past-zip", folder)
    with zipfile.ZipFile(archive) as packed:
        names = set(packed.namelist())
        pictures = {"original.png", "protected.png", "purified.png", "reconstruction-of-purified.png"}
        assert {*pictures, "README.txt", "settings.json", "losses.csv", "measures.json"} <= names
        job = documents.from_json(packed.read("settings.json").decode(), "it")
        assert job.protect.budget == 11 and job.protect.steps == 6
        rows = list(csv.DictReader(io.StringIO(packed.read("losses.csv").decode())))
        assert len(rows) == 7 and float(rows[6]["latent distance"]) > 0 and rows[6]["total"] == ""
        readme = packed.read("README.txt").decode()
        assert "--settings settings.json" in readme and documents.to_query(job) in readme
        packed.extract("purified.png", folder)
    assert read_metadata(folder / "purified.png")["measures"]["round_trip_error"] > 0
    report = save(page, "#past-report", folder).read_text()
    assert report.count("data:image/png") >= 4 and "line-latent-distance" in report and "protect.steps = 6" in report
    enter(page, "story")
    assert save(page, "#run-zip", folder).name == "impress-run.zip"
