"""CPU and CUDA agree; skipped without a CUDA device. By name: ``pytest -m gpu``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from impress_ui.methods.optimise import LossHistory, Step, run_to_end
from impress_ui.methods.protect import needs_model, protect
from impress_ui.methods.purify import purify
from impress_ui.models.diffusion_model import DiffusionModel, load_diffusion_model
from impress_ui.pictures.images import to_tensor
from impress_ui.pictures.photographs import squares
from impress_ui.settings import ProtectSettings, PurifySettings, RunSettings

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")]
STEPS = 10
Run = Callable[[Tensor, DiffusionModel], Iterator[Step]]


def protection(**fields: object) -> Run:
    settings = ProtectSettings(steps=STEPS, **fields)  # type: ignore[arg-type]

    def run(x: Tensor, model: DiffusionModel) -> Iterator[Step]:
        whole = model if needs_model(settings, target=False) else None
        return protect(x, settings, model.autoencoder, model=whole, seed=3)

    return run


def purification(**fields: object) -> Run:
    return lambda x, model: purify(x, PurifySettings(steps=STEPS, **fields), model.autoencoder, seed=3)  # type: ignore[arg-type]


RUNS = {
    "encoder attack": protection(),
    "l2": protection(norm="l2"),
    "advdm": protection(method="advdm"),
    "views": lambda x, model: protect(x, ProtectSettings(steps=STEPS), model.autoencoder, seed=3, view_side=64),
    "paper": purification(recipe="paper"),
    "fast": purification(),
}


@pytest.fixture(autouse=True)
def exact() -> Iterator[None]:
    """Products of float32 are rounded as on a CPU."""
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


@pytest.mark.parametrize("name", RUNS)
def test_losses_and_start_are_those_of_the_cpu(name: str) -> None:
    curves, firsts = {}, {}
    for device in ("cpu", "cuda"):
        model = load_diffusion_model(RunSettings(device=device))  # type: ignore[arg-type]
        history = LossHistory()
        steps = RUNS[name](to_tensor(squares("test", 128, 1), device), model)
        first = next(steps)
        history.add(first)
        firsts[device] = first.image.cpu()
        run_to_end(steps, history)
        curves[device] = history.curves
    assert torch.allclose(firsts["cpu"], firsts["cuda"], atol=1e-5)
    for term, values in curves["cpu"].items():
        assert curves["cuda"][term] == pytest.approx(values, rel=1e-3, abs=1e-6), term
