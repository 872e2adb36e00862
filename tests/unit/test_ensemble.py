"""Protections against several encoders at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.jobs.encoders import load_others
from impress_ui.jobs.workflow import describe_result, protect_picture
from impress_ui.measures.costs import attack_of as cost_of
from impress_ui.methods.attacks.ensemble import SHARPNESS, Ensemble
from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.protect import protect
from impress_ui.methods.universal import learn
from impress_ui.models.autoencoder import Autoencoder, load_autoencoder
from impress_ui.pictures.images import to_images
from impress_ui.settings import JobSettings, ProtectSettings, RunSettings
from tests.conftest import ROOT

KL = str(ROOT / "assets/autoencoders/kl")
QUICK = ProtectSettings(steps=12, also=KL)


@pytest.fixture(scope="module")
def kl() -> Autoencoder:
    """An autoencoder of another kind than the embedded one."""
    return load_autoencoder(RunSettings(checkpoint=KL, device="cpu"))


class _Slope:
    """A loss that is linear in the picture's mean."""

    def __init__(self, slope: float) -> None:
        self.slope, self.weights = slope, {}

    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        return {"loss": self.slope * x.mean(dim=(1, 2, 3))}


def test_the_laggard_counts_most_whatever_its_unit() -> None:
    parts = [_Slope(1.0), _Slope(1000.0)]
    ones = torch.ones(2, 3, 4, 4)
    together = Ensemble(parts, ones)
    assert together(ones)["loss"].tolist() == [1.0, 1.0]
    parts[1].slope = 500.0  # it has come half its way
    left = torch.tensor([1.0, 0.5])
    shares = torch.softmax(SHARPNESS * left, dim=0)
    x = ones.clone().requires_grad_()
    loss = together(x)["loss"]
    assert loss.tolist() == pytest.approx([float(shares @ left)] * 2)
    (gradient,) = torch.autograd.grad(loss.sum(), x)
    # Of what is left, not of the shares.
    assert gradient.sum().item() / 2 == pytest.approx(float(shares @ left))


def test_one_that_is_at_its_aim_already_does_not_outweigh_the_others() -> None:
    parts = [_Slope(1.0), _Slope(0.0)]
    together = Ensemble(parts, torch.ones(1, 3, 4, 4))
    parts[1].slope = 0.0005
    assert together(torch.ones(1, 3, 4, 4))["loss"].item() < 1.0


def test_both_encoders_are_misled_where_one_alone_spares_the_other(
    small: Tensor, embedded: Autoencoder, kl: Autoencoder
) -> None:
    def moved(result: Tensor) -> list[float]:
        with torch.no_grad():
            return [
                float((one.encode(result) - one.encode(small)).norm() / one.encode(small).norm())
                for one in (embedded, kl)
            ]

    alone = moved(run_to_end(protect(small, ProtectSettings(steps=12), embedded)).result)
    both = moved(run_to_end(protect(small, QUICK, embedded, others=[kl])).result)
    assert both[1] > 1.3 * alone[1] and both[0] > 0.5 * alone[0]


def test_what_the_settings_name_is_loaded_used_and_written_down(batch: Tensor, kl: Autoencoder) -> None:
    job = JobSettings().updated(protect={"steps": 4, "also": f"{KL}, {KL}"}, run={"device": "cpu"})
    assert load_others(job) == [kl]
    picture = to_images(batch[:1])[0]
    made = run_to_end(protect_picture(picture, job)).result
    assert not torch.equal(made, run_to_end(protect_picture(picture, job.updated(protect={"also": ""}))).result)
    (told,) = describe_result("protected", job)["also"]
    assert told["name"] == KL and set(told["sha256"]) == {"vae"}
    assert "also" not in describe_result("purified", job)


def test_a_result_outlives_the_checkpoints_that_it_names(tmp_path: Path) -> None:
    job = JobSettings().updated(protect={"also": str(tmp_path / "moved-away")})
    assert "also" not in describe_result("purified", job)
    assert describe_result("universal perturbation", job)["also"] == [
        {"name": str(tmp_path / "moved-away"), "sha256": {}}
    ]


def test_the_estimate_counts_every_encoder() -> None:
    once = cost_of(ProtectSettings(), (64, 64))[1]
    sort, both = cost_of(ProtectSettings(also="one, two"), (64, 64))
    assert both == 3 * once and sort != cost_of(ProtectSettings(), (64, 64))[0]  # a pace of its own
    assert ProtectSettings(method="glaze", also="one").others == ()  # another method's setting


def test_what_cannot_be_is_refused(batch: Tensor, embedded: Autoencoder, kl: Autoencoder, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="attack on the encoder"):
        next(protect(batch, ProtectSettings(method="glaze", style="a woodcut"), embedded, others=[kl]))
    for twice in ("embedded", str(ROOT / "assets/micro-ldm"), f"{KL}, {KL}/", f"{KL}, {KL}/../kl"):
        with pytest.raises(UserError, match="the run's own, or stands in also twice"):
            load_others(JobSettings().updated(protect={"also": twice}))
    with pytest.raises(UserError, match="one encoder alone"):  # never silently without
        next(protect(batch, QUICK, embedded))
    with pytest.raises(UserError, match="one encoder alone"):
        next(learn(batch, QUICK, embedded))
    with pytest.raises(UserError, match="nowhere"):
        load_others(JobSettings().updated(protect={"also": str(tmp_path / "nowhere")}))
