"""Settings as files, links and presets: they come back whole, and what is wrong with them is said."""

import json
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydantic import ValidationError

from impress_ui.__main__ import main
from impress_ui.errors import UserError
from impress_ui.jobs import documents
from impress_ui.jobs.workflow import describe_result
from impress_ui.models.autoencoder import load_autoencoder
from impress_ui.models.fingerprint import fingerprint
from impress_ui.pictures.images import save_png
from impress_ui.pictures.photographs import names_of
from impress_ui.settings import JobSettings, RunSettings, sentence_of
from impress_ui.settings.presets import EXAMPLES, KEPT, PRESETS
from impress_ui.ui.prompts import EDIT_EXAMPLES, STYLES, SUBJECTS

EMBEDDED_VAE = Path(__file__).resolve().parents[2] / "assets/micro-ldm/vae/diffusion_pytorch_model.safetensors"
# Prompts as people write them: any character, signs that a query gives a meaning to, other scripts.
WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=30) | st.sampled_from(
    ["a=b&c", "é+%20", "#?.", " x "]
)
JOBS = st.fixed_dictionaries(
    {},
    optional={
        "run": st.fixed_dictionaries({"seed": st.integers(0, 2**31 - 1), "size": st.sampled_from([64, 128, 512])}),
        "protect": st.fixed_dictionaries(
            {"method": st.sampled_from(["photoguard-encoder", "glaze", "aspl"])},
            optional={
                "steps": st.sampled_from([40, 300, 500, 7]), "random_start": st.booleans(), "attacked_prompt": WORDS,
                "beta": st.floats(0, 1e6), "glaze_rate": st.floats(1e-4, 0.2),
            },
        ),
        "purify": st.fixed_dictionaries(
            {"recipe": st.sampled_from(["fast", "paper", "fast-style"])},
            optional={
                "steps": st.sampled_from([40, 3000, 5]), "trust_radius": st.sampled_from([0, 24, 32]),
                "chain": st.lists(st.sampled_from(["jpeg 40", "fast", "paper steps=300"]), min_size=1, max_size=3),
            },
        ),
        "edit": st.fixed_dictionaries({"prompt": WORDS, "strength": st.floats(0.05, 1)}),
        "stress": st.fixed_dictionaries(
            {"purifiers": st.lists(st.sampled_from(["jpeg 25", "jpeg 40, then fast", "as-set"]), max_size=3)}
        ),
    },
).map(JobSettings.model_validate)  # fmt: skip


@given(JOBS)
@settings(max_examples=150, deadline=None)
def test_a_link_and_a_file_give_the_settings_again(job: JobSettings) -> None:
    query = documents.to_query(job)
    assert documents.from_link(f"http://host/path?__theme=dark&{query}#there") == job
    assert documents.from_json(documents.to_json(job), "it") == job
    assert documents.checked(documents.compact(job)) == job
    assert documents.has_settings("?" + query) == bool(query)


