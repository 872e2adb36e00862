from __future__ import annotations

import errno
import fnmatch
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError
from small_checkpoints import save_sd, save_sd3, save_sdxl

from impress_ui.errors import UserError
from impress_ui.models import hub_parts
from impress_ui.models.checkpoints import Source, find_source
from impress_ui.models.hub_catalogue import HUB, SD, SDXL
from impress_ui.paths import EMBEDDED_CHECKPOINT, ROOT

SD15, SD15_MIRROR = HUB["stable-diffusion-v1-5/stable-diffusion-v1-5"].repos


@pytest.fixture(scope="module")
def sd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_sd(tmp_path_factory.mktemp("checkpoints") / "sd")


def refusal(do: Callable[[], Any]) -> str:
    with pytest.raises(UserError) as caught:
        do()
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


def test_the_catalogue_has_the_checkpoints_that_matter() -> None:
    assert set(HUB) == {
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "stable-diffusion-v1-5/stable-diffusion-inpainting",
        "Manojb/stable-diffusion-2-1-base",
        "stabilityai/stable-diffusion-xl-base-1.0",
        "stabilityai/stable-diffusion-3.5-medium",
        "black-forest-labs/FLUX.1-schnell",
    }
    assert HUB["stabilityai/stable-diffusion-xl-base-1.0"].parts == SDXL
    assert HUB["black-forest-labs/FLUX.1-schnell"].parts == ("vae",)
    assert all(len(repo.split("/")) == 2 for entry in HUB.values() for repo in entry.repos)


def test_looking_up_a_checkpoint_needs_no_torch() -> None:
    code = "import sys, impress_ui.models.checkpoints as c; c.find_source('embedded'); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stdout == "False\n"


def test_names_folders_and_ids_are_found(sd: Path) -> None:
    assert find_source("embedded") == Source("embedded", EMBEDDED_CHECKPOINT)
    assert find_source(f"{sd}/").key == find_source(str(sd)).key
    assert find_source(str(sd)).name == "sd"
    assert find_source(SD15).hub is HUB[SD15]
    assert find_source(SD15_MIRROR).key == find_source(SD15).key


@pytest.mark.parametrize(
    "checkpoint", ["something", "x" * 500, "nul\0l", "~no-such-person/x", "/no/such", "a/b.safetensors"]
)
def test_what_is_none_of_these_is_told_what_there_is(checkpoint: str) -> None:
    sentence = refusal(lambda: find_source(checkpoint))
    assert sentence.startswith(f"There is no checkpoint {checkpoint}; use") and SD15 in sentence


def test_any_id_of_the_hub_will_do(monkeypatch: pytest.MonkeyPatch, sd: Path) -> None:
    source = find_source("somebody/some.fine-tune_2")
    assert source.hub is not None and source.hub.repos == ("somebody/some.fine-tune_2",)
    assert refusal(lambda: source.part("unet")).startswith("There is no such folder here. The checkpoint somebody/")
    # Whole, an autoencoder by itself, and a kind whose denoiser is not known.
    for folder, autoencoder_only in ((sd, False), (sd / "vae", True), (save_sd3(sd.parent / "three"), True)):
        monkeypatch.setattr(hub_parts, "_known", {})
        monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, found=folder, **__: str(found))
        assert source.autoencoder_only == autoencoder_only and source.part("vae").class_name == "AutoencoderKL"


def test_every_part_of_a_folder_gets_arguments_for_from_pretrained(sd: Path, tmp_path: Path) -> None:
    for name in SD:
        arguments = find_source(str(sd)).part(name).arguments()
        assert arguments["pretrained_model_name_or_path"] == str(sd) and arguments["subfolder"] == name
        assert arguments["local_files_only"] is True
        assert arguments.get("use_safetensors") is (None if name in ("tokenizer", "scheduler") else True)
    xl = find_source(str(save_sdxl(tmp_path / "xl")))
    assert xl.part("text_encoder_2").class_name == "CLIPTextModelWithProjection"
    assert xl.part("scheduler").class_name == "EulerDiscreteScheduler"
    alone = find_source(str(sd / "vae")).part("vae")
    assert alone.subfolder == "" and alone.class_name == "AutoencoderKL"


def test_autoencoder_only_checkpoints_are_known(sd: Path, tmp_path: Path) -> None:
    assert find_source(str(save_sd3(tmp_path / "sd3"))).autoencoder_only
    assert find_source("stabilityai/stable-diffusion-3.5-medium").autoencoder_only
    assert not find_source(str(sd)).autoencoder_only
    assert not find_source(SD15).autoencoder_only


