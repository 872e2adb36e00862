"""LoRA files: each dialect adds what its formula says, several add up, and what does not fit is told."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from impress_ui.__main__ import main
from impress_ui.cli import files
from impress_ui.errors import UserError
from impress_ui.experiments.runner import checkpoint_hashes
from impress_ui.jobs.workflow import describe_result
from impress_ui.models.diffusion_model import DiffusionModel, load_diffusion_model
from impress_ui.models.lora import loras_of, read_lora
from impress_ui.settings import JobSettings, RunSettings
from tests.unit.single_files import save_sd1, save_sdxl

RANK, ALPHA = 4, 2.0
UNET_LAYER = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
TEXT_LAYER = "encoder.layers.1.self_attn.q_proj"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("lora") / "one.safetensors"
    save_sd1(file)
    return file


def halves(width: int, seed: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(seed)
    return torch.randn(RANK, width), torch.randn(width, RANK)


def kohya(file: Path, down: Tensor, up: Tensor) -> None:
    """As its trainer writes it: for each layer two halves and an alpha; of a text encoder all that attend."""
    text = f"lora_te_text_model_{TEXT_LAYER.replace('.', '_')}"
    tensors = {}
    for name in (f"lora_unet_{UNET_LAYER.replace('.', '_')}", text, text.replace("q_proj", "out_proj")):
        tensors |= {f"{name}.lora_down.weight": down.clone(), f"{name}.lora_up.weight": up.clone()}
        tensors[f"{name}.alpha"] = torch.tensor(ALPHA)
    save_file(tensors, file)


def ours(file: Path, down: Tensor, up: Tensor) -> None:
    save_file({f"{UNET_LAYER}.lora_A.weight": down, f"{UNET_LAYER}.lora_B.weight": up}, file)


def diffusers(file: Path, down: Tensor, up: Tensor) -> None:
    name = f"unet.{UNET_LAYER}"
    save_file({f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}, file)


def peft(file: Path, down: Tensor, up: Tensor) -> None:
    name = f"base_model.model.{UNET_LAYER}"
    save_file({f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}, file)
    (file.parent / "adapter_config.json").write_text(json.dumps({"r": RANK, "lora_alpha": ALPHA}))


def of(model: DiffusionModel, text: bool = False) -> Tensor:
    """The weights of the layer that the LoRAs are for."""
    if not text:
        return model.unet.get_submodule(UNET_LAYER).weight.detach().clone()
    state = {name.removeprefix("text_model."): value for name, value in model.text_encoders[0].state_dict().items()}
    return state[f"{TEXT_LAYER}.weight"].clone()


@pytest.mark.parametrize(
    ("write", "scale", "text"),
    [(kohya, ALPHA / RANK, True), (diffusers, 1.0, False), (peft, ALPHA / RANK, False), (ours, 1.0, False)],
)
def test_each_dialect_adds_what_its_formula_says(
    checkpoint: Path, tmp_path: Path, write: Callable[[Path, Tensor, Tensor], None], scale: float, text: bool
) -> None:
    plain = load_diffusion_model(RunSettings(checkpoint=str(checkpoint)))
    before, text_before = of(plain), of(plain, text=True)
    down, up = halves(64, 5)
    write(tmp_path / "a.safetensors", down, up)
    model = load_diffusion_model(RunSettings(checkpoint=str(checkpoint), lora=f"{tmp_path}/a.safetensors:0.5"))
    change = 0.5 * scale * up @ down
    assert torch.allclose(of(model), before + change, atol=1e-5)
    assert torch.allclose(of(model, text=True), text_before + change * text, atol=1e-5)


def test_every_layer_has_its_own_alpha(checkpoint: Path, tmp_path: Path) -> None:
    plain = load_diffusion_model(RunSettings(checkpoint=str(checkpoint)))
    layers = [UNET_LAYER, UNET_LAYER.replace("to_q", "to_k"), UNET_LAYER.replace("to_q", "to_v")]
    before = [plain.unet.get_submodule(layer).weight.clone() for layer in layers]
    tensors, changes = {}, []
    for number, (layer, rank, alpha) in enumerate(zip(layers, (2, 4, 4), (2.0, 1.0, None), strict=True)):
        torch.manual_seed(number)
        down, up, name = torch.randn(rank, 64), torch.randn(64, rank), f"lora_unet_{layer.replace('.', '_')}"
        tensors |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}
        if alpha is not None:  # a layer without one has its rank
            tensors[f"{name}.alpha"] = torch.tensor(alpha)
        changes.append((alpha or rank) / rank * up @ down)
    save_file(tensors, tmp_path / "a.safetensors")
    model = load_diffusion_model(RunSettings(checkpoint=str(checkpoint), lora=f"{tmp_path}/a.safetensors"))
    for layer, old, change in zip(layers, before, changes, strict=True):
        assert torch.allclose(model.unet.get_submodule(layer).weight, old + change, atol=1e-4), layer


@pytest.mark.parametrize(
    ("head", "beside", "scale"),
    [
        ({"unet.r": 4, "unet.lora_alpha": 1}, {}, 1 / 4),
        ({"unet.r": 4, "unet.lora_alpha": 1, "unet.alpha_pattern": {"attn1.to_q": 8}}, {}, 2.0),
        ({}, {"r": 4, "lora_alpha": 1, "use_rslora": True}, 1 / 2),
    ],
)
def test_its_maker_s_scale_is_believed(
    checkpoint: Path, tmp_path: Path, head: dict[str, object], beside: dict[str, object], scale: float
) -> None:
    before = of(load_diffusion_model(RunSettings(checkpoint=str(checkpoint))))
    down, up = halves(64, 9)
    name = f"{'base_model.model' if beside else 'unet'}.{UNET_LAYER}"
    told = {"lora_adapter_metadata": json.dumps(head)} if head else {}
    pair = {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}
    save_file(pair, tmp_path / "a.safetensors", metadata=told)
    (tmp_path / "adapter_config.json").write_text(json.dumps(beside))
    model = load_diffusion_model(RunSettings(checkpoint=str(checkpoint), lora=f"{tmp_path}/a.safetensors"))
    assert torch.allclose(of(model), before + scale * up @ down, atol=1e-4)


def test_several_add_up(checkpoint: Path, tmp_path: Path) -> None:
    before = of(load_diffusion_model(RunSettings(checkpoint=str(checkpoint))))
    changes = []
    for number, weight in enumerate((1.0, -0.25)):
        down, up = halves(64, number)
        diffusers(tmp_path / f"{number}.safetensors", down, up)
        changes.append(weight * up @ down)
    words = f"{tmp_path}/0.safetensors, {tmp_path}/1.safetensors:-0.25"
    model = load_diffusion_model(RunSettings(checkpoint=str(checkpoint), lora=words))
    assert torch.allclose(of(model), before + sum(changes), atol=1e-4)


def test_kohyas_names_of_sdxl_find_their_blocks(tmp_path: Path) -> None:
    file, layer = tmp_path / "xl.safetensors", "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
    save_sdxl(file)
    before = load_diffusion_model(RunSettings(checkpoint=str(file))).unet.get_submodule(layer).weight.clone()
    down, up = halves(128, 7)
    name = "lora_unet_input_blocks_3_1_transformer_blocks_0_attn1_to_q"
    save_file({f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}, tmp_path / "a.safetensors")
    model = load_diffusion_model(RunSettings(checkpoint=str(file), lora=f"{tmp_path}/a.safetensors"))
    assert torch.allclose(model.unet.get_submodule(layer).weight, before + up @ down, atol=1e-4)


def test_words_name_files_and_weights(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").touch()
    file = (tmp_path / "a.safetensors").absolute()
    assert loras_of(f"{file}") == [(file, 1.0)] and loras_of(f" {file}:-0.5 ,") == [(file, -0.5)]
    assert loras_of("") == []
    for words in (f"{file}:strong", "~no-such-person/a.safetensors", "x" * 400):
        with pytest.raises(UserError, match="no LoRA file"):
            loras_of(words)
    for weight in ("nan", "inf"):
        with pytest.raises(UserError, match="cannot have the weight"):
            loras_of(f"{file}:{weight}")


def _pair(layer: str, width: int) -> dict[str, Tensor]:
    return {f"{layer}.lora_A.weight": torch.zeros(4, width), f"{layer}.lora_B.weight": torch.zeros(width, 4)}


def _other(key: str) -> dict[str, Tensor]:
    return {f"lora_unet_{UNET_LAYER.replace('.', '_')}.{key}": torch.zeros(4, 4)}


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        (_other("hada_w1_a"), "of the kind LoHa"),
        (_other("lokr_w1"), "of the kind LoKr"),
        (_other("dora_scale"), "of the kind DoRA"),
        (_other("lora_mid.weight"), "Tucker"),
        ({"x": torch.zeros(1)}, "holds no LoRA"),
        (_pair(f"unet.{UNET_LAYER}", 32), "does not fit"),
        (_pair("unet.up_blocks.9.x", 8), "does not fit"),
        (_pair("transformer.x", 8), "does not fit"),
    ],
)
def test_what_does_not_fit_is_told(checkpoint: Path, tmp_path: Path, tensors: dict[str, Tensor], said: str) -> None:
    save_file(tensors, tmp_path / "a.safetensors")
    with pytest.raises(UserError, match=said):
        load_diffusion_model(RunSettings(checkpoint=str(checkpoint), lora=f"{tmp_path}/a.safetensors"))


def test_what_a_result_says_of_its_weights_names_the_loras(checkpoint: Path, tmp_path: Path) -> None:
    file = tmp_path / "style.safetensors"
    diffusers(file, *halves(64, 5))
    job = JobSettings().updated(run={"checkpoint": str(checkpoint), "lora": f"{file}:0.5", "device": "cpu"})
    model = load_diffusion_model(job.run)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert model and describe_result("edit", job)["checkpoint"]["loras"] == [
        {"name": "style.safetensors", "sha256": digest}
    ]
    assert "loras" not in describe_result("edit", job.updated(run={"lora": ""}))["checkpoint"]
    assert checkpoint_hashes({}, job.run.lora) == {"lora": {str(file): digest}}
    file.unlink()  # the result is not lost, nor its digest
    assert describe_result("edit", job)["checkpoint"]["loras"][0]["sha256"] == digest


def test_embeddings_beside_a_lora_are_not_dropped_without_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    down, up = halves(32, 6)
    tensors = {f"unet.{UNET_LAYER}.lora_A.weight": down, f"unet.{UNET_LAYER}.lora_B.weight": up}
    save_file({**tensors, "bundle_emb.mycat.string_to_param.*": torch.zeros(1, 32)}, tmp_path / "cat.safetensors")
    assert set(read_lora(tmp_path / "cat.safetensors")) == set(tensors)
    assert "cat.safetensors also brings embeddings for the words mycat" in caplog.text


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        (["protect"], True),
        (["protect", "--method", "advdm"], False),
        (["universal"], True),
        (["purify"], True),
        (["purify", "--method", "sdedit"], False),
    ],
)
def test_a_lora_that_changes_nothing_is_refused(
    command: list[str], refused: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reached: list[str] = []
    for name in ("protect_files", "purify_files", "universal_file"):
        monkeypatch.setattr(files, name, lambda *_, name=name, **__: reached.append(name) or {"summary": ""})
    monkeypatch.setattr(sys, "argv", ["impress_ui", *command, "in.png", "-o", "out.png", "--lora", "a.safetensors"])
    with pytest.raises(SystemExit):
        main()
    assert bool(reached) is not refused
    assert ("--lora changes nothing here" in capsys.readouterr().err) is refused