def test_a_link_says_only_what_differs() -> None:
    assert documents.to_query(JobSettings()) == ""
    assert not documents.has_settings("?__theme=dark&view=api")
    paper = JobSettings().updated(purify={"recipe": "paper"}, protect={"budget": 8})
    assert dict(parse_qsl(documents.to_query(paper))) == {"purify.recipe": "paper", "protect.budget": "8"}
    # A recipe's own value has to be named where it is not the one that the recipe brings.
    short = JobSettings().updated(purify={"recipe": "paper", "steps": JobSettings().purify.steps})
    assert documents.from_link(documents.to_query(short)).purify.steps == 40


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("?protect.budget=9999", "protect.budget is not valid"),
        ("?protect.budget=eight", "given: eight"),
        ("?protect.bugdet=8&run.sead=1", "no setting named run.sead, protect.bugdet"),
        ("?nothing.here=1", "no setting named nothing"),
        ("?.=1", "no setting named"),
        ("?run.seed=nan", "run.seed is not valid"),
        ("?purify.alpha=inf", "purify.alpha is not valid"),
        ("?stress.purifiers=zap", "no purifier zap"),
        ("?purify.chain=chain", "purify.chain"),
        ("?edit.prompt=" + "x" * 3000, "edit.prompt is not valid"),
        ("?a.b=" + "x" * 9000, "too long"),
        ("?" + "a.b=1&" * 400, "too many"),
        ("?protect.budget=%00", "protect.budget is not valid"),
        ("?protect.__class__=1", "no setting named protect.__class__"),
    ],
)  # fmt: skip
def test_a_hostile_link_gets_a_sentence(link: str, told: str) -> None:
    with pytest.raises((UserError, ValidationError)) as caught:
        documents.read_settings(link)
    sentence = sentence_of(caught.value) if isinstance(caught.value, ValidationError) else str(caught.value)
    assert told in sentence and len(sentence) < 400 and "\n" not in sentence


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[1, 2]", "must be an object"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"protect": {"budget": ' + "9" * 5000 + "}}", "not JSON"),
        ('{"protect": {"budget": NaN}}', "protect.budget is not valid"),
        ('{"protect": 3}', "protect is not valid"),
        ('{"version": 2}', "version is not valid"),
        ('{"run": {"seed": -1}, "x": 1, "protect": {"y": 2}}', "no setting named protect.y, x"),
        ('{"edit": {"prompt": "\\ud800"}}', "edit.prompt is not valid"),
        ('{"' + "k" * 5000 + '": 1}', "no setting named kkk"),
        ("{" + ",".join(f'"k{n}": 1' for n in range(40)) + "}", "and 35 more"),
        (" " * 300_000, "too long"),
    ],
)
def test_a_hostile_file_gets_a_sentence(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "settings.json"
    file.write_text(text)
    with pytest.raises((UserError, ValidationError)) as caught:
        documents.read_settings(file)
    sentence = sentence_of(caught.value) if isinstance(caught.value, ValidationError) else str(caught.value)
    assert told in sentence and len(sentence) < 400 and "\n" not in sentence
    sentence.encode()


def test_pictures_hold_settings_and_bad_ones_get_a_sentence(tmp_path: Path) -> None:
    job, picture = JobSettings().updated(run={"seed": 5}), Image.new("RGB", (40, 40))
    good = save_png(picture, tmp_path / "good.png", describe_result("protected", job))
    # By what it is, not by its name: uploads lose theirs.
    assert documents.read_settings(good.rename(tmp_path / "blob")) == job
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes((tmp_path / "blob").read_bytes()[:60])
    for path in (save_png(picture, tmp_path / "bare.png"), damaged):
        with pytest.raises(UserError, match="carries no settings"):
            documents.read_settings(path)
    text = PngInfo()
    text.add_itxt("impress", json.dumps({"settings": {"protect": {"budget": 1e9}}}))
    picture.save(tmp_path / "hostile.png", pnginfo=text)
    with pytest.raises(ValidationError, match="budget"):
        documents.read_settings(tmp_path / "hostile.png")
    bomb = PngInfo()
    bomb.add_itxt("impress", '"' + "0" * 3_000_000 + '"', zip=True)
    picture.save(tmp_path / "bomb.png", pnginfo=bomb)
    with pytest.raises(UserError, match="carries no settings"):
        documents.read_settings(tmp_path / "bomb.png")
    with pytest.raises(UserError, match="cannot be read"):
        documents.read_settings("nowhere")


def test_a_report_is_a_settings_file(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    job = JobSettings().updated(purify={"steps": 3})
    file.write_text(json.dumps({"command": "purify", "losses": {}, "settings": job.model_dump(mode="json")}))
    assert documents.read_settings(file) == job


def test_presets_keep_seed_model_and_prompts() -> None:
    mine = JobSettings().updated(
        run={"seed": 7, "checkpoint": "elsewhere", "size": 512}, edit={"prompt": "mine"}, protect={"budget": 3}
    )
    for preset in PRESETS.values():
        after = preset.applied_to(mine)
        assert all(
            getattr(getattr(after, s), name) == getattr(getattr(mine, s), name) for s in KEPT for name in KEPT[s]
        )
        assert preset.applied_to(after) == after
        assert after.protect.budget != 3
    paper = PRESETS["paper-style"].applied_to(mine)
    assert (paper.protect.method, paper.protect.steps, paper.purify.steps, paper.purify.delta) == (
        "glaze",
        500,
        3000,
        0.1,
    )
    assert paper.purify.alpha == 0.1 and paper.mimic.tuning == "full"
    editing = PRESETS["paper-editing"].applied_to(mine)
    assert editing.protect.norm == "l2" and editing.purify.alpha == 0.01 and editing.purify.steps == 1000
    assert documents.read_settings("quick") == PRESETS["quick"].applied_to(JobSettings())


def test_examples_are_held_out_photographs_with_settings_in_known_words() -> None:
    assert set(EXAMPLES) <= set(names_of("test"))
    for example in EXAMPLES.values():
        prompt = example.job.edit.prompt
        assert any(style in prompt for style in STYLES) and any(subject in prompt for subject in SUBJECTS)
    assert len({documents.to_query(example.job) for example in EXAMPLES.values()}) == len(EXAMPLES)
    assert EDIT_EXAMPLES


def test_saved_pictures_name_the_weights() -> None:
    import hashlib

    load_autoencoder(RunSettings(device="cpu"))
    described = describe_result("protected", JobSettings().updated(run={"seed": 3}))
    assert described["checkpoint"]["sha256"]["vae"] == hashlib.sha256(EMBEDDED_VAE.read_bytes()).hexdigest()
    assert described["checkpoint"]["name"] == "embedded" and described["seed"] == 3
    assert set(described["versions"]) >= {"python", "torch", "diffusers"}
    assert "vae" in fingerprint("embedded")


def test_changed_names_what_differs() -> None:
    after = JobSettings().updated(protect={"budget": 8}, run={"seed": 1})
    assert documents.changed(JobSettings(), after) == {"protect.budget": (16, 8), "run.seed": (0, 1)}


def test_the_command_prints_settings_that_it_reads_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def run(*words: str) -> str:
        monkeypatch.setattr("sys.argv", ["impress_ui", "settings", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
        return capsys.readouterr().out

    file = tmp_path / "settings.json"
    file.write_text(run("?protect.budget=8&purify.recipe=paper"))
    told = json.loads(run(str(file), "--json"))
    assert told["settings"]["protect"]["budget"] == 8 and told["settings"]["purify"]["steps"] == 3000
    assert documents.read_settings(told["link"]) == documents.read_settings(file)
    assert run("paper-style", "--link").strip() == "?" + documents.to_query(documents.read_settings("paper-style"))
