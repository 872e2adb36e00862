from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impress_ui.__main__ import main
from impress_ui.pictures.images import read_metadata, save_png
from impress_ui.settings import ProtectSettings

QUICK = ["--size", "64", "--steps", "3"]
# What a protection outlives takes longer than the protection.
PROTECT = [*QUICK, "--no-check"]


@pytest.fixture
def photo(tmp_path: Path, little: list[Image.Image]) -> Path:
    return save_png(little[0], tmp_path / "photo.png")


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """(exit status, standard output, standard error) of a command."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as caught:
        patch.setattr(sys, "argv", ["impress_ui", *map(str, arguments)])
        main()
    return int(caught.value.code or 0), *capsys.readouterr()


def run_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict:
    status, out, err = run(capsys, *arguments, "--json")
    assert status == 0, err
    return json.loads(out)


def test_protect_purify_reconstruct_measure(capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path) -> None:
    protected, purified, seen = (tmp_path / name for name in ("protected.png", "purified.png", "seen.png"))
    report = run_json(capsys, "protect", photo, "-o", protected, "--budget", 8, *PROTECT)
    assert report["settings"]["protect"]["budget"] == 8 and report["settings"]["protect"]["steps"] == 3
    assert len(report["losses"]["total"]) == 4 and report["seconds"] > 0
    assert report["measures"]["against_original"]["linf"] == 8
    before, after = (np.asarray(Image.open(path)).astype(int) for path in (photo, protected))
    assert np.abs(before - after).max() == 8

    report = run_json(capsys, "purify", protected, "-o", purified, "--lr", 0.02, "--alpha", 0.2, *QUICK)
    assert report["settings"]["purify"]["learning_rate"] == 0.02 and report["settings"]["purify"]["alpha"] == 0.2
    assert report["measures"]["round_trip_error"] > 0

    run_json(capsys, "reconstruct", purified, "-o", seen, "--size", 64)
    assert Image.open(seen).size == (32, 32)

    report = run_json(capsys, "measure", protected, photo)
    assert {"ssim", "psnr", "lpips", "linf", "l2"} <= set(report)
    assert report["linf"] == 8 and set(report["round_trip_error"]) == {"a", "b"}
    assert report["budget_found"]["a"] == pytest.approx(8, abs=3) and report["budget_found"]["b"] < 4


def test_a_saved_picture_is_a_settings_file(capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path) -> None:
    first, again = tmp_path / "first.png", tmp_path / "again.png"
    run_json(capsys, "protect", photo, "-o", first, "--budget", 5, "--seed", 9, *PROTECT)
    assert read_metadata(first)["settings"]["run"]["seed"] == 9
    run_json(capsys, "protect", photo, "-o", again, "--settings", first, "--no-check")
    assert np.array_equal(np.asarray(Image.open(first)), np.asarray(Image.open(again)))


def test_recipes_and_json_settings(capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"purify": {"alpha": 0.7}, "run": {"size": 64}}))
    report = run_json(capsys, "purify", photo, "-o", tmp_path / "a.png", "--settings", file, "--steps", 2)
    assert report["settings"]["purify"]["alpha"] == 0.7
    report = run_json(capsys, "purify", photo, "-o", tmp_path / "b.png", "--recipe", "paper", *QUICK)
    assert report["settings"]["purify"]["adam_eps"] == 1e-5 and report["settings"]["purify"]["steps"] == 3
    report = run_json(capsys, "purify", photo, "-o", tmp_path / "c.png", "--method", "jpeg", "--jpeg-quality", 20)
    assert report["losses"] == {}


def test_folders(capsys: pytest.CaptureFixture[str], little: list[Image.Image], tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for index, image in enumerate(little[:2]):
        save_png(image, source / f"{index}.png")
    little[2].save(source / "0.jpg")  # the same stem as a PNG: neither result may be lost
    report = run_json(capsys, "protect", source, "-o", target, *PROTECT)
    assert len(report["results"]) == 3 and len(list(target.iterdir())) == 3
    (source / "0.jpg").unlink()
    run_json(capsys, "protect", source, "-o", tmp_path / "again", *PROTECT)
    report = run_json(capsys, "measure", tmp_path / "again", source)
    assert [row["linf"] for row in report["results"]] == [16, 16]


def test_a_bad_picture_does_not_cost_the_rest_of_its_folder(
    capsys: pytest.CaptureFixture[str], little: list[Image.Image], tmp_path: Path
) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.png").write_text("no picture")
    save_png(little[0], source / "b.png")
    status, out, err = run(capsys, "protect", source, "-o", tmp_path / "out", "--json", *PROTECT)
    assert status == 2 and "1 of 2" in err and len(err.strip().splitlines()) == 1
    assert ["error" in row for row in json.loads(out)["results"]] == [True, False]
    assert (tmp_path / "out" / "b.png").exists()


def test_mask(capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path) -> None:
    mask = Image.new("L", (32, 32))
    mask.paste(255, (0, 0, 32, 16))
    mask.save(tmp_path / "mask.png")
    run_json(capsys, "protect", photo, "-o", tmp_path / "x.png", "--mask", tmp_path / "mask.png", *PROTECT)
    before, after = (np.asarray(Image.open(path)) for path in (photo, tmp_path / "x.png"))
    assert np.array_equal(before[16:], after[16:]) and not np.array_equal(before[:16], after[:16])
    inverted = ("--mask", tmp_path / "mask.png", "--invert-mask")
    run_json(capsys, "protect", photo, "-o", tmp_path / "y.png", *inverted, *PROTECT)
    after = np.asarray(Image.open(tmp_path / "y.png"))
    assert np.array_equal(before[:16], after[:16]) and not np.array_equal(before[16:], after[16:])


def test_edits_are_measured_against_the_first(
    capsys: pytest.CaptureFixture[str], photo: Path, little: list[Image.Image], tmp_path: Path
) -> None:
    protected = save_png(little[0].point(lambda value: value * 0.8), tmp_path / "protected.png")
    options = ("--prompt", "a mosaic of the sea", "--strength", 0.5, "--steps", 4, "--size", 64)
    report = run_json(capsys, "edit", photo, protected, "-o", tmp_path / "edits", *options)
    assert report["settings"]["edit"]["prompt"] == "a mosaic of the sea" and report["reference"] == str(photo)
    first, second = report["results"]
    assert first["input"] == str(photo) and first["measures"] is None
    assert second["measures"]["ssim"] < 1 and "lpips" in second["measures"]
    assert read_metadata(second["output"])["against_clean_edit"] == second["measures"]

    # With --reference the same picture is edited along and comes first; one noise for all, so the same figures.
    again = run_json(capsys, "edit", protected, "--reference", photo, "-o", tmp_path / "again", *options)
    assert [row["measures"] for row in again["results"]] == [None, second["measures"]]

    single = run_json(capsys, "edit", photo, "-o", tmp_path / "edit.png", *options)
    assert single["reference"] is None and single["results"][0]["measures"] is None
    status, out, _ = run(capsys, "edit", photo, "-o", tmp_path / "edit.png", *options)
    assert status == 0 and out.strip() == f"{tmp_path / 'edit.png'}: the edit of photo.png"


def test_a_mask_means_inpainting(capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path) -> None:
    mask = Image.new("L", (32, 32))
    mask.paste(255, (0, 0, 32, 16))
    mask.save(tmp_path / "mask.png")
    edit = ("edit", photo, "--mask", tmp_path / "mask.png", "--size", 64, "--steps", 2)
    report = run_json(capsys, *edit, "-o", tmp_path / "a.png")
    assert report["settings"]["edit"]["mode"] == "inpaint"
    run_json(capsys, *edit, "-o", tmp_path / "b.png", "--no-paste-back")
    before, pasted, whole = (np.asarray(Image.open(path)) for path in (photo, tmp_path / "a.png", tmp_path / "b.png"))
    assert np.array_equal(before[16:], pasted[16:]) and not np.array_equal(before[:16], pasted[:16])
    assert not np.array_equal(before[16:], whole[16:])


def test_generated_files_make_themselves_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    options = ("--steps", 2, "--width", 64, "--height", 64)
    report = run_json(capsys, "generate", "-o", tmp_path / "made", "--count", 2, "--seed", 5, *options)
    assert [row["seed"] for row in report["results"]] == [5, 6]
    first, second = (Path(row["output"]) for row in report["results"])
    assert [first.name, second.name] == ["seed-5.png", "seed-6.png"]
    run_json(capsys, "generate", "-o", tmp_path / "again.png", "--settings", second)
    again, made = (np.asarray(Image.open(path)).astype(int) for path in (tmp_path / "again.png", second))
    assert np.abs(again - made).max() <= 1
    assert not np.array_equal(np.asarray(Image.open(first)), made)


def test_the_diffusion_attack_has_its_options(capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path) -> None:
    report = run_json(
        capsys, "protect", photo, "-o", tmp_path / "x.png", "--method", "photoguard-diffusion", "--norm", "l2",
        "--l2-radius", 40, "--attacked-prompt", "a mosaic", "--attacked-strength", 0.5, "--attacked-steps", 1,
        "--repetitions", 1, "--size", 64, "--steps", 4, "--no-check",
    )  # fmt: skip
    attack = report["settings"]["protect"]
    assert attack["norm"] == "l2" and attack["attacked_prompt"] == "a mosaic" and attack["repetitions"] == 1
    assert report["losses"]["edit distance"] and report["measures"]["against_original"]["l2"] > 0


def test_every_setting_of_a_protection_is_an_option(
    capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path
) -> None:
    report = run_json(
        capsys, "protect", photo, "-o", tmp_path / "x.png", "--method", "mist-fused", "--size", 64, "--steps", 2,
        "--fusion-rate", 500, "--adaptive", "consistency", "--beta", 12, "--no-random-start", "--target", "grey",
        "--no-check",
    )  # fmt: skip
    attack = report["settings"]["protect"]
    assert attack["method"] == "mist-fused" and attack["fusion_rate"] == 500 and attack["random_start"] is False
    assert set(report["losses"]) == {"total", "texture", "denoising error", "round-trip error"}
    status, out, _ = run(capsys, "protect", "--help")
    for name in ProtectSettings.model_fields:
        assert f"--{name.replace('_', '-')}" in out
    assert status == 0 and "sdst-minus" in out


def test_a_universal_perturbation_is_learnt_once_and_added_to_others(
    capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for name in "ab":
        shutil.copy(photo, tmp_path / "in" / f"{name}.png")
    learnt = tmp_path / "u.png"
    options = ("--method", "mist-textural", "--size", 64, "--steps", 3)
    report = run_json(capsys, "universal", tmp_path / "in", "-o", learnt, *options)
    assert report["pictures"] == 2 and len(report["losses"]["texture"]) == 4
    assert read_metadata(learnt)["settings"]["protect"]["method"] == "mist-textural"
    added = run_json(capsys, "protect", photo, "-o", tmp_path / "x.png", "--universal", learnt, "--no-check")
    assert 0 < added["measures"]["against_original"]["linf"] <= 16 and added["losses"] == {}
    assert read_metadata(tmp_path / "x.png")["universal"] == "u.png"
    status, _, err = run(capsys, "protect", photo, "-o", tmp_path / "y.png", "--universal", photo)
    assert status == 2 and "no universal perturbation" in err
    status, _, err = run(capsys, "universal", tmp_path / "in", "-o", learnt, "--method", "glaze")
    assert status == 2 and "budget in grey levels" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["protect", "{photo}", "-o", "{out}", "--method", "secret"], "photoguard-encoder"),
        (["protect", "{photo}", "-o", "{out}", "--budget", "200"], "needs a mask"),
        (["protect", "{photo}", "-o", "{out}", "--method", "nightshade", "--concept", ""], "concept"),
        (["universal", "{folder}", "-o", "{out}"], "holds no"),
        (["purify", "{photo}", "-o", "{out}", "--alpha", "99"], "alpha"),
        (["purify", "{photo}", "-o", "{out}", "--alpha", "nan"], "alpha"),
        (["purify", "{photo}", "-o", "{out}", "--recipe", "secret"], "recipe"),
        (["purify", "{photo}", "-o", "{out}", "--steps", "many"], "steps"),
        (["protect", "{photo}", "-o", "{out}", "--checkpoint", "nowhere"], "nowhere"),
        (["protect", "{photo}", "-o", "{out}", "--target", "image"], "target picture"),
        (["protect", "missing.png", "-o", "{out}"], "missing.png"),
        (["protect", "{text}", "-o", "{out}"], "not a picture"),
        (["protect", "{photo}", "-o", "out.jpg"], ".png"),
        (["protect", "{photo}", "-o", "{photo}"], "would be lost"),
        (["protect", "{photo}", "-o", "{out}", "--settings", "{text}"], "not JSON"),
        (["protect", "{photo}", "-o", "{out}", "--settings", "{photo}"], "no settings"),
        (["protect"], "IN"),
        (["dance"], "dance"),
        (["measure", "{photo}", "{small}"], "one size"),
        (["edit", "{photo}", "{small}", "-o", "{folder}"], "one size"),
        (["edit", "{photo}", "{photo}", "-o", "{folder}"], "more than once"),
        (["edit", "{photo}", "{small}", "-o", "{out}"], "folder"),
        (["edit", "{folder}", "-o", "{out}"], "give edit the pictures themselves"),
        (["edit", "{photo}", "-o", "{photo}"], "would be lost"),
        (["edit", "{photo}", "-o", "{out}", "--mode", "inpaint"], "needs a mask"),
        (["edit", "{photo}", "-o", "{out}", "--mask", "{black}"], "mask is empty"),
        (["edit", "{photo}", "-o", "{out}", "--mask", "{wide}"], "does not fit"),
        (["edit", "{photo}", "-o", "{out}", "--strength", "2"], "strength"),
        (["edit", "{photo}", "-o", "{out}", "--prompt", "a mountain " * 40], "too long"),
        (["edit", "-o", "{out}"], "IN"),
        (["generate", "-o", "{out}", "--count", "2"], "folder"),
        (["generate", "-o", "{out}", "--count", "1", "--prompt", "a mountain " * 40], "too long"),
        (["generate", "-o", "{out}", "--count", "1", "--width", "100"], "width"),
    ],
)
def test_mistakes_exit_with_two_and_one_sentence(
    capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    text = tmp_path / "text.png"
    text.write_text("hello")
    if "{text}" in arguments[-1:]:
        text = text.rename(tmp_path / "text.json")
    Image.new("RGB", (40, 40)).save(tmp_path / "small.png")
    Image.new("L", (32, 32)).save(tmp_path / "black.png")
    Image.new("L", (64, 32), 255).save(tmp_path / "wide.png")
    (tmp_path / "folder").mkdir()
    places = {name: tmp_path / f"{name}.png" for name in ("out", "small", "black", "wide")}
    places |= {"photo": photo, "text": text, "folder": tmp_path / "folder"}
    status, out, err = run(capsys, *(argument.format(**places) for argument in arguments))
    assert status == 2 and out == ""
    assert words in err and len(err.strip().splitlines()) == 1 and "Traceback" not in err
    assert not (tmp_path / "out.png").exists()
