"""The experiments' names, for the help, before any of them is loaded."""

NAMES = (
    "purification", "editing", "style", "ablation", "adaptive", "transfer", "robustness", "classifier", "detector",
    "autoencoder",
)  # fmt: skip
