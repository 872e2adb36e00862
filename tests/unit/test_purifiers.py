"""One test over all purifiers, and the mathematics of those that are not a library's."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from safetensors.torch import save_file
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.measures.metrics import round_trip_error
from impress_ui.methods.objectives import total_variation
from impress_ui.methods.optimise import Step, run_to_end
from impress_ui.methods.protect import protect
from impress_ui.methods.purifiers import PURIFIERS
from impress_ui.methods.purifiers.adverse_cleaner import bilateral_pass, guided
from impress_ui.methods.purifiers.tiles import cut, paste, tile_count
from impress_ui.methods.purify import planned_steps, purify
from impress_ui.methods.terms import CHARBONNIER_EPS, OrthogonalProjection, charbonnier, project_out
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.models.upscaler import RRDBNet
from impress_ui.pictures.images import quantise, to_images, to_tensor
from impress_ui.settings import CONTROLS, KNOBS, ProtectSettings, PurifySettings, purifier_of, words_of
from tests.unit.small_checkpoints import small_pixel_unet

# A second's work each.
QUICK = {
    "impress": {"steps": 4, "start_noise": 0.05, "keep_best": False},
    "sdedit": {"sdedit_steps": 10},
    "gridpure": {"grid_rounds": 2, "grid_tile": 64},
    "chain": {"chain": "jpeg 40, noise 0.02, then fast 2"},
}
RANDOM = {"impress", "noise", "sdedit", "gridpure", "chain", "noisy-upscaling", "pixel-diffusion"}


@pytest.fixture(scope="module", autouse=True)
def brought(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What two of them do not do without: a file, and a folder."""
    file = tmp_path_factory.mktemp("upscaler") / "small.safetensors"
    torch.manual_seed(0)
    save_file(RRDBNet(width=4, growth=4, blocks=1).state_dict(), file)
    QUICK["noisy-upscaling"] = {"upscaler": str(file)}
    small_pixel_unet().save_pretrained(file.parent / "unet")
    QUICK["pixel-diffusion"] = {"pixel_model": str(file.parent), "pixel_rounds": 2}


def settings_of(method: str) -> PurifySettings:
    return PurifySettings(method=method, **QUICK.get(method, {}))


@pytest.fixture(scope="module")
def protected(model: DiffusionModel, batch: Tensor) -> Tensor:
    """One protected picture, wider than high and of odd sides."""
    result = run_to_end(protect(batch[:1, :, :31, :45], ProtectSettings(steps=12), model.autoencoder)).result
    assert result is not None
    return result


Steps = list[Step]


@pytest.fixture(scope="module")
def run(model: DiffusionModel, protected: Tensor) -> Callable[..., Steps]:
    """The steps of a purifier by method, seed and mask, each run once."""
    known: dict[tuple[str, int, bool], Steps] = {}

    def steps(method: str, seed: int = 0, mask: Tensor | None = None) -> Steps:
        key = method, seed, mask is not None
        if key not in known:
            known[key] = list(
                purify(protected, settings_of(method), model.autoencoder, model=model, seed=seed, mask=mask)
            )
        return known[key]

    return steps


def _detail(x: Tensor) -> float:
    return total_variation(x).item()


def _jpeg_change(quality: int) -> Callable[[Tensor], float]:
    return lambda x: (run_to_end(purify(x, PurifySettings(method="jpeg"), None)).result - x).abs().mean().item()  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def objective(model: DiffusionModel) -> dict[str, Callable[[Tensor], float]]:
    """What each purifier is there to lower."""

    def inconsistency(x: Tensor) -> float:
        return round_trip_error(x, model.autoencoder).item()

    smoothers = ("resize", "total-variation", "non-local-means", "blur", "median", "bilateral", "crop-resize")
    return {
        **dict.fromkeys(smoothers, _detail),
        **dict.fromkeys(("impress", "round-trip", "sdedit", "gridpure", "chain"), inconsistency),
        "jpeg": _jpeg_change(40),
        "quantise": lambda x: float(len(np.unique(np.asarray(to_images(x)[0]).reshape(-1, 3), axis=0))),
    }


