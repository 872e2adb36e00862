"""Does a protection spoil an edit, and which purifier brings the edit back?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from impress_ui.core import photographs
from impress_ui.core.contact_sheet import contact_sheet
from impress_ui.core.diffusion_model import DiffusionModel, load_diffusion_model
from impress_ui.core.edit import edit
from impress_ui.core.errors import UserError
from impress_ui.core.experiments.common import Plan, Report, protected_at
from impress_ui.core.experiments.purifiers import CONTROLS, FAST, mean_rows, name_of, purify_all
from impress_ui.core.metrics import measure
from impress_ui.settings import EditSettings, ProtectSettings

# One prompt a photograph, in turn: whatever the photograph shows, it is to become this.
PROMPTS = (
    "an oil painting of a mountain",
    "a watercolour of the sea",
    "a photograph of a desert",
    "a pencil sketch of a city",
    "a photograph of a snowy landscape",
    "an oil painting of a forest",
)
# Both attacks at their defaults but for what two cores can wait for: the steps of the one through the sampler.
ATTACKS: dict[str, ProtectSettings] = {
    "encoder": ProtectSettings(),
    "diffusion": ProtectSettings(method="photoguard-diffusion", steps=24, repetitions=1, attacked_steps=2),
}
BUDGETS = (16,)
SHEET_ROWS = 8


def editing(plan: Plan) -> Report:
    """Rows none, every control and IMPRESS, for each attack; the edit against the clean picture's edit.

    ``gap_closed`` is the share of the distance from the protected edit's SSIM to 1 that the purifier wins back.
    """
    job, attacks = plan.job, plan.attacks or tuple(ATTACKS)
    if unknown := set(attacks) - set(ATTACKS):
        raise UserError(f"There is no attack {unknown.pop()}; choose from {', '.join(ATTACKS)}.")
    model = load_diffusion_model(job.run)
    clean = photographs.squares(plan.split, job.run.size, plan.photographs)
    names = photographs.names_of(plan.split)
    rows: list[Report] = []
    records: list[Report] = []
    for attack in attacks:
        settings = ATTACKS[attack]
        for budget in plan.budgets or BUDGETS:
            title = {"attack": attack, "budget": budget}
            plan.log(f"{attack} attack, budget {budget}: protecting {len(clean)} photographs")
            protected, _ = protected_at(budget, clean, plan, model.autoencoder, settings=settings, model=model)
            results, seconds = purify_all(protected, plan, model.autoencoder, f"{attack} attack, budget {budget}")
            plan.log(f"{attack} attack, budget {budget}: editing")
            edits = [
                edits_of({"clean": picture, **_at(results, i)}, _settings(job.edit, i), model, job.run.seed)
                for i, picture in enumerate(clean)
            ]
            figures = [
                {
                    name: _figures(made, photo["clean"], picture, original)
                    for name, made, picture in _pairs(photo, results, i)
                }
                for i, (photo, original) in enumerate(zip(edits, clean, strict=True))
            ]
            for i, by_name in enumerate(figures):
                about = {**title, "photograph": names[i], "prompt": PROMPTS[i % len(PROMPTS)]}
                records += [{**about, "purifier": name, **row} for name, row in by_name.items()]
            rows += _with_gap(mean_rows(figures, seconds, title, plan.paper_photographs))
            best = best_control(rows, attack, budget)
            _sheet(plan.output / f"editing_{attack}_{budget}.png", clean, results, edits, best)
    return {
        "size": job.run.size,
        "strength": job.edit.strength,
        "guidance": job.edit.guidance,
        "sampling_steps": job.edit.sampling_steps,
        "rows": rows,
        "per_photograph": records,
    }


def edits_of(
    pictures: Mapping[str, Image.Image], settings: EditSettings, model: DiffusionModel, seed: int, batch: int = 8
) -> dict[str, Image.Image]:
    """The edit of each picture, all from the same noise."""
    names, made = list(pictures), []
    for first in range(0, len(names), batch):
        batch_of = [pictures[name] for name in names[first : first + batch]]
        *_, last = edit(batch_of, settings, model, seed=seed)
        assert last.results is not None
        made += last.results
    return dict(zip(names, made, strict=True))


def best_control(rows: Sequence[Report], attack: str, budget: int) -> str:
    """Name of the control whose edits are nearest to the clean ones, over all photographs."""
    controls = {name_of(settings) for settings in CONTROLS}
    ours = [r for r in rows if r["attack"] == attack and r["budget"] == budget and r["photographs"].startswith("all")]
    return max((r for r in ours if r["purifier"] in controls), key=lambda r: r["edit_ssim"])["purifier"]


def _at(results: Mapping[str, list[Image.Image]], photo: int) -> dict[str, Image.Image]:
    return {name: images[photo] for name, images in results.items() if photo < len(images)}


def _pairs(edits: Mapping[str, Image.Image], results: Mapping[str, list[Image.Image]], photo: int):
    return [(name, edits[name], picture) for name, picture in _at(results, photo).items()]


def _settings(settings: EditSettings, photo: int) -> EditSettings:
    return settings.model_copy(update={"prompt": PROMPTS[photo % len(PROMPTS)]})


def _figures(
    made: Image.Image, goal: Image.Image, picture: Image.Image, original: Image.Image
) -> dict[str, float | None]:
    of_edit, of_picture = measure(made, goal).as_dict(), measure(picture, original).as_dict()
    columns = ("ssim", "psnr", "vif", "lpips")
    return {**{f"edit_{c}": of_edit[c] for c in columns}, **{c: of_picture[c] for c in columns}}


def _with_gap(rows: list[Report]) -> list[Report]:
    none = {row["photographs"]: row["edit_ssim"] for row in rows if row["purifier"] == "none"}
    return [
        {**row, "gap_closed": (row["edit_ssim"] - none[row["photographs"]]) / (1 - none[row["photographs"]])}
        for row in rows
    ]


def _sheet(
    path: Path,
    clean: Sequence[Image.Image],
    results: Mapping[str, list[Image.Image]],
    edits: Sequence[Mapping[str, Image.Image]],
    control: str,
) -> None:
    shown = {"clean": "clean", "none": "protected", control: control, name_of(FAST): "IMPRESS fast"}
    rows = []
    for i in range(min(SHEET_ROWS, len(clean))):
        pictures = {"clean": clean[i], **_at(results, i)}
        rows.append([*(pictures[name] for name in shown), *(edits[i][name] for name in shown)])
    contact_sheet(path, [*shown.values(), *(f"edit: {label}" for label in shown.values())], rows)
