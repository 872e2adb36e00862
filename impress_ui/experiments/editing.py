"""Does a protection spoil an edit, and which purifier brings the edit back?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image

from impress_ui.experiments.charts import Bars, Chart
from impress_ui.experiments.experiment import WHOLE_MODEL, Experiment, Record, Run, Sheet, Unit
from impress_ui.experiments.purifiers import (
    CONTROLS,
    FAST,
    batch_pictures,
    name_of,
    purified_at,
    rows_of,
    units_in_batches,
)
from impress_ui.experiments.settings import EditingSettings
from impress_ui.measures.metrics import measure
from impress_ui.methods.batches import BATCH
from impress_ui.methods.edit import edit
from impress_ui.models.diffusion_model import DiffusionModel, load_diffusion_model
from impress_ui.pictures import photographs
from impress_ui.settings import EditSettings, ProtectSettings

CLEAN = "clean"
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
SHEET_ROWS = 8
PICTURE_COLUMNS = ("ssim", "psnr", "vif", "lpips")


def units(settings: EditingSettings) -> list[Unit]:
    """Each photograph under each attack at each budget; a batch of them is a group."""
    return units_in_batches(settings, [{"attack": a, "budget": b} for a in settings.attacks for b in settings.budgets])


def run(unit: Unit, run: Run[EditingSettings]) -> list[Record]:
    """Records none, every control and IMPRESS of one photograph; the edit against the clean picture's edit."""
    settings, index = run.settings, unit.facts["index"]
    model = load_diffusion_model(settings.run)
    pictures, seconds = purified_at(
        unit, run, model.autoencoder, settings.paper_photographs, protection=ATTACKS[unit.key["attack"]], model=model
    )
    original = photographs.square(unit.key["photograph"], settings.split, settings.run.size)
    prompt = PROMPTS[index % len(PROMPTS)]

    def edit_all() -> dict[str, Image.Image]:
        wanted = settings.edit.model_copy(update={"prompt": prompt})
        return edits_of({CLEAN: original, **pictures}, wanted, model, settings.run.seed)

    if index < SHEET_ROWS:  # the others' edits are seen by nobody
        made = run.folder.pictures(_edits_key(unit), lambda: list(edit_all().values()))
        edits = dict(zip((CLEAN, *pictures), made, strict=True))
    else:
        edits = edit_all()
    return [
        {"prompt": prompt, "purifier": name, **_figures(edits[name], edits[CLEAN], picture, original), "seconds": spent}
        for (name, picture), spent in zip(pictures.items(), seconds.values(), strict=True)
    ]


def table(settings: EditingSettings, records: list[Record]) -> list[Record]:
    """Means over the photographs.

    ``gap_closed`` is the share of the distance from the protected edit's SSIM to 1 that the purifier wins back.
    """
    return _with_gap(rows_of(records, ("attack", "budget")))


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


def best_control(rows: Sequence[Record], attack: str, budget: int) -> str:
    """Name of the control whose edits are nearest to the clean ones, over all photographs."""
    controls = {name_of(settings) for settings in CONTROLS}
    ours = [r for r in rows if r["attack"] == attack and r["budget"] == budget and r["photographs"].startswith("all")]
    return max((r for r in ours if r["purifier"] in controls), key=lambda r: r["edit_ssim"])["purifier"]


def charts(settings: EditingSettings, rows: list[Record], records: list[Record]) -> list[Chart]:
    """For each attack and budget, how near the edit comes to the clean one's under each purifier."""
    drawn = []
    rows = [row for row in rows if row["photographs"].startswith("all")]
    for attack, budget in dict.fromkeys((row["attack"], row["budget"]) for row in rows):
        ours = [row for row in rows if (row["attack"], row["budget"]) == (attack, budget)]
        bars = [(row["purifier"], row["edit_ssim"], row["edit_ssim_se"]) for row in ours]
        title = f"Edit against the clean edit: {attack} attack, budget {budget}"
        drawn.append(Bars(f"{attack}_{budget}", title, "SSIM, with its standard error", bars))
    return drawn


def sheets(run: Run[EditingSettings], rows: list[Record]) -> list[Sheet]:
    """The first photographs and their edits: clean, protected, after the best control, after IMPRESS."""
    made = []
    for title in dict.fromkeys((row["attack"], row["budget"]) for row in rows):
        control = best_control(rows, *title)
        shown = {CLEAN: CLEAN, "none": "protected", control: control, name_of(FAST): "IMPRESS fast"}
        lines = []
        for unit in units(run.settings):
            index = unit.facts["index"]
            edits = run.folder.kept_pictures(_edits_key(unit)) if index < SHEET_ROWS else None
            if edits is None or (unit.key["attack"], unit.key["budget"]) != title:
                continue
            original = photographs.square(unit.key["photograph"], run.settings.split, run.settings.run.size)
            batches = {name: batch_pictures(unit, run, name) for name in list(shown)[1:]}
            pictures = [original, *(batch[index % BATCH] for batch in batches.values() if batch)]
            names = [CLEAN, "none", *(name_of(purifier) for purifier in (*CONTROLS, FAST))]
            lines.append([*pictures, *(edits[names.index(name)] for name in shown)])
        labels = [*shown.values(), *(f"edit: {label}" for label in shown.values())]
        made += [Sheet(f"{title[0]}_{title[1]}", labels, lines)] if lines else []
    return made


def _edits_key(unit: Unit) -> str:
    return f"{unit.name} edits"


def _figures(
    made: Image.Image, goal: Image.Image, picture: Image.Image, original: Image.Image
) -> dict[str, float | None]:
    of_edit, of_picture = measure(made, goal).as_dict(), measure(picture, original).as_dict()
    return {**{f"edit_{c}": of_edit[c] for c in PICTURE_COLUMNS}, **{c: of_picture[c] for c in PICTURE_COLUMNS}}


def _with_gap(rows: list[Record]) -> list[Record]:
    def scope(row: Record) -> tuple[str, int, str]:
        return row["attack"], row["budget"], row["photographs"]

    none = {scope(row): row["edit_ssim"] for row in rows if row["purifier"] == "none"}
    return [{**row, "gap_closed": (row["edit_ssim"] - none[scope(row)]) / (1 - none[scope(row)])} for row in rows]


def _facts(settings: EditingSettings, records: list[Record]) -> Record:
    edit = settings.edit
    return {
        "size": settings.run.size,
        "strength": edit.strength,
        "guidance": edit.guidance,
        "sampling_steps": edit.sampling_steps,
    }


EDITING = Experiment(
    "editing",
    "Whether a protection spoils an edit, and which purifier brings the edit back.",
    EditingSettings,
    units,
    run,
    table,
    charts,
    sheets,
    checkpoints=lambda settings: {settings.run.checkpoint: WHOLE_MODEL},
    facts=_facts,
)
