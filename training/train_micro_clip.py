"""Train the micro CLIP, which names the style of a picture, on photographs and paintings. See training/README.md.

It is an open_clip model (Ilharco et al. 2021; Radford et al. 2021, arXiv 2103.00020) of a narrow ResNet and a narrow
text transformer, and knows nothing of the diffusion model that it judges.

    python -m training.train_micro_clip --steps 1500
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import open_clip
import torch
from open_clip.loss import ClipLoss
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision.transforms import Normalize

from impress_ui.measures.classifiers.clip import ClipClassifier
from impress_ui.measures.classifiers.common import accuracy
from impress_ui.measures.classifiers.renderings import held_out
from impress_ui.paths import MICRO_CLIP
from impress_ui.settings import ClassifySettings
from training.clip_data import Lessons, paint_all
from training.state import keep, resume

CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
MAX_LOGIT_SCALE = 4.6052  # ln 100, as in the original


class UnifiedLoss(ClipLoss):
    """Contrastive loss in which every caption of the picture's class is right (UniCL, Yang et al., arXiv 2204.03610).

    The plain loss has one right caption a picture, and would punish the others of its class in the batch.
    """

    def forward(self, images: Tensor, texts: Tensor, logit_scale: Tensor, kinds: Tensor) -> Tensor:
        by_image, by_text = self.get_logits(images, texts, logit_scale)
        same = (kinds[:, None] == kinds[None]).float()
        goal = same / same.sum(1, keepdim=True)
        return (nn.functional.cross_entropy(by_image, goal) + nn.functional.cross_entropy(by_text, goal)) / 2


def options() -> argparse.Namespace:
    """The command line's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--repeats", type=int, default=3, help="pictures of each class in a batch")
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--warmup", type=int, default=50)
    parser.add_argument("--every", type=int, default=250, help="steps between two saved states and checks")
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare batches; 0 for none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=Path("training/data"))
    parser.add_argument("--run", type=Path, default=Path("training/runs/clip"))
    parser.add_argument("--export", type=Path, default=MICRO_CLIP)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


def export(model: nn.Module, config: dict, folder: Path) -> None:
    """Configuration and float16 weights, as open_clip's ``local-dir:`` reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.half() if value.is_floating_point() else value for name, value in model.state_dict().items()}
    save_file({name: value.cpu().contiguous() for name, value in tensors.items()}, folder / WEIGHTS)
    (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n")


def main() -> None:
    """Train, saving the state on the way, and export."""
    given = options()
    torch.manual_seed(given.seed)
    config = json.loads((MICRO_CLIP / CONFIG).read_text())
    model = open_clip.CLIP(**config["model_cfg"]).to(given.device)
    tokenizer = open_clip.get_tokenizer(f"local-dir:{MICRO_CLIP}")
    side, look = config["model_cfg"]["vision_cfg"]["image_size"], config["preprocess_cfg"]
    normalise = Normalize(look["mean"], look["std"])
    optimiser = torch.optim.AdamW(model.parameters(), lr=given.lr, betas=(0.9, 0.98), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.SequentialLR(
        optimiser,
        [
            torch.optim.lr_scheduler.LinearLR(optimiser, 0.02, total_iters=given.warmup),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(1, given.steps - given.warmup)),
        ],
        [given.warmup],
    )
    first = resume(given.run, given.device, model=model, optimiser=optimiser, schedule=schedule)
    pictures, subjects = paint_all(given.data, given.run / "pictures")
    lessons = Lessons(pictures, subjects, side, given.repeats, given.seed)
    loader = DataLoader(lessons, batch_size=None, sampler=range(first, given.steps), num_workers=given.workers)
    test = held_out("validation")
    loss_of, mean, began = UnifiedLoss(), None, time.monotonic()
    for step, (x, captions, kinds) in enumerate(loader, first + 1):
        model.train()
        images, texts, scale = model(normalise(x.to(given.device)), tokenizer(captions).to(given.device))
        loss = loss_of(images, texts, scale, kinds.to(given.device))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, MAX_LOGIT_SCALE)
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if step % 25 == 0:
            print(f"step {step}, loss {mean:.3f}, {time.monotonic() - began:.0f} s", flush=True)
        if step % given.every == 0 or step == given.steps:
            keep(given.run, step, model=model, optimiser=optimiser, schedule=schedule)
            export(model, config, given.export)
            settings = ClassifySettings(model=str(given.export))
            classifier = ClipClassifier(settings, given.device)
            right = accuracy(
                classifier.scores([made.image for made in test]), classifier.classes, [made.manner for made in test]
            )
            print(f"validation: top-1 {right.value:.4f} of {right.n}", flush=True)


if __name__ == "__main__":
    main()
