"""Seconds a step: the published algorithm, ours, and the floor, which is the bare passes that nobody can do without."""

from __future__ import annotations

from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor

from impress_ui.art.artists.works import Work
from impress_ui.bench import published
from impress_ui.bench.clock import Case, passing, ratio, stepping, time_in_turn
from impress_ui.bench.plan import Plan, Report
from impress_ui.methods import mimic
from impress_ui.methods.attacks.diffusion_attack import EditDistance
from impress_ui.methods.edit import edit
from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.protect import protect
from impress_ui.methods.purify import purify
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel, load_diffusion_model
from impress_ui.models.graphs import Passes
from impress_ui.models.perceptual import load_perceptual
from impress_ui.settings import EditSettings, MimicSettings, ProtectSettings, PurifySettings

FAST_CYCLE = 10  # the fast recipe looks at the consistency at every tenth step
EDITED = 3  # original, protected, purified
SAMPLING = EditSettings(sampling_steps=8, prompt="an oil painting of a mountain")
BY_STAGES = Passes(together=False, at_once=1)  # how the diffusion attack's gradient is taken where memory is short
LONG = 2000  # no run ends while it is timed


def seconds_a_step(plan: Plan) -> Report:
    """For each job, seconds of each way of doing it, and the ratios to the published way and to the floor."""
    model = load_diffusion_model(plan.run)
    jobs: dict[str, Callable[[Plan, DiffusionModel], dict[str, Case]]] = {
        "encoder attack": _encoder_attack,
        "glaze": _glaze,
        "diffusion attack": _diffusion_attack,
        "impress": _impress,
        "edit": _edit,
        "lora": _lora,
    }
    report: Report = {}
    for name, cases_of in jobs.items():
        plan.log(f"seconds a step: {name}")
        times = time_in_turn(cases_of(plan, model), plan.repeats, plan.device)
        published_way = times.pop("published")
        floors = {way: times.pop(way) for way in list(times) if way.startswith("floor")}
        report[name] = {
            "published": published_way.as_dict(),
            **{way: taken.as_dict() for way, taken in (times | floors).items()},
            "speedup": {way: ratio(published_way, taken) for way, taken in times.items()},
            "over_floor": {
                way: ratio(taken, floors.get(f"floor of {way}", floors["floor"])) for way, taken in times.items()
            },
        }
    return report


def _encoder_attack(plan: Plan, model: DiffusionModel) -> dict[str, Case]:
    x, autoencoder = plan.tensor(), model.autoencoder
    settings = ProtectSettings(steps=LONG)
    return {
        "published": stepping(published.encoder_attack(x, settings, autoencoder)),
        "ours": stepping(protect(x, settings, autoencoder)),
        "floor": passing((autoencoder.encode, x)),
    }


def _glaze(plan: Plan, model: DiffusionModel) -> dict[str, Case]:
    autoencoder = model.autoencoder
    x, target = plan.tensor(2).split(1)
    settings = ProtectSettings(method="glaze", steps=LONG)
    return {
        "published": stepping(published.glaze(x, target, settings, autoencoder)),
        "ours": stepping(protect(x, settings, autoencoder, target=target)),
        "floor": passing((autoencoder.encode, x), (lpips_to(x, autoencoder), x)),
    }


def diffusion_attack_settings(plan: Plan) -> ProtectSettings:
    """The attack as published, ten repetitions; four of them where little time is to be spent."""
    return ProtectSettings(method="photoguard-diffusion", steps=LONG, repetitions=4 if plan.quick else 10)