def test_the_variant_follows_the_precision_and_is_dropped_when_absent(sd: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(sd, tmp_path / "sd")
    source, weights = find_source(str(folder)), folder / "unet/diffusion_pytorch_model.safetensors"
    assert source.part("unet", "float16").variant is None
    half = shutil.copy(weights, weights.with_suffix(".fp16.safetensors"))
    assert Path(half).name == "diffusion_pytorch_model.fp16.safetensors"
    assert source.part("unet", "float16").variant == "fp16"
    assert source.part("unet", "float32").variant is None
    weights.unlink()
    assert source.part("unet", "float32").variant == "fp16"


def _without(path: str) -> Callable[[Path], None]:
    return lambda root: shutil.rmtree(root / path) if (root / path).is_dir() else (root / path).unlink()


def _with(path: str, text: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text)

    return change


def _pickled(part: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        for file in (root / part).glob("*.safetensors"):
            file.rename(file.with_suffix(".bin"))

    return change


def _only_a_ckpt(root: Path) -> None:
    shutil.rmtree(root / "vae")
    (root / "v1-5-pruned.ckpt").write_bytes(b"\x80")


def _sharded_into(shard: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        _pickled("unet")(root)
        index = {"weight_map": {"conv_in.weight": shard}}
        (root / "unet/diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))

    return change


@pytest.mark.parametrize(
    ("part", "damage", "words"),
    [
        ("vae", _without("vae"), "holds no autoencoder"),
        ("unet", _without("unet"), "has no unet/config.json"),
        ("text_encoder", _without("text_encoder"), "has no text_encoder/config.json"),
        ("tokenizer", _without("tokenizer"), "has no tokenizer/tokenizer_config.json"),
        ("tokenizer", _without("tokenizer/merges.txt"), "has no tokenizer/merges.txt"),
        ("scheduler", _without("scheduler"), "has no scheduler/scheduler_config.json"),
        (
            "unet",
            _without("unet/diffusion_pytorch_model.safetensors"),
            "no diffusion_pytorch_model.safetensors in unet/",
        ),
        ("vae", _pickled("vae"), "no safetensors weights in vae/; pickled weights are not loaded, convert them"),
        ("text_encoder", _pickled("text_encoder"), "pickled weights are not loaded, convert them to safetensors"),
        ("vae", _only_a_ckpt, "pickled weights are not loaded"),
        ("unet", _sharded_into("diffusion_pytorch_model.bin"), "pickled weights are not loaded"),
        ("unet", _sharded_into("../x.safetensors"), "pickled weights are not loaded"),
        ("unet", _with("unet/config.json", "{"), "damaged unet/config.json"),
        ("unet", _with("unet/config.json", "[]"), "damaged unet/config.json"),
        ("unet", _with("unet/config.json", '{"_class_name": "UNet1DModel"}'), "is of class UNet1DModel"),
        ("text_encoder", _with("text_encoder/config.json", '{"architectures": ["T5"]}'), "is of class T5"),
        (
            "tokenizer",
            _with("tokenizer/tokenizer_config.json", "{}"),
            "tokenizer of the checkpoint sd is of class None",
        ),
        ("scheduler", _with("scheduler/scheduler_config.json", '{"_class_name": "Mine"}'), "is of class Mine"),
    ],
)
def test_each_fault_of_a_folder_is_told_in_a_sentence(
    sd: Path, tmp_path: Path, part: str, damage: Callable[[Path], None], words: str
) -> None:
    folder = shutil.copytree(sd, tmp_path / "sd")
    damage(folder)
    sentence = refusal(lambda: find_source(str(folder)).part(part))
    assert words in sentence and "sd" in sentence
    if part not in ("vae", "unet"):
        find_source(str(folder)).part("vae")  # which needs none of the others


class Hub:
    """Stands for the hub: repositories are folders or errors, and what is fetched from them is kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cache: Path, **repos: Path | Exception) -> None:
        self.cache, self.repos = cache, {name.replace("__", "/").replace("_", "-"): it for name, it in repos.items()}
        self.asked: list[str] = []
        self.fetched: list[str] = []
        monkeypatch.setattr(huggingface_hub, "snapshot_download", self.snapshot_download)

    def snapshot_download(
        self, repo: str, *, allow_patterns: list[str], local_files_only: bool = False, tqdm_class: Any = None
    ) -> str:
        target = self.cache / repo.replace("/", "--")
        if local_files_only:
            if not target.is_dir():
                raise LocalEntryNotFoundError("nothing in the cache")
            return str(target)
        self.asked.append(repo)
        found = self.repos.get(repo, RepositoryNotFoundError("404", response=_response()))
        if isinstance(found, Exception):
            raise found
        for file in (path for path in found.rglob("*") if path.is_file()):
            name = file.relative_to(found).as_posix()
            if any(fnmatch.fnmatch(name, pattern) for pattern in allow_patterns):
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target / name)
                self.fetched.append(name)
        return str(target)


def _response() -> Any:
    return SimpleNamespace(headers={}, request=None)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Hub]:
    return lambda **repos: Hub(monkeypatch, tmp_path / "cache", **repos)


def test_only_the_part_is_fetched_and_no_pickle(hub: Callable[..., Hub], sd: Path, tmp_path: Path) -> None:
    repo = shutil.copytree(sd, tmp_path / "sd")
    for name in ("vae/diffusion_pytorch_model.bin", "vae/diffusion_pytorch_model.fp16.safetensors", "v1-5.ckpt"):
        (repo / name).write_bytes(b"\x80")
    served = hub(stable_diffusion_v1_5__stable_diffusion_v1_5=repo)
    part = find_source(SD15).part("vae")
    assert sorted(served.fetched) == ["vae/config.json", "vae/diffusion_pytorch_model.safetensors"]
    assert part.root.is_relative_to(served.cache) and part.checkpoint == SD15
    find_source(SD15).part("tokenizer")
    assert sorted(served.fetched[2:]) == [
        "tokenizer/merges.txt",
        "tokenizer/tokenizer_config.json",
        "tokenizer/vocab.json",
    ]


def test_what_was_fetched_once_needs_no_network(hub: Callable[..., Hub], sd: Path) -> None:
    served = hub(stable_diffusion_v1_5__stable_diffusion_v1_5=sd)
    find_source(SD15).part("vae")
    served.repos.clear()
    assert find_source(SD15).part("vae").class_name == "AutoencoderKL"
    assert served.asked == [SD15]
    assert "could not be fetched" in refusal(lambda: find_source(SD15).part("unet"))


def test_mirrors_are_tried_in_order(hub: Callable[..., Hub], sd: Path) -> None:
    served = hub(sd_legacy__stable_diffusion_v1_5=sd)
    assert find_source(SD15).part("scheduler").class_name == "PNDMScheduler"
    assert served.asked == [SD15, SD15_MIRROR]
    served.asked.clear()
    served.repos.clear()
    assert "could not be fetched" in refusal(lambda: find_source("Manojb/stable-diffusion-2-1-base").part("vae"))
    assert served.asked == list(HUB["Manojb/stable-diffusion-2-1-base"].repos)


def test_the_hubs_variant_is_tried_first_and_dropped(hub: Callable[..., Hub], sd: Path, tmp_path: Path) -> None:
    repo = shutil.copytree(sd, tmp_path / "sd")
    served = hub(stable_diffusion_v1_5__stable_diffusion_v1_5=repo)
    assert find_source(SD15).part("vae", "float16").variant is None
    assert served.asked == [SD15, SD15]
    plain = repo / "unet/diffusion_pytorch_model.safetensors"
    plain.rename(plain.with_suffix(".fp16.safetensors"))
    assert find_source(SD15).part("unet", "float16").variant == "fp16"
    assert served.asked == [SD15] * 3


def test_why_nothing_can_be_fetched_is_told(hub: Callable[..., Hub]) -> None:
    name = "black-forest-labs/FLUX.1-schnell"
    served = hub()
    for error, words in (
        (LocalEntryNotFoundError("no connection"), "this machine may have no network"),
        (ConnectionError("proxy"), "this machine may have no network"),
        (RepositoryNotFoundError("404", response=_response()), "there is none of that name"),
        (GatedRepoError("403", response=_response()), "terms must be accepted"),
        (OSError(errno.ENOSPC, "full"), "the disk is full"),
    ):
        served.repos[name] = error
        sentence = refusal(lambda: find_source(name).part("vae"))
        assert sentence.startswith(f"The checkpoint {name} could not be fetched")
        assert words in sentence and "download it elsewhere and give its folder" in sentence


def test_a_repository_of_pickles_is_not_taken_for_a_network_fault(
    hub: Callable[..., Hub], sd: Path, tmp_path: Path
) -> None:
    repo = shutil.copytree(sd, tmp_path / "sd")
    _pickled("unet")(repo)
    served = hub(stable_diffusion_v1_5__stable_diffusion_v1_5=repo, sd_legacy__stable_diffusion_v1_5=repo)
    assert "no safetensors weights of its unet" in refusal(lambda: find_source(SD15).part("unet"))
    assert not any(name.endswith(".bin") for name in served.fetched)


def test_a_hub_out_of_reach_is_asked_once(hub: Callable[..., Hub]) -> None:
    served = hub(stable_diffusion_v1_5__stable_diffusion_v1_5=LocalEntryNotFoundError("no connection"))
    assert "no network" in refusal(lambda: find_source(SD15).part("vae"))
    assert served.asked == [SD15]  # its mirrors are on the same hub, and each could take ten seconds to time out


@pytest.mark.parametrize("offline", [True, False])
def test_without_a_network_the_sentence_comes_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, offline: bool
) -> None:
    """Through the real client: switched off, or with nobody at the hub's address."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", offline)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    began = time.monotonic()
    assert "this machine may have no network" in refusal(lambda: find_source(SD15).part("vae"))
    assert time.monotonic() - began < 5
