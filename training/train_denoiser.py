"""Train the embedded denoiser and text encoder, and write ``assets/micro-ldm`` around the autoencoder that is there.

    bash training/fetch_photos.sh
    python -m training.train_denoiser --photos training/data --steps 12000 --export assets/micro-ldm

Runs on a GPU when there is one and resumes from ``--run`` when started again. Latent diffusion (Rombach et al. 2022)
with v-prediction (Salimans and Ho 2022); one caption in eight is left empty for classifier-free guidance.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from training.captions import UNNAMED, canonical, caption
from training.lessons import Lesson, Means, Reader, other_subject, rival_loss
from training.paintings import SIDE, Pictures, paint_training_set, paint_validation_set
from training.state import keep, resume
from training.text_encoder import WIDTH, new_text_encoder, save_tokenizer, tokenizer_of

CAPTION_DROPOUT = 0.125
READING_WEIGHT = 0.1
MEANS_SHARE, MEANS_FROM = 0.25, 950
RIVAL_SHARE, RIVAL_TIMES, RIVAL_WEIGHT = 1 / 3, (400, 950), 0.1


def new_unet() -> UNet2DConditionModel:
    """Fresh weights. The text reaches every block: by attention at the lowest resolution, and pooled, with the time."""
    return UNet2DConditionModel(
        sample_size=SIDE // 4,
        in_channels=4,
        out_channels=4,
        block_out_channels=(64, 128, 256),
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        attention_head_dim=4,
        norm_num_groups=16,
        cross_attention_dim=WIDTH,
        resnet_time_scale_shift="scale_shift",
        addition_embed_type="text",
        addition_embed_type_num_heads=8,
    )


class Denoiser(nn.Module):
    """Text encoder and UNet as one module: noisy latents, times and token ids in, (prediction, text's states) out."""

    def __init__(self, tokenizer) -> None:
        super().__init__()
        self.text, self.unet = new_text_encoder(tokenizer), new_unet()

    def forward(self, noisy: Tensor, times: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        text = self.text(tokens).last_hidden_state
        return self.unet(noisy, times, text).sample.float(), text.float()


def averaging(averaged: Tensor, current: Tensor, count: Tensor) -> Tensor:
    """Exponential moving average of the weights whose memory grows to 1,000 steps."""
    decay = min(0.999, (1 + float(count)) / (20 + float(count)))
    return averaged + (1 - decay) * (current - averaged)


def export(model: Denoiser, tokenizer, scheduler: DDIMScheduler, folder: Path) -> None:
    """Complete a diffusers folder, in float16, around the autoencoder in it."""
    half = Denoiser(tokenizer)
    half.load_state_dict(model.state_dict())
    half.half().unet.save_pretrained(folder / "unet", safe_serialization=True)
    half.text.save_pretrained(folder / "text_encoder", safe_serialization=True)
    save_tokenizer(tokenizer, folder / "tokenizer")
    scheduler.save_pretrained(folder / "scheduler")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "vae": ["impress_ui.models.vgg_autoencoder", "VGGAutoencoder"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "safety_checker": [None, None],
        "feature_extractor": [None, None],
        "image_encoder": [None, None],
        "requires_safety_checker": False,
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")


def prepared(args: argparse.Namespace) -> tuple[Pictures, Pictures]:
    """The training and the validation set, painted on the first start and kept in the run's folder."""
    made = []
    for name, make in (("train", lambda: paint_training_set(args.photos, args.seed)), ("val", paint_validation_set)):
        path = args.data / f"{name}.pt"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            make().save(path)
        made.append(Pictures.load(path))
    return made[0], made[1]


def train(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    pictures, validation = prepared(args)
    tokenizer = tokenizer_of(args.run / "tokenizer")
    lesson = Lesson(args.prediction, device)
    model = Denoiser(tokenizer).to(device, memory_format=torch.channels_last)
    ema = AveragedModel(model, avg_fn=averaging)
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.lr, betas=(0.9, 0.98), weight_decay=1e-2)
    readers = nn.ModuleList([Reader(WIDTH), Reader(model.unet.time_embedding.linear_2.out_features)]).to(device)
    reader_optimiser = torch.optim.AdamW(readers.parameters(), lr=3e-3)
    means = Means(pictures)
    start = resume(args.run, device, model=model, ema=ema, optimiser=optimiser)
    rng = random.Random(args.seed + start)

    def tokens_of(sentences: list[str]) -> Tensor:
        return tokenizer(
            sentences, padding="max_length", max_length=tokenizer.model_max_length, return_tensors="pt"
        ).input_ids.to(device)

    seen = tokens_of([canonical(s, t) for s, t in zip(validation.subjects, validation.styles, strict=True)])
    began, losses, margins = time.monotonic(), [], []
    for step in range(start, args.steps):
        fall = (args.steps - step) / max(1, args.steps * args.decay)
        for group in optimiser.param_groups:
            group["lr"], group["fused"] = args.lr * min(1.0, (step + 1) / 200, fall), True
        chosen = [rng.randrange(len(pictures.subjects)) for _ in range(args.batch)]
        z = pictures.latents[chosen].float().to(device, memory_format=torch.channels_last)
        spoken = [
            "" if rng.random() < CAPTION_DROPOUT else caption(pictures.subjects[i], pictures.styles[i], rng)
            for i in chosen
        ]
        # Half of the times from everywhere, half from the noisy end, where subject and composition are decided.
        lowest = torch.where(torch.rand(len(z)) < 0.5, 0, 500)
        simple = torch.rand(len(z)) < MEANS_SHARE
        lowest = torch.where(simple, MEANS_FROM, lowest)
        times = (lowest + torch.rand(len(z)) * (1000 - lowest)).long().to(device)
        pairs = [(pictures.subjects[i], pictures.styles[i]) for i in chosen]
        spoken_of = [pair if sentence else None for pair, sentence in zip(pairs, spoken, strict=True)]
        # The first rows meet a second caption, of another subject, at the times between composition and detail.
        # Always as many, for the speed of it; those without a subject do not count.
        contested = list(range(int(args.batch * RIVAL_SHARE)))
        named = [row for row in contested if spoken[row] and pairs[row][0] != UNNAMED]
        simple[contested] = False
        times[contested] = torch.randint(*RIVAL_TIMES, (len(contested),), device=device)
        rivals = [caption(other_subject(pairs[row][0], rng), pairs[row][1], rng) for row in contested]
        wanted = torch.where(simple.view(-1, 1, 1, 1).to(device), means.goals(spoken_of, device), z)
        with torch.autocast(device, torch.bfloat16, enabled=args.bfloat16):
            rows = [*range(args.batch), *contested]
            noise = torch.randn_like(z)
            error, text = lesson.loss(
                model, z[rows], wanted[rows], noise[rows], times[rows], tokens_of([*spoken, *rivals])
            )
        against, error, text = error[args.batch :], error[: args.batch], text[: args.batch]
        loss = error.mean() + RIVAL_WEIGHT * rival_loss(error[named], against[named])
        told = [row for row, sentence in enumerate(spoken) if sentence]
        states = text[told].mean(dim=1), model.unet.add_embedding(text[told])
        names = [list(name) for name in zip(*(pairs[row] for row in told), strict=True)]
        reading = sum(reader.loss(state, *names) for reader, state in zip(readers, states, strict=True))
        optimiser.zero_grad(set_to_none=True)
        reader_optimiser.zero_grad(set_to_none=True)
        (loss + READING_WEIGHT * reading).backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if torch.isfinite(norm):
            optimiser.step()
            reader_optimiser.step()
        ema.update_parameters(model)
        losses.append(error.mean().item())
        margins += (against[named] - error[named]).tolist()
        if (step + 1) % args.every == 0 or step + 1 == args.steps:
            with torch.autocast(device, torch.bfloat16, enabled=args.bfloat16):
                errors = [
                    lesson.clean_error(ema.module, validation.latents.float().to(device), seen, t)
                    for t in (200, 400, 600, 800)
                ]
            rate = (step + 1 - start) / (time.monotonic() - began)
            shown = " ".join(f"{error:.4f}" for error in errors)
            mean = sum(losses) / len(losses)
            print(
                f"step {step + 1} loss {mean:.4f} reading {reading.item():.3f} "
                f"margin {sum(margins) / len(margins):.4f} val {shown} steps/s {rate:.2f}",
                flush=True,
            )
            losses.clear(), margins.clear()
            keep(args.run, step + 1, model=model, ema=ema, optimiser=optimiser)
            export(ema.module, tokenizer, lesson.scheduler, args.export)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=Path("training/data"), help="folder that fetch_photos.sh filled")
    parser.add_argument("--run", type=Path, default=Path("training/runs/denoiser"), help="where the state is kept")
    parser.add_argument("--data", type=Path, default=Path("training/runs/paintings"), help="where latents are kept")
    parser.add_argument("--export", type=Path, default=Path("training/runs/denoiser/export"), help="folder to write")
    parser.add_argument("--steps", type=int, default=12000)
    parser.add_argument("--decay", type=float, default=0.25, help="share of the steps in which the rate falls to zero")
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--lr", type=float, default=5e-4)
    parser.add_argument("--prediction", choices=("v_prediction", "epsilon"), default="v_prediction")
    parser.add_argument("--every", type=int, default=250, help="steps between validations and checkpoints")
    parser.add_argument("--bfloat16", action="store_true", help="autocast, where the processor is fast at it")
    parser.add_argument("--seed", type=int, default=0)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
