"""The large view of the story's pictures, as HTML; ``assets/viewer.js`` moves it, ``assets/viewer.css`` lays it out."""

from __future__ import annotations

from html import escape

from impress_ui.ui.record import EDITS, PICTURES

# In the order of their keys, 1 to 7.
SEEN = (PICTURES["original"], PICTURES["protected"], "Reconstructed", PICTURES["purified"], *EDITS.values())
LOOKS = {"one": ("One picture", ""), "blink": ("Blink", "B"), "fade": ("Fade", "F"), "difference": ("Difference", "D")}
KEYS = (
    "Keys: 1 to 7 choose the picture; hold Space for the original, B to blink; F fades, D shows what differs, "
    "amplified; Esc closes."
)


def viewer() -> str:
    """A dialog that is closed until it is asked for."""
    pictures = "".join(
        f'<button type="button" data-number="{number}" aria-pressed="false"><kbd>{number + 1}</kbd> '
        f"<span>{escape(name)}</span></button>"
        for number, name in enumerate(SEEN)
    )
    looks = "".join(
        f'<button type="button" data-look="{look}" aria-pressed="false">{name}'
        f"{f' <kbd>{key}</kbd>' if key else ''}</button>"
        for look, (name, key) in LOOKS.items()
    )
    others = "".join(f'<option value="{number}">{escape(name)}</option>' for number, name in enumerate(SEEN))
    return (
        '<dialog id="viewer" aria-label="The pictures, large"><div class="viewer">'
        '<div class="stage"><img class="under" alt=""><img class="over" alt=""></div>'
        '<div class="bar-below"><output></output>'
        f'<div role="group" aria-label="Picture">{pictures}</div>'
        f'<div role="group" aria-label="How to look">{looks}</div>'
        f'<div class="pair off"><label>against <select aria-label="The other picture">{others}</select></label></div>'
        '<div class="amount off"><input type="range" min="0" max="100" value="50" aria-label="Fade"></div>'
        '<div><button type="button" data-full="yes">Full screen</button><button type="button">Close</button></div>'
        "</div>"
        f'<p class="keys">{escape(KEYS)}</p></div></dialog>'
    )
