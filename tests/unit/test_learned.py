"""The learned purifier: its network, how it learns, what the weights that come along do, and learning from pairs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods.learning import Draw, Training, latent_error
from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.protect import protect
from impress_ui.methods.purify import purify
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.residual_unet import (
    LARGEST,
    ResidualUNet,
    learned_purifier,
    load_residual_unet,
    save_residual_unet,
)
from impress_ui.paths import LPIPS_WEIGHTS, PURIFIER
from impress_ui.pictures.images import to_images, to_tensor
from impress_ui.pictures.photographs import squares
from impress_ui.settings import JobSettings, ProtectSettings, PurifySettings, purifier_of, words_of
from impress_ui.ui.public import Host
from tests.unit.test_cli import run_json


def levels(x: Tensor) -> Tensor:
    return ((x + 1) * 127.5).round().to(torch.uint8)


@pytest.fixture(scope="module")
def scenes() -> Tensor:
    return to_tensor(squares("test", 64, 4))


def checked(x: Tensor) -> Tensor:
    """x with a pattern on it that stands for a protection: ten levels up and down, in blocks of two pixels."""
    rows, columns = torch.arange(x.shape[-2]) // 2, torch.arange(x.shape[-1]) // 2
    board = ((rows[:, None] + columns[None]) % 2 * 2 - 1).float()
    return (x + 10 / 127.5 * board).clamp(-1, 1)


def test_a_new_network_changes_nothing_and_none_changes_more_than_it_may(scenes: Tensor) -> None:
    network = ResidualUNet()
    odd = scenes[:1, :, :47, :61]
    assert torch.equal(network(odd), torch.zeros_like(odd))
    torch.nn.init.constant_(network.head.bias, 100.0)
    assert network(odd).max().item() == pytest.approx(LARGEST)


def test_a_picture_has_the_result_that_it_has_alone(scenes: Tensor) -> None:
    network = load_residual_unet(PURIFIER)
    together, alone = network(scenes), torch.cat([network(one[None]) for one in scenes])
    assert torch.allclose(together, alone, atol=1e-5)


def test_weights_are_kept_in_half_precision_and_others_are_refused(tmp_path: Path) -> None:
    network = ResidualUNet()
    torch.nn.init.normal_(network.head.weight)
    save_residual_unet(network, tmp_path / "a.safetensors")
    again = load_residual_unet(tmp_path / "a.safetensors")
    for name, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], value.half().float()), name
    (tmp_path / "b.safetensors").write_bytes(b"none")
    for file, said in (
        (tmp_path / "c.safetensors", "no file"),
        (tmp_path / "b.safetensors", "cannot be read"),
        (Path("x" * 400), "no file"),
        (LPIPS_WEIGHTS / "alex.safetensors", "other weights"),
    ):
        with pytest.raises(UserError, match=said):
            learned_purifier(file, "cpu")


def test_the_latent_error_is_the_distance_in_lengths(embedded: Autoencoder, scenes: Tensor) -> None:
    x = checked(scenes[:2])
    a, b = (embedded.encode(each).flatten(1).double().numpy() for each in (x, scenes[:2]))
    expected = np.linalg.norm(a - b, axis=1) / np.linalg.norm(b, axis=1)
    assert np.allclose(latent_error(embedded, x, scenes[:2]).numpy(), expected, rtol=1e-3)
    same = scenes[:1].clone().requires_grad_()
    latent_error(embedded, same, scenes[:1]).sum().backward()
    assert torch.isfinite(same.grad).all()  # where nothing is wrong too


def test_crops_keep_a_pair_together_and_some_are_untouched(scenes: Tensor) -> None:
    pairs = list(zip(levels(scenes), levels((scenes + 8 / 127.5).clamp(-1, 1)), strict=True))
    wanted, given = Draw(pairs, batch=16, side=32, seed=3)()
    assert wanted.shape == given.shape == (16, 3, 32, 32)
    assert torch.equal(wanted[:4], given[:4])  # a quarter is to stay as it is
    inner = wanted[4:] < 0.9
    assert torch.allclose((given - wanted)[4:][inner], torch.tensor(8 / 127.5), atol=1e-4)


def test_it_learns_to_take_a_pattern_off(embedded: Autoencoder, scenes: Tensor) -> None:
    torch.manual_seed(0)
    pairs = list(zip(levels(scenes), levels(checked(scenes)), strict=True))
    training = Training(
        ResidualUNet((8, 16, 16), (1, 1, 1)), Draw(pairs, 4, 16, 0), [embedded], steps=100, learning_rate=3e-3
    )
    losses = [training.step() for _ in range(100)]
    first, last = (np.mean([loss["pixel"] for loss in part]) for part in (losses[:10], losses[-10:]))
    assert last < 0.6 * first


def test_the_weights_that_come_along_take_most_of_an_attack_and_spare_a_clean_picture(embedded: Autoencoder) -> None:
    x = to_tensor(squares("test", 64, 2))
    given = run_to_end(protect(x, ProtectSettings(budget=16, steps=20), embedded)).result
    assert given is not None

    def left(words: str) -> float:
        made = run_to_end(purify(given, purifier_of(words), embedded)).result
        assert made is not None
        return (latent_error(embedded, made, x) / latent_error(embedded, given, x)).mean().item()

    clean = run_to_end(purify(x, purifier_of("learned"), embedded)).result
    assert clean is not None
    assert left("learned") < 0.6 < left("noise 0.05")
    assert latent_error(embedded, clean, x).mean().item() < 0.1


def test_words_with_a_space_read_back() -> None:
    settings = PurifySettings(method="learned", learned_weights="my own/weights.safetensors")
    assert purifier_of(words_of(settings)) == settings


def test_a_public_page_takes_no_file_of_its_machine() -> None:
    host = Host("0.0.0.0")
    words = "learned 1 learned_weights=/etc/passwd"
    for job in (
        JobSettings().updated(purify={"method": "learned", "learned_weights": "/etc/passwd"}),
        JobSettings().updated(purify={"method": "chain", "chain": f"jpeg 40, then {words}"}),
        JobSettings().updated(stress={"purifiers": [words]}),
        JobSettings().updated(run={"lora": "/etc/passwd"}),
    ):
        with pytest.raises(UserError, match="but those that come along"):
            host.check(job)
        assert Host("127.0.0.1").check(job) is job


def test_a_purifier_is_taught_by_ones_own_pairs(
    capsys: pytest.CaptureFixture[str], scenes: Tensor, tmp_path: Path
) -> None:
    for folder, x in (("clean", scenes), ("made", checked(scenes))):
        (tmp_path / folder).mkdir()
        for number, image in enumerate(to_images(x)):
            image.save(tmp_path / folder / f"{number}.png")
    to_images(scenes)[0].save(tmp_path / "made" / "alone.png")
    told = ["--pairs", str(tmp_path / "clean"), str(tmp_path / "made"), "-o", str(tmp_path / "mine.safetensors")]
    report = run_json(capsys, "train-purifier", *told, "--steps", "12", "--batch", "4", "--side", "32")
    assert report["pairs"] == 4 and report["steps"] == 12 and report["left_out"] == {"alone.png": "no partner"}
    error = report["latent_error"]
    assert error["after"] < error["protected"]
    made = run_json(
        capsys, "purify", str(tmp_path / "made" / "0.png"), "-o", str(tmp_path / "out.png"), "--method", "learned",
        "--learned-weights", str(tmp_path / "mine.safetensors"),
    )  # fmt: skip
    assert json.dumps(made) and (tmp_path / "out.png").is_file()
