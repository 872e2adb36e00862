"""A checkpoint on its way from the hub: what is told of it, what is fetched, and how it is stopped."""

from __future__ import annotations

import fnmatch
import itertools
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.file_download import is_xet_available

from impress_ui.cli.downloads import teller
from impress_ui.cli.report import log
from impress_ui.errors import UserError
from impress_ui.jobs.fetching import fetched, needs_whole
from impress_ui.models import fetching, hub_parts
from impress_ui.models.checkpoints import find_source
from impress_ui.models.diffusion_model import load_diffusion_model
from impress_ui.models.fetching import Fetching, Unwanted, never
from impress_ui.models.hub_catalogue import HUB, SD, HubCheckpoint
from impress_ui.models.part_kinds import PARTS
from impress_ui.paths import ROOT
from impress_ui.settings import JobSettings
from impress_ui.ui import api, views
from impress_ui.ui.app import build_app
from impress_ui.ui.lifecycle import FETCHED
from impress_ui.ui.page import DEVICE, built_page
from impress_ui.ui.record import Record
from impress_ui.ui.rooms.history.runs import HISTORIES
from impress_ui.ui.rooms.story.run import PageRun
from tests.unit.little_hub import little_hub
from tests.unit.small_checkpoints import save_sd

REPO = "somebody/small"
JOB = JobSettings().updated(run={"checkpoint": REPO, "device": "cpu"}, edit={"prompt": "sea"})


@pytest.fixture(scope="module")
def sd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = save_sd(tmp_path_factory.mktemp("hub") / "sd")
    (folder / "pickled.ckpt").write_bytes(b"\x80" * 100)
    return folder


def test_bytes_are_told_while_they_come(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sd: Path) -> None:
    heard: list[Fetching] = []
    monkeypatch.setattr(fetching, "LISTENERS", [heard.append])
    size = (sd / "vae/config.json").stat().st_size + (sd / "vae/diffusion_pytorch_model.safetensors").stat().st_size
    with little_hub(monkeypatch, tmp_path, sd, REPO, pause=0.02) as asked:
        seen = list(fetched(JOB, ("purify",), interval=0.03))
        assert {step.part for step in seen} == {"vae"}
        assert sorted(asked) == ["vae/config.json", "vae/diffusion_pytorch_model.safetensors"]
        known = [step for step in seen if step.total == size]
        assert len({step.done for step in known}) > 3
        assert all(a.done <= b.done for a, b in itertools.pairwise(seen))
        assert heard[-1] == Fetching(REPO, "vae", size, size) and heard[-1].share == 1
        assert fetching.on_its_way((REPO,)) is None
        assert list(fetched(JOB, ("purify",))) == []  # it is in the cache now
    line = views.fetching(known[-1])
    assert "Fetching" in line and f"the autoencoder of {REPO}: " in line and "MB" in line and "aria-valuenow" in line


def test_what_a_job_needs_is_there_before_it_begins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sd: Path) -> None:
    with little_hub(monkeypatch, tmp_path, sd, REPO) as asked:
        parts = {step.part for step in fetched(JOB, ("edit",), interval=0.001)}
        assert "unet" in parts and not any(name.endswith(".ckpt") for name in asked)
        count = len(asked)
        assert load_diffusion_model(JOB.run).family == "sd" and len(asked) == count


