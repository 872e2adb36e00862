from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL
from PIL import Image

from impress_ui.experiments import experiment
from impress_ui.models.autoencoder import Autoencoder, load_autoencoder
from impress_ui.models.diffusion_model import DiffusionModel, load_diffusion_model
from impress_ui.pictures.images import to_tensor
from impress_ui.pictures.photographs import square, squares
from impress_ui.settings import RunSettings
from tests.unit.small_checkpoints import save_sd


@pytest.fixture(scope="session")
def embedded() -> Autoencoder:
    """The checkpoint that ships with the app."""
    return load_autoencoder(RunSettings(device="cpu"))


@pytest.fixture(scope="session")
def stable_diffusion_like() -> AutoencoderKL:
    """Stable Diffusion's autoencoder class and layout (factor 8, 4 channels), narrow and with random weights."""
    torch.manual_seed(0)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 16, 16),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        scaling_factor=0.18215,
    )


@pytest.fixture(scope="session")
def photographs() -> list[Image.Image]:
    """Three held-out photographs as squares of 48 pixels."""
    return squares("test", 48, 3)


@pytest.fixture
def small_squares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Experiments on photographs of 32 pixels: what becomes of their figures is looked at, not how large they are."""
    monkeypatch.setattr(experiment, "square", lambda name, split, side: square(name, split, 32))


@pytest.fixture(scope="session")
def batch(photographs: list[Image.Image]) -> torch.Tensor:
    """The three photographs as a tensor (3, 3, 48, 48)."""
    return to_tensor(photographs)


@pytest.fixture(scope="session")
def little(photographs: list[Image.Image]) -> list[Image.Image]:
    """The same in 32 pixels, where half of the arithmetic shows as much."""
    return [image.resize((32, 32)) for image in photographs]


@pytest.fixture(scope="session")
def small(little: list[Image.Image]) -> torch.Tensor:
    """The little photographs as a tensor (3, 3, 32, 32)."""
    return to_tensor(little)


@pytest.fixture(scope="session")
def model() -> DiffusionModel:
    """The whole embedded checkpoint."""
    return load_diffusion_model(RunSettings(device="cpu"))


@pytest.fixture(scope="session")
def shallow_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stable Diffusion's layout, narrow, with a denoiser of two levels and random weights."""
    return save_sd(tmp_path_factory.mktemp("checkpoints") / "shallow", shallow=True)


@pytest.fixture(scope="session")
def shallow(shallow_folder: Path) -> DiffusionModel:
    """The same, loaded: for what is asked of any model."""
    return load_diffusion_model(RunSettings(checkpoint=str(shallow_folder), device="cpu"))


@pytest.fixture(scope="session")
def inpainting(tmp_path_factory: pytest.TempPathFactory) -> DiffusionModel:
    """Stable Diffusion's inpainting sibling (9 channels), narrow and with random weights."""
    folder = save_sd(tmp_path_factory.mktemp("checkpoints") / "sd-inpainting", in_channels=9)
    return load_diffusion_model(RunSettings(checkpoint=str(folder), device="cpu"))