@pytest.mark.parametrize("method", KNOBS)
def test_every_purifier(method: str, run: Callable[..., Steps], protected: Tensor, objective: dict) -> None:
    steps = run(method)
    result = steps[-1].result
    assert result is not None and all(step.result is None for step in steps[:-1])
    assert [step.steps for step in steps] == [planned_steps(settings_of(method))] * len(steps)
    assert steps[-1].index == planned_steps(settings_of(method)) and not steps[-1].stopped
    assert result.shape == protected.shape and result.abs().max() <= 1
    assert torch.equal(quantise(result), result) and not torch.equal(result, protected)
    if method in objective:
        assert objective[method](result) < objective[method](protected)

    again = list(run(method, seed=1))[-1].result
    assert torch.equal(again, result) != (method in RANDOM)

    mask = torch.zeros(1, 1, *protected.shape[-2:])
    mask[..., 6:20, 8:30] = 1
    changed = (run(method, mask=mask)[-1].result != protected).any(dim=1, keepdim=True)
    assert changed[mask.bool()].any() and not changed[~mask.bool()].any()


@pytest.mark.parametrize("method", sorted(RANDOM))
def test_a_seed_gives_the_same_bytes(
    method: str, run: Callable[..., Steps], model: DiffusionModel, protected: Tensor
) -> None:
    again = run_to_end(purify(protected, settings_of(method), model.autoencoder, model=model)).result
    assert torch.equal(again, run(method)[-1].result)


def test_every_method_is_there_and_has_knobs() -> None:
    assert set(PURIFIERS) | {"chain"} == set(KNOBS) == set(PurifySettings.model_fields["method"].annotation.__args__)  # type: ignore[union-attr]
    assert set(CONTROLS) <= set(KNOBS)
    shown = {name for names in KNOBS.values() for name in names}
    assert shown | {"method"} == set(PurifySettings.model_fields)


@pytest.mark.parametrize("method", [name for name, purifier in PURIFIERS.items() if purifier.generative])
def test_a_whole_model_is_asked_for(method: str, model: DiffusionModel, protected: Tensor) -> None:
    with pytest.raises(UserError, match="whole diffusion model"):
        run_to_end(purify(protected, settings_of(method), model.autoencoder))


def test_a_chain_is_its_parts_in_turn(model: DiffusionModel, protected: Tensor) -> None:
    ae = model.autoencoder
    chain = run_to_end(purify(protected, purifier_of("jpeg 30, then blur 0.7, then fast 2"), ae)).result
    x = protected
    for words in ("jpeg 30", "blur 0.7", "fast 2"):
        x = run_to_end(purify(x, purifier_of(words), ae)).result
    assert torch.equal(chain, x)


def test_a_stopped_chain_keeps_what_its_parts_made(model: DiffusionModel, protected: Tensor) -> None:
    last = run_to_end(
        purify(protected, purifier_of("jpeg 30, then fast 30"), model.autoencoder, should_stop=lambda: True)
    )
    assert last.stopped and torch.equal(
        last.result, run_to_end(purify(protected, purifier_of("jpeg 30"), model.autoencoder)).result
    )


