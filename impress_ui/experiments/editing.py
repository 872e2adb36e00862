"""Does a protection spoil an edit, and which purifier brings the edit back?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PIL import Image

from impress_ui.experiments import purifiers
from impress_ui.experiments.charts import Bars, Chart
from impress_ui.experiments.experiment import Experiment, PictureRow, Record, Run, Sheet, Unit, grouped, whole_model
from impress_ui.experiments.pictures import edits_of, prompt_of
from impress_ui.experiments.settings import EditingSettings
from impress_ui.measures.metrics import measure
from impress_ui.models.diffusion_model import load_diffusion_model
from impress_ui.settings import ProtectSettings

CLEAN = "clean"
# Both attacks at their defaults but for what two cores can wait for: the steps of the one through the sampler.
ATTACKS: dict[str, ProtectSettings] = {
    "encoder": ProtectSettings(),
    "diffusion": ProtectSettings(method="photoguard-diffusion", steps=24, repetitions=1, attacked_steps=2),
}
SHEET_ROWS = 8
TITLES = ("attack", "budget")
PICTURE_COLUMNS = ("ssim", "psnr", "vif", "lpips")


def units(settings: EditingSettings) -> list[Unit]:
    """Each photograph under each attack at each budget; a batch of them is a group."""
    titles = [{"attack": attack, "budget": budget} for attack in settings.attacks for budget in settings.budgets]
    return purifiers.units_in_batches(settings, titles)


def run(unit: Unit, run: Run[EditingSettings]) -> list[Record]:
    """Records none, every control and IMPRESS of one photograph; the edit against the clean picture's edit."""
    settings, name = run.settings, unit.key["photograph"]
    model = load_diffusion_model(settings.run)
    pictures, seconds = purifiers.purified_at(
        unit, run, model.autoencoder, settings.paper_photographs, protection=ATTACKS[unit.key["attack"]], model=model
    )
    original, prompt = run.original(name), prompt_of(name, settings)

    def edit_all() -> list[Image.Image]:
        return edits_of([original, *pictures.values()], settings.job.updated(edit={"prompt": prompt}))

    seen = unit.facts["index"] < SHEET_ROWS  # the others' edits are seen by nobody
    goal, *edits = run.folder.pictures(_edits_key(unit), edit_all) if seen else edit_all()
    return [
        {"prompt": prompt, "purifier": name, **_figures(made, goal, picture, original), "seconds": seconds[name]}
        for (name, picture), made in zip(pictures.items(), edits, strict=True)
    ]


def table(settings: EditingSettings, records: list[Record]) -> list[Record]:
    """Means over the photographs.

    ``gap_closed`` is the share of the distance from the protected edit's SSIM to 1 that the purifier wins back.
    """
    rows = purifiers.rows_of(records, TITLES)
    none = {_scope(row): row["edit_ssim"] for row in rows if row["purifier"] == "none"}
    return [{**row, "gap_closed": (row["edit_ssim"] - none[_scope(row)]) / (1 - none[_scope(row)])} for row in rows]


def best_control(rows: Sequence[Record], attack: str, budget: int) -> str:
    """Name of the control whose edits are nearest to the clean ones, over all photographs."""
    controls = {purifiers.name_of(settings) for settings in purifiers.CONTROLS}
    ours = purifiers.over_everything(rows, TITLES)[attack, budget]
    return max((r for r in ours if r["purifier"] in controls), key=lambda r: r["edit_ssim"])["purifier"]


def charts(settings: EditingSettings, rows: list[Record], records: list[Record]) -> list[Chart]:
    """For each attack and budget, how near the edit comes to the clean one's under each purifier."""
    drawn = []
    for (attack, budget), ours in purifiers.over_everything(rows, TITLES).items():
        bars = [(row["purifier"], row["edit_ssim"], row["edit_ssim_se"]) for row in ours]
        title = f"Edit against the clean edit: {attack} attack, budget {budget}"
        drawn.append(Bars(f"{attack}_{budget}", title, "SSIM, with its standard error", bars))
    return drawn


def sheets(run: Run[EditingSettings], rows: list[Record]) -> list[Sheet]:
    """The first photographs and their edits: clean, protected, after the best control, after IMPRESS."""
    controls, fast = map(purifiers.name_of, purifiers.CONTROLS), purifiers.name_of(purifiers.FAST)
    edited = [CLEAN, "none", *controls, fast]  # in the order of the kept edits

    def pictures(title: tuple[str, int], shown: Sequence[str], name: str) -> PictureRow:
        unit = purifiers.unit_of(dict(zip(TITLES, title, strict=True)), name, run.settings)
        edits = run.folder.kept_pictures(_edits_key(unit))
        purified = [purifiers.kept_picture(unit, run, purifier) for purifier in shown[1:]]
        return [run.original(name), *purified, *(edits and edits[edited.index(purifier)] for purifier in shown)]

    drawn = []
    for title in grouped(rows, TITLES):
        control = best_control(rows, *title)
        labels = [CLEAN, "protected", control, "IMPRESS fast"]
        row_of = partial(pictures, title, (CLEAN, "none", control, fast))
        everything = [*labels, *(f"edit: {label}" for label in labels)]
        drawn += run.sheet(f"{title[0]}_{title[1]}", everything, row_of, width=192, rows=SHEET_ROWS)
    return drawn


def _scope(row: Record) -> tuple[str, int, str]:
    return row["attack"], row["budget"], row["photographs"]


def _edits_key(unit: Unit) -> str:
    return f"{unit.name} edits"


def _figures(
    made: Image.Image, goal: Image.Image, picture: Image.Image, original: Image.Image
) -> dict[str, float | None]:
    of_edit, of_picture = measure(made, goal).as_dict(), measure(picture, original).as_dict()
    return {**{f"edit_{c}": of_edit[c] for c in PICTURE_COLUMNS}, **{c: of_picture[c] for c in PICTURE_COLUMNS}}


def _facts(settings: EditingSettings, records: list[Record]) -> Record:
    shown = ("strength", "guidance", "sampling_steps")
    return {"size": settings.run.size, **{name: getattr(settings.edit, name) for name in shown}}


EDITING = Experiment(
    "editing",
    "Whether a protection spoils an edit, and which purifier brings the edit back.",
    EditingSettings,
    units,
    run,
    table,
    charts,
    sheets,
    checkpoints=whole_model,
    facts=_facts,
    learned=lambda settings: True,  # it is one of the controls
)
