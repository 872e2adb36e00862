"""The stress test's settings: which purifiers a protection has to stand."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers import PURIFIERS
from impress_ui.settings.purify import PurifySettings, purifier_of, split_outside_quotes, words_of

# The purifier as the purification's own settings have it.
AS_SET = "as-set"
_CHAINS = ("jpeg 75, then resize 0.5", "jpeg 40, then fast")  # the first is what a social network does
_ANYWHERE = [name for name, each in PURIFIERS.items() if not (name == "impress" or each.embedded_only or each.own_file)]
_ONE_OF_EACH = ("fast", *_ANYWHERE, *_CHAINS)
USUAL = tuple(words_of(purifier_of(text)) for text in _ONE_OF_EACH)
_TIED = tuple(words_of(PurifySettings(method=name)) for name, each in PURIFIERS.items() if each.embedded_only)
OFFERED = (*USUAL, *_TIED, "fast-style", "careful", "paper", "paper-editing", AS_SET)


def checked_purifiers(given: Any) -> Any:
    """Purifiers in the words of ``purifier_of``, each once; text is split at commas that no 'then' follows."""
    listed = split_outside_quotes(given, r",(?!\s*then\b)") if isinstance(given, str) else given
    if not isinstance(listed, (list, tuple)) or not all(isinstance(text, str) for text in listed):
        return given
    texts = [text.strip() for text in listed if text.strip()]
    return tuple(dict.fromkeys(text if text == AS_SET else words_of(purifier_of(text)) for text in texts))


class StressSettings(Settings):
    """What one protected picture is put through."""

    purifiers: Annotated[tuple[str, ...], BeforeValidator(checked_purifiers)] = knob(
        USUAL,
        "The purifiers to run, in a chain's words: 'jpeg 25', 'paper steps=300', 'jpeg 40, then fast'; 'as-set' is "
        "the one of the purification's settings.",
        label="Purifiers",
        choices=OFFERED,
        max_length=60,
    )
    edits: bool = knob(
        False,
        "Also edit the original, the protected and every purified picture alike, image to image, and measure how far "
        "each edit is from the original's; it needs the original and takes longer.",
        label="Edit them too",
    )

    twins: bool = knob(
        False,
        "Also purify the original alike, and compare what becomes of the two: this tells the protection that is left "
        "from the damage that the purifier does to any picture; it needs the original and doubles the time.",
        label="Purify the original too",
    )

    def settings_of(self, as_set: PurifySettings) -> dict[str, PurifySettings]:
        """The purifiers' settings by their words, in order."""
        return {text: as_set if text == AS_SET else purifier_of(text) for text in self.purifiers}