def test_the_cleaner_s_filters_are_the_published_sums(protected: Tensor) -> None:
    x = (protected[:1, :, 8:17, 8:19] + 1) * 127.5
    levels = x[0].permute(1, 2, 0).double().numpy()
    framed = np.pad(levels, ((2, 2), (2, 2), (0, 0)), mode="reflect")
    expected = np.zeros_like(levels)
    for row, column in np.ndindex(levels.shape[:2]):  # OpenCV's loop, written out
        total, weights = np.zeros(3), 0.0
        for down, right in ((d, r) for d in range(-2, 3) for r in range(-2, 3) if d * d + r * r <= 4):
            other = framed[row + 2 + down, column + 2 + right]
            apart = np.abs(other - levels[row, column]).sum()
            weight = math.exp(-(down**2 + right**2) / (2 * 8**2)) * math.exp(-(apart**2) / (2 * 8**2))
            total, weights = total + weight * other, weights + weight
        expected[row, column] = total / weights
    assert np.allclose(bilateral_pass(x, 8.0)[0].permute(1, 2, 0).numpy(), expected, atol=1e-3)

    guide = x + 5 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    arrays = [part[0].permute(1, 2, 0).double().numpy() for part in (guide, x)]
    framed_guide, framed_x = (np.pad(array, ((4, 4), (4, 4), (0, 0)), mode="reflect") for array in arrays)
    slopes, offsets = np.zeros((*levels.shape[:2], 3, 3)), np.zeros_like(levels)
    for row, column in np.ndindex(levels.shape[:2]):  # a regression of x on the guide in each window
        window = (slice(row, row + 9), slice(column, column + 9))
        seen, aims = framed_guide[window].reshape(-1, 3), framed_x[window].reshape(-1, 3)
        centred = seen - seen.mean(axis=0)
        slope = np.linalg.solve(centred.T @ centred / 81 + 16 * np.eye(3), centred.T @ (aims - aims.mean(axis=0)) / 81)
        slopes[row, column], offsets[row, column] = slope, aims.mean(axis=0) - seen.mean(axis=0) @ slope
    whole = [np.pad(part, [(4, 4), (4, 4)] + [(0, 0)] * (part.ndim - 2), mode="reflect") for part in (slopes, offsets)]
    for row, column in ((0, 0), (4, 5), (8, 10)):
        window = (slice(row, row + 9), slice(column, column + 9))
        slope, offset = whole[0][window].mean(axis=(0, 1)), whole[1][window].mean(axis=(0, 1))
        wanted = guide[0, :, row, column].double().numpy() @ slope + offset
        assert np.allclose(guided(x, guide)[0, :, row, column].numpy(), wanted, atol=0.05)


def test_crop_and_palette_are_pillow_s_own(model: DiffusionModel, protected: Tensor) -> None:
    image = to_images(protected)[0]
    cropped = run_to_end(purify(protected, purifier_of("crop-resize 0.5"), model.autoencoder)).result
    box = (45 / 4, 31 / 4, 45 * 3 / 4, 31 * 3 / 4)
    assert torch.equal(cropped, to_tensor(image.resize((45, 31), Image.Resampling.BICUBIC, box)))
    few = run_to_end(purify(protected, purifier_of("quantise 7"), model.autoencoder)).result
    assert len(np.unique(np.asarray(to_images(few)[0]).reshape(-1, 3), axis=0)) == 7


@pytest.mark.parametrize(("height", "width", "side"), [(47, 61, 64), (64, 64, 64), (128, 96, 64), (150, 101, 64)])
def test_tiles_cover_every_pixel_and_fit_together(height: int, width: int, side: int) -> None:
    x = torch.rand(2, 3, height, width)
    tiles = cut(x, side)
    assert len(tiles) == tile_count(height, width, side)
    assert {tile.shape for tile in tiles} == {(2, 3, min(height, side), min(width, side))}
    assert torch.allclose(paste(tiles, x, side), x, atol=1e-6)
    if len(tiles) > 1:  # the corners' tile takes part in the mean at the corners, and nowhere else
        apart = paste([*tiles[:-1], tiles[-1] + 1], x, side) - x
        assert (apart[..., 0, 0] > 0.1).all() and (apart[..., -1, -1] > 0.1).all()
        assert apart[..., height // 2, width // 2].abs().max() < 1e-6


# --- words -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    ["fast", "fast 20", "paper", "jpeg 25", "bilateral 0.2 bilateral_space=3.0", "jpeg 40, then blur 2, then fast 5",
     "fast alpha=0.2 optimiser=projection"],
)  # fmt: skip
def test_words_stand_for_settings(words: str) -> None:
    assert words_of(purifier_of(words)) == words