def _diffusion_attack(plan: Plan, model: DiffusionModel) -> dict[str, Case]:
    x, settings = plan.tensor(), diffusion_attack_settings(plan)
    attack = published.DiffusionAttack(model, settings, torch.zeros_like(x), seed=0)
    autoencoder, text = model.autoencoder, model.embed("")
    with torch.no_grad():
        z = autoencoder.encode(x)

    def denoise(latent: Tensor) -> Tensor:
        return model.unet(latent.to(model.dtype), 500, text).sample.float()

    # A repetition differentiates through its sampling steps and the decoder; the encoder is the same for all.
    repetition = [*[(denoise, z)] * settings.attacked_steps, (autoencoder.decode, z)]
    by_stages = EditDistance(model, settings, torch.zeros_like(x), seed=0, passes=BY_STAGES)
    return {
        "published": Case(lambda: attack.gradient(x)),
        "ours": stepping(protect(x, settings, autoencoder, model=model)),
        "ours, stage by stage": passing((lambda at: by_stages(at)["edit distance"], x)),
        "floor": passing((autoencoder.encode, x), *repetition * settings.repetitions),
    }


def _impress(plan: Plan, model: DiffusionModel) -> dict[str, Case]:
    x, autoencoder = attacked(plan, model.autoencoder), model.autoencoder
    paper, fast = PurifySettings(recipe="paper", steps=LONG), PurifySettings(steps=LONG)
    lpips = (lpips_to(x, autoencoder), x)
    with torch.no_grad():
        z = autoencoder.encode(x)
    return {
        "published": stepping(published.impress(x, paper, autoencoder)),
        "paper": stepping(purify(x, paper, autoencoder)),
        "fast": stepping(purify(x, fast, autoencoder), FAST_CYCLE),
        "floor": passing((autoencoder.reconstruct, x), lpips),
        # What is optimised is a latent: the encoder is not differentiated.
        "floor of fast": passing((autoencoder.decode, z), lpips),
    }


def _edit(plan: Plan, model: DiffusionModel) -> dict[str, Case]:
    images = plan.pictures(EDITED)

    def run(pictures: list[Image.Image]) -> None:
        for _ in edit(pictures, SAMPLING, model):
            pass

    def one_by_one() -> None:
        for image in images:
            run([image])

    x = plan.tensor(EDITED)
    text = torch.cat([model.embed(SAMPLING.prompt), model.embed("")]).repeat_interleave(EDITED, dim=0)

    @torch.no_grad()
    def bare() -> None:
        z = model.autoencoder.encode(x)
        both = torch.cat([z, z]).to(model.dtype)
        for _ in range(int(SAMPLING.sampling_steps * SAMPLING.strength)):
            model.unet(both, 500, text)
        model.autoencoder.decode(z)

    return {"published": Case(one_by_one), "ours": Case(lambda: run(images)), "floor": Case(bare)}


def _lora(plan: Plan, model: DiffusionModel) -> dict[str, Case]:
    works = [Work(image, SAMPLING.prompt, "", "") for image in plan.pictures(8)]
    lora = MimicSettings(steps=LONG, preview_every=0)
    whole = MimicSettings(steps=LONG, preview_every=0, tuning="full", learning_rate=1e-6)
    ours = mimic.FineTuning(model, works, lora)
    z = ours.latents[: lora.batch].to(plan.device)
    text = model.embed(SAMPLING.prompt).expand(len(z), -1, -1)
    return {
        "published": stepping(mimic.FineTuning(model, works, whole).run()),
        "ours": stepping(ours.run()),
        "floor": passing((lambda at: model.unet(at.to(model.dtype), 500, text).sample.float(), z)),
    }


def attacked(plan: Plan, autoencoder: Autoencoder, count: int = 1, side: int | None = None) -> Tensor:
    """Test photographs under the encoder attack at budget 16."""
    x = plan.tensor(count, side)
    result = run_to_end(protect(x, ProtectSettings(), autoencoder, seed=plan.run.seed)).result
    assert result is not None
    return result


def lpips_to(reference: Tensor, autoencoder: Autoencoder) -> Callable[[Tensor], Tensor]:
    """LPIPS to a picture whose features are computed once."""
    network = load_perceptual(autoencoder.similarity_network("auto"), autoencoder.device)
    with torch.no_grad():
        features = network.features(reference)
    return lambda x: network.between(network.features(x), features)
