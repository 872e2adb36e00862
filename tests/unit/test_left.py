"""What is left of a protection: the least by each measure, edits from several noises, and the tables made of it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from impress_ui.experiments.experiment import interval
from impress_ui.experiments.grid import AblationSettings
from impress_ui.experiments.left import LEAST, LEAST_BY, SHARES, least_of, rows_of
from impress_ui.experiments.markdown import as_percent, crossed_table, figures_table, table_of
from impress_ui.experiments.named import names_learned, own_files
from impress_ui.experiments.settings import (
    AdaptiveSettings,
    ArmsRaceSettings,
    FoundSettings,
    RobustnessSettings,
    TransferSettings,
)
from impress_ui.experiments.table import run_experiment
from impress_ui.measures.metrics import dists, lpips, measure
from impress_ui.models.checksums import sha256
from impress_ui.paths import PURIFIER
from impress_ui.settings import PurifySettings
from tests.unit.small_checkpoints import small_pixel_unet

ROOT = Path(__file__).resolve().parents[2]
SMALL = {
    "run": {"size": 64, "device": "cpu", "seed": 3},
    "protect": {"steps": 3, "step_size": 8},
    "edit": {"sampling_steps": 2},
    "photographs": 1,
}


def record(photograph: str, purifier: str, *shares: float | None) -> dict:
    return {"photograph": photograph, "budget": 8, "purifier": purifier, **dict(zip(SHARES, shares, strict=True))}


RECORDS = [
    record("a", "none", 1.0, None, 1.0), record("a", "jpeg", 0.4, 0.4, 0.1), record("a", "fast", 0.3, 0.5, 0.2),
    record("b", "none", 1.0, None, 1.0), record("b", "jpeg", 0.2, 0.1, 0.4), record("b", "fast", 0.5, 0.3, None),
]  # fmt: skip


def test_the_least_is_each_photographs_and_each_measures() -> None:
    chosen = {share: [made["by"] for made in least_of(RECORDS, ("budget",), share)] for share in SHARES}
    assert chosen == {"left": ["fast", "jpeg"], "twin": ["jpeg", "jpeg"], "by_edit": ["jpeg", "jpeg"]}
    rows = {row["purifier"]: row for row in rows_of(RECORDS, ("budget",), (*SHARES, "new"), ("jpeg", "fast"))}
    assert list(rows) == ["none", "jpeg", "fast", *LEAST_BY.values()]
    least = rows[LEAST]
    assert least["left"] == pytest.approx(0.25) and least["by"] == "fast 1, jpeg 1" and least["photographs"] == 2
    assert least["left_low"] is least["left_high"] is None  # of two photographs
    assert least["by_edit"] == pytest.approx(0.3)  # of the purifier that leaves least by the latent
    assert rows[LEAST_BY["by_edit"]]["by_edit"] == pytest.approx(0.25) and rows["fast"]["by_edit"] == 0.2
    assert rows["none"]["new"] is None  # what a folder of an earlier version does not have


@pytest.mark.usefixtures("small_squares")
def test_figures_of_edits_are_means_over_the_seeds(tmp_path: Path) -> None:
    settings = RobustnessSettings.model_validate(
        {**SMALL, "budgets": [32], "purifiers": ["jpeg 20"], "edits": True, "edit_seeds": 2}
    )
    report = run_experiment("robustness", settings, tmp_path, str)
    assert report is not None and not report["failed"]
    (made,) = (record for record in report["records"] if record["purifier"] == "jpeg 20")
    folder, kept = tmp_path / "robustness/pictures", {}
    for words in ("clean", "32-none", "32-jpeg-20"):
        for seed in (3, 4):
            (file,) = folder.glob(f"edited-*-{words}-seed-{seed}.*.png")
            kept[words, seed] = Image.open(file).convert("RGB")
    assert not np.array_equal(kept["clean", 3], kept["clean", 4])

    def mean(distance, words: str) -> float:
        return np.mean([distance(kept[words, seed], kept["clean", seed]) for seed in (3, 4)])

    assert made["edit_ssim"] == pytest.approx(mean(lambda a, b: measure(a, b).ssim, "32-jpeg-20"))
    assert made["edit_dists"] == pytest.approx(mean(dists, "32-jpeg-20"), abs=1e-5)
    assert made["by_edit"] == pytest.approx(mean(lpips, "32-jpeg-20") / mean(lpips, "32-none"), rel=1e-4)

    # The same seed alone is one of them, and gives the figures of a run without the setting.
    once = run_experiment("robustness", settings.overridden({}, edit_seeds=1), tmp_path / "once", str)
    assert once is not None and once["records"][1]["left"] == made["left"]
    expected = measure(kept["32-jpeg-20", 3], kept["clean", 3]).ssim
    assert once["records"][1]["edit_ssim"] == pytest.approx(expected)
    page = (tmp_path / "robustness.md").read_text()
    assert page.count("\n| 32 |") + page.count("| 32 | ") >= len(report["rows"]) and "Left by the edit" in page


@pytest.mark.usefixtures("small_squares")
def test_adaptive_forms_after_several_purifiers(tmp_path: Path) -> None:
    settings = AdaptiveSettings.model_validate(
        {**SMALL, "terms": [], "unrolled": False, "through": ["learned"], "purifiers": ["jpeg 40", "learned"]}
    )
    report = run_experiment("adaptive", settings, tmp_path, str)
    assert report is not None and not report["failed"]
    rows = {(row["form"], row["purifier"]): row for row in report["rows"]}
    purifiers = ["jpeg 40", "learned 1"]
    found = [purifier for form, purifier in rows if form == "through learned"]
    assert found == [*purifiers, *LEAST_BY.values()] and [p for form, p in rows if form == "clean"] == purifiers
    through, plain = rows["through learned", "learned 1"], rows["none", "learned 1"]
    assert through["latent_before"] != plain["latent_before"] and through["beta"] is None
    assert through["twin"] is not None and through["by_edit"] is not None and through["dists"] > 0
    clean = rows["clean", "learned 1"]
    assert clean["left"] is None and clean["twin"] is None and clean["lpips"] == 0 < clean["lpips_purified"]
    assert rows["through learned", LEAST]["left"] == min(rows["through learned", name]["left"] for name in purifiers)
    assert (tmp_path / "adaptive_photoguard-encoder_edits.png").exists()
    assert report["checkpoints"]["the learned purifier"] == {PURIFIER.name: sha256(PURIFIER)}


def test_weights_that_decide_are_those_that_are_named() -> None:
    named: tuple[dict[str, Any], ...] = (
        *({"purifiers": [words]} for words in ("fast start=learned", "jpeg 40, then learned", "careful")),
        *({"purifiers": [words]} for words in ("fast learned_share=0.5", "fast radius_from_found=true")),
        *({"purify": how} for how in ({"recipe": "careful"}, {"learned_share": 0.05}, {"radius_from_found": True})),
        {"through": ["learned"]},
    )
    assert all(names_learned(AdaptiveSettings.model_validate(given)) for given in named)
    assert not names_learned(AdaptiveSettings(purify={"learned_share": 0}, purifiers=["fast", "jpeg 40"]))
    assert not names_learned(AdaptiveSettings()) and names_learned(RobustnessSettings())
    assert names_learned(AblationSettings(vary={"purify.radius_from_found": [False, True]}))
    assert names_learned(AblationSettings(cells=[{"protect.robust_to": ["jpeg"]}, {"protect.robust_to": ["learned"]}]))
    assert names_learned(ArmsRaceSettings(protections=["mist-textural robust_to=learned"], purifiers=["fast"]))
    assert not names_learned(AblationSettings(edit={"prompt": "a learned scholar"}))


def test_every_file_that_a_purifier_names_is_asked_for_wherever_it_stands(tmp_path: Path) -> None:
    mine, model = str(tmp_path / "a.safetensors"), tmp_path / "model"
    small_pixel_unet().save_pretrained(model)
    asked = [
        RobustnessSettings(purifiers=["as-set"], purify={"method": "noisy-upscaling", "upscaler": mine}),
        AblationSettings(vary={"purify.learned_weights": ["", mine]}, purify={"method": "learned"}),
        AblationSettings(cells=[{"purify.method": "chain", "purify.chain": [f"learned learned_weights={mine}"]}]),
        TransferSettings(purify={"method": "chain", "chain": ["fast", f"noisy-upscaling upscaler={mine}"]}),
    ]
    assert [own_files(settings) for settings in asked] == [[Path(mine)]] * len(asked)
    pixels = RobustnessSettings(purifiers=[f"pixel-diffusion pixel_model={model}"])
    names = ["diffusion_pytorch_model.safetensors", "config.json"]
    assert own_files(pixels) == [model / name for name in names]
    assert own_files(RobustnessSettings()) == own_files(FoundSettings(purify={"method": "pixel-diffusion"})) == []
    local = {name for name in PurifySettings.model_fields if PurifySettings.describe(name)["local"]}
    assert local == {"learned_weights", "pixel_model", "upscaler"}  # another one wants its purifier's ``files``


def test_markdown_says_how_sure_a_mean_is() -> None:
    rows = [
        {"purifier": "a|b", "photographs": 2, "left": 0.5, "left_se": 0.1, "left_low": 0.4, "left_high": 0.61},
        {"purifier": "c", "photographs": 1, "left": None, "left_se": None, "left_low": None, "left_high": None},
    ]
    table = table_of(rows, {"left": "Protection left"}).splitlines()
    assert table[0] == "| purifier | photographs | Protection left |" and table[1] == "| --- | ---: | ---: |"
    assert table[2:] == ["| a\\|b | 2 | 0.500 (0.400 to 0.610) |", "| c | 1 | – |"]
    crossed = crossed_table(RECORDS, "budget", "purifier", "left", as_percent).splitlines()
    assert crossed[0] == "| budget | none | jpeg | fast |" and "| 30 % |" in crossed[2]
    crossed = crossed_table([*RECORDS, *RECORDS], "budget", "purifier", "left", as_percent).splitlines()
    low, high = (as_percent(value) for value in interval([0.4, 0.2, 0.4, 0.2]))
    assert f"| 30 % ({low} to {high}) |" in crossed[2]
    several = [{"purifier": "a", "left": left, "edit_ssim": None} for left in (0.4, 0.6)]
    figures = figures_table(several, "purifier", ["left", "edit_ssim"]).splitlines()
    row = [{"purifier": "a", "budget": 2, "left": 0.5, "left_se": 0.1}]  # of a table, not a record
    assert figures_table(row, "purifier", ["left"]).splitlines()[2] == "| a | 0.500 ± 0.100 |"
    assert crossed_table(row, "budget", "purifier", "left", as_percent).splitlines()[2] == "| 2 | 50 % ± 10 % |"
    assert figures[0] == "| purifier | left | edit ssim |" and figures[2] == "| a | 0.500 ± 0.100 | – |"


def test_the_tables_of_the_results_are_those_of_their_csv() -> None:
    make_tables = script()
    page = make_tables.PAGE.read_text(encoding="utf-8")
    assert make_tables.made(page) == page
    with pytest.raises(ValueError, match="says nothing"):
        make_tables.table("arms-race.csv protection purifier left best")
    with pytest.raises(ValueError, match=r"No record of arms-race\.csv has the purifier jpeg 41"):
        make_tables.table("arms-race.csv protection purifier left purifier=none|jpeg_41")
    table = make_tables.table("arms-race.csv protection purifier left % least")
    assert "the least" in table.splitlines()[0] and "32 % (29 % to 34 %)" in table  # as docs/results.md says


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_tables", ROOT / "docs/make_tables.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.usefixtures("small_squares")
def test_a_report_shows_intervals_beside_their_means(tmp_path: Path) -> None:
    settings = RobustnessSettings.model_validate(
        {**SMALL, "photographs": 4, "budgets": [16], "purifiers": ["jpeg 20"], "run": {"size": 64, "device": "cpu"}}
    )
    report = run_experiment("robustness", settings, tmp_path, str)
    assert report is not None and report["rows"][1]["left_low"] <= report["rows"][1]["left"]
    page = (tmp_path / "robustness.html").read_text()
    assert "left low" not in page and "left_low" not in page.split("</table>")[0]
    low = f"{json.loads((tmp_path / 'robustness.json').read_text())['rows'][1]['left_low']:.4f}"
    assert f"({low} to" in page