def test_the_page_and_the_api_tell_it_before_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sd: Path, photo: Path
) -> None:
    monkeypatch.setattr("impress_ui.jobs.fetching.LOOK", 0.02)
    build_app()
    page = built_page()
    values = {knob: knob.value for knob in page.knobs.values()} | {
        page.record: Record(), page.upload: str(photo), page.mask: {"layers": []}, page.target: None,
        page.reconstruction_of: "protected", page.new_seed: False, page.knobs["run", "checkpoint"]: REPO,
        page.knobs["purify", "method"]: "round-trip",
    }  # fmt: skip
    with little_hub(monkeypatch, tmp_path / "page", sd, REPO, pause=0.01):
        updates = list(PageRun(page, values, "fetching", "purify").updates())
    HISTORIES.forget("fetching")
    told = [str(update.get(page.status)) for update in updates]
    lines = [line for line in told if f"the autoencoder of {REPO}" in line]
    assert len(lines) > 1 and all(">Fetching<" in line for line in lines) and "Done" in told[-1]
    assert told.index(lines[-1]) < next(at for at, line in enumerate(told) if "Measuring" in line)
    with little_hub(monkeypatch, tmp_path / "stopped", sd, REPO, pause=0.02):
        run = PageRun(page, values, "fetching", "purify")
        for update in run.updates():
            told = str(update.get(page.status, ""))
            if "Fetching" in told:
                run.own.stop()
        assert FETCHED in told
        ended()
    HISTORIES.forget("fetching")
    with little_hub(monkeypatch, tmp_path / "api", sd, REPO, pause=0.01):
        settings = {"run": {"checkpoint": REPO}, "purify": {"method": "round-trip"}}
        reports = [
            report for _, report in api.purify(str(photo), settings, None, SimpleNamespace(session_hash="caller"))
        ]
    phases = [report for report in reports if report.get("phase") == "Fetching"]
    assert phases[-1]["part"] == "vae" and 0 < phases[-1]["bytes"] <= phases[-1]["of"]
    assert reports[-1]["measures"]["round_trip_error"] > 0 and reports.index(phases[-1]) < len(reports) - 1


def test_a_stopped_download_ends_and_a_later_is_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sd: Path
) -> None:
    with little_hub(monkeypatch, tmp_path, sd, REPO, pause=0.02) as asked:
        seen: list[Fetching] = []
        for step in fetched(JOB, ("edit",), lambda: len(seen) > 2, interval=0.02):
            seen.append(step)
        ended()
        assert seen[-1].share != 1 and "unet/diffusion_pytorch_model.safetensors" not in asked
        assert not list(tmp_path.rglob("snapshots/*/vae/*.safetensors"))
        list(fetched(JOB, ("purify",), interval=0.02))
        assert find_source(REPO).part("vae").class_name == "AutoencoderKL"


def test_two_who_want_the_same_fetch_it_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sd: Path) -> None:
    other: list[Fetching] = []
    with little_hub(monkeypatch, tmp_path, sd, REPO, pause=0.01) as asked:
        second = threading.Thread(target=lambda: other.extend(fetched(JOB, ("purify",), interval=0.02)))
        steps = fetched(JOB, ("purify",), interval=0.02)
        next(steps)
        second.start()
        list(steps)
        second.join(20)
    assert asked.count("vae/diffusion_pytorch_model.safetensors") == 1 and other


def ended() -> None:
    """Every thread that fetches comes to its end soon."""
    for thread in [each for each in threading.enumerate() if each.name == "fetch"]:
        thread.join(10)
        assert not thread.is_alive()


def test_who_leaves_ends_the_download(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sd: Path) -> None:
    with little_hub(monkeypatch, tmp_path, sd, REPO, pause=0.02) as asked:
        steps = fetched(JOB, ("edit",), interval=0.02)
        next(steps)
        steps.close()
        ended()
    assert "unet/diffusion_pytorch_model.safetensors" not in asked


def test_one_of_two_stops_and_the_other_gets_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sd: Path) -> None:
    with little_hub(monkeypatch, tmp_path, sd, REPO, pause=0.02) as asked:
        first, second = (fetched(JOB, ("purify",), interval=0.02) for _ in range(2))
        next(first)
        next(second)
        while len(fetching._wanting[REPO]) < 2:
            next(second)
        first.close()
        list(second)
        assert asked.count("vae/diffusion_pytorch_model.safetensors") == 1
        assert find_source(REPO).part("vae").class_name == "AutoencoderKL"
        ended()
    assert not fetching._wanting[REPO]


def test_who_waits_for_another_s_download_can_stop_and_a_crowd_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    assert DEVICE["concurrency_limit"] > fetching.MOST_FETCHING
    looks = iter((False, True))
    with fetching.alone(REPO, never):
        with pytest.raises(Unwanted), fetching.alone(REPO, lambda: next(looks)):
            pass
        monkeypatch.setattr(fetching, "MOST_FETCHING", 1)
        with pytest.raises(UserError, match="1 jobs are waiting"), fetching.alone("somebody/else", never):
            pass
    with fetching.alone("somebody/else", never) as unwanted:
        assert not unwanted()


def test_xet_which_swallows_a_stop_is_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sd: Path) -> None:
    off, fetch = [], huggingface_hub.snapshot_download
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", False)

    def looked(*given: Any, **options: Any) -> str:
        if "tqdm_class" in options:
            off.append(not is_xet_available())
            assert not options["tqdm_class"].monitor_interval  # no thread for each download
        return fetch(*given, **options)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", looked)
    with little_hub(monkeypatch, tmp_path, sd, REPO):
        find_source(REPO).part("scheduler")
    assert off == [True]