@pytest.mark.parametrize(
    ("chain", "told"),
    [("jpeg, zap", "no purifier zap"), ("jpeg 400", "less than or equal to 100"), ("jpeg colours=3", "no setting"),
     ("", "jpeg 40, then")],
)  # fmt: skip
def test_bad_words_are_refused_in_a_sentence(chain: str, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        PurifySettings(method="chain", chain=chain)


# --- IMPRESS's terms -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def by_usual_terms() -> dict[str, Tensor]:
    """What comes of the usual terms, by their weights: computed once."""
    return {}


@pytest.mark.parametrize(
    "terms",
    [{"consistency_term": name} for name in ("charbonnier", "lpips", "latent")]
    + [{"similarity_term": name, "delta": 0.0, "alpha": 1.0} for name in ("mse", "charbonnier")]
    + [{"optimiser": "projection", "delta": 0.0}],
    ids=str,
)
@pytest.mark.parametrize("variable", ["pixels", "latent"])
def test_the_loss_falls_with_any_terms(
    terms: dict, variable: str, shallow: DiffusionModel, protected: Tensor, by_usual_terms: dict[str, Tensor]
) -> None:
    settings = PurifySettings(variable=variable, consistency_weight=1, steps=3, learning_rate=0.01, **terms)
    steps = list(purify(protected, settings, shallow.autoencoder))
    assert steps[-1].losses["total"] < steps[0].losses["total"]
    usual = {"variable": variable, "consistency_term": "mse", "similarity_term": "lpips", "optimiser": "adam"}
    others = {name: settings.model_dump()[name] for name in ("delta", "alpha")} | usual
    if str(others) not in by_usual_terms:
        usually = settings.model_copy(update=others)
        by_usual_terms[str(others)] = run_to_end(purify(protected, usually, shallow.autoencoder)).result
    other = by_usual_terms[str(others)]
    # What a decoder draws is so consistent that nothing there may be opposed to the similarity.
    assert (variable, terms.get("optimiser")) == ("latent", "projection") or not torch.equal(steps[-1].result, other)


def test_charbonnier_is_its_formula() -> None:
    x, y = torch.rand(2, 3, 5, 7), torch.rand(2, 3, 5, 7)
    expected = np.sqrt((x - y).numpy().astype(np.float64) ** 2 + CHARBONNIER_EPS**2).mean(axis=(1, 2, 3))
    assert charbonnier(x, y).numpy() == pytest.approx(expected - CHARBONNIER_EPS, abs=1e-6)
    assert charbonnier(x, x).abs().max() < 1e-9


class Linear:
    """An objective of known gradients."""

    def __init__(self, driving: Tensor, holding: Tensor, rest: Tensor) -> None:
        self.parts = {"consistency": driving, "similarity": holding, "smoothness": rest}
        self.weights = {"consistency": 2.0, "similarity": 3.0, "fidelity": 0.0, "smoothness": 0.5}

    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        return {name: (x * part).flatten(1).sum(dim=1) for name, part in self.parts.items()}


def test_the_projection_takes_out_what_works_against_the_similarity() -> None:
    torch.manual_seed(0)
    holding, rest = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    driving = torch.randn(2, 3, 4, 4)
    inner = (driving * holding).flatten(1).sum(dim=1)
    driving[0] *= -inner[0].sign()  # the first picture's terms are opposed, the second's are not
    driving[1] *= inner[1].sign()
    linear = Linear(driving, holding, rest)
    x = torch.randn(2, 3, 4, 4, requires_grad=True)
    terms = OrthogonalProjection(linear)(x)
    assert all(torch.allclose(value, linear(x)[name], atol=1e-5) for name, value in terms.items())
    total = sum(linear.weights[name] * value for name, value in terms.items())
    (gradient,) = torch.autograd.grad(total.sum(), x)
    for number in (0, 1):
        a, b = 2 * driving[number].double().flatten(), 3 * holding[number].double().flatten()
        kept = a - (a @ b) / (b @ b) * b if number == 0 else a
        expected = kept + b + 0.5 * rest[number].double().flatten()
        assert torch.allclose(gradient[number].double().flatten(), expected, atol=1e-4)
    assert (project_out(driving, holding)[0] * holding[0]).sum().abs() < 1e-3
