"""Where the files that ship with the app are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"
LPIPS_WEIGHTS = ASSETS / "lpips"
DISTS_WEIGHTS = ASSETS / "dists" / "dists.safetensors"
EMBEDDED_CHECKPOINT = ASSETS / "micro-ldm"
MICRO_CLIP = ASSETS / "micro-clip"
JURY = ASSETS / "jury"
PURIFIER = ASSETS / "purifier" / "purifier.safetensors"
HARDENED = ASSETS / "hardened" / "encoder.safetensors"
PHOTOS = ASSETS / "photos"
DEMO = ASSETS / "demo"
GPU_PACE = ROOT / "gpu-pace.json"  # there once somebody has measured it