def test_the_list_of_parts_is_fetched_once_from_whoever_has_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sd: Path
) -> None:
    monkeypatch.setattr(hub_parts, "_known", {})
    entry = HubCheckpoint("small", ("nobody/small", REPO), ())
    with little_hub(monkeypatch, tmp_path, sd, REPO) as asked:
        for _ in range(2):
            assert "unet" in hub_parts.parts_of(entry)
    assert asked == ["model_index.json"]
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: 1 / 0)
    assert "unet" in hub_parts.parts_of(entry)
    assert (
        hub_parts.parts_of(HubCheckpoint("none", ("nobody/none",), ())) == SD and "nobody/none" not in hub_parts._known
    )


def test_nothing_is_fetched_for_what_is_no_hub_s_and_mistakes_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sd: Path
) -> None:
    assert list(fetched(JobSettings(), ("protect", "edit"))) == []
    with little_hub(monkeypatch, tmp_path, sd, "somebody/else"), pytest.raises(UserError, match="none of that name"):
        list(fetched(JOB, ("protect",)))


def test_which_jobs_need_the_whole_model() -> None:
    plain = JobSettings()
    assert not needs_whole(plain, ("protect", "purify", "explore", "reconstruct"))
    assert needs_whole(plain, ("edit",)) and needs_whole(plain, ("style",))
    assert needs_whole(plain.updated(protect={"method": "advdm"}), ("universal",))
    glaze = plain.updated(protect={"method": "glaze"})
    assert needs_whole(glaze, ("protect",))
    assert not needs_whole(glaze.updated(protect={"target": "image"}), ("protect",))
    assert needs_whole(plain.updated(purify={"method": "sdedit"}), ("purify",))
    assert needs_whole(plain.updated(stress={"purifiers": "jpeg 50", "edits": True}), ("stress",))
    assert not needs_whole(plain.updated(stress={"purifiers": "jpeg 50", "edits": False}), ("stress",))


def test_the_files_for_a_space_s_build_are_those_that_are_read(sd: Path) -> None:
    line = next(line for line in (ROOT / "docs/spaces.md").read_text().splitlines() if line.startswith("  - stable"))
    _, repo, files = line.split()
    read = [file.relative_to(sd).as_posix() for name in SD for file in sorted((sd / name).iterdir())]
    kinds = [f"{name}/{pattern}" for name in SD for pattern in patterns_of(name)]
    wanted = {file for file in read if any(fnmatch.fnmatch(file, kind) for kind in kinds)}
    assert repo in HUB and set(files.split(",")) == wanted


def patterns_of(name: str) -> list[str]:
    """The files of a part that are fetched."""
    kind = PARTS[name]
    return [kind.config, *kind.weight_files(None), *(file for group in kind.files for file in group)]


def test_a_log_has_few_lines_and_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    tell = teller(lambda: now[0])
    for done in range(0, 101, 10):
        tell(Fetching(REPO, "unet", done * 10**6, 10**8))
        now[0] += 3
    tell(Fetching(REPO, "unet", 10**8, 10**8))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"Fetching the denoiser of {REPO}: 0.00 of 100 MB"
    assert lines[-1] == f"Fetching the denoiser of {REPO}: 100 of 100 MB" and len(lines) == 4


def test_the_end_is_told_again_where_the_total_has_grown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(*steps: tuple[int, int]) -> str:
        tell = teller(lambda: 0.0)
        for done, total in steps:
            tell(Fetching(REPO, "unet", done, total))
        return capsys.readouterr().err

    grown = told((0, 0), (700, 700), (10**7, 10**7), (10**7, 10**8), (10**8, 10**8), (10**8, 10**8))
    assert [line.split(": ")[1] for line in grown.splitlines()] == ["10 of 10 MB", "100 of 100 MB"]
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert told((10**8, 10**8)) == f"\rFetching the denoiser of {REPO}: 100 of 100 MB\x1b[K\n"
    assert told((10**7, 10**8)).endswith("10 of 100 MB\x1b[K")
    log("Error: it failed.")
    assert capsys.readouterr().err == "\nError: it failed.\n"
