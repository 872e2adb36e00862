"""The page's look: paper and ink, one colour a role. No font or file comes from another host."""

from __future__ import annotations

import json

import gradio as gr
from gradio.themes.utils import colors, sizes

from impress_ui.paths import ASSETS

STYLE = ASSETS / "style.css"
LANGUAGES = ASSETS / "languages"  # a table each: English text -> that language's
STYLES = (STYLE, *(ASSETS / f"{name}.css" for name in ("bench", "knobs", "curves", "keep", "compare", "viewer")))
SCRIPTS = (
    "rooms", "shortcuts", "share", "zoom", "names", "tips", "live", "curves", "export", "viewer", "many", "blind",
)  # fmt: skip

# Of the fonts that Gradio brings along, the semibold files lack most of the alphabet: 400 and 700 are whole.
FACES = {
    ("IMPRESS Sans", 400): "IBMPlexSans/IBMPlexSans-Regular",
    ("IMPRESS Sans", 700): "IBMPlexSans/IBMPlexSans-Bold",
    ("IMPRESS Mono", 400): "IBMPlexMono/IBMPlexMono-Regular",
    ("IMPRESS Mono", 700): "IBMPlexMono/IBMPlexMono-Bold",
}

INK = colors.Color(
    name="ink",
    c50="#f7f6f2", c100="#efede6", c200="#e0ddd3", c300="#c9c5b8", c400="#9b978a", c500="#716e64",
    c600="#55534c", c700="#3a3a37", c800="#262827", c900="#1a1c1c", c950="#121414",
)  # fmt: skip
TEAL = colors.Color(
    name="teal",
    c50="#eef8f6", c100="#d5efea", c200="#abdfd6", c300="#78c8bc", c400="#43a99c", c500="#1f8b7f",
    c600="#117065", c700="#0d5a52", c800="#0c4842", c900="#0b3c37", c950="#052320",
)  # fmt: skip


def theme() -> gr.themes.Base:
    """Warm paper by day, soft black by night; teal for what can be pressed."""
    return gr.themes.Base(
        primary_hue=TEAL,
        secondary_hue=TEAL,
        neutral_hue=INK,
        radius_size=sizes.radius_sm,
        spacing_size=sizes.spacing_md,
        text_size=sizes.text_md,
        font=("IMPRESS Sans", "ui-sans-serif", "system-ui", "sans-serif"),
        font_mono=("IMPRESS Mono", "ui-monospace", "monospace"),
    ).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color="*neutral_900",
        body_text_color_dark="*neutral_100",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        link_text_color_dark="*primary_300",
        link_text_color_hover_dark="*primary_200",
        link_text_color_visited_dark="*primary_300",
        block_background_fill="white",
        block_background_fill_dark="*neutral_900",
        block_border_color="*neutral_200",
        block_border_color_dark="*neutral_700",
        block_border_width="1px",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
        block_label_background_fill="white",
        block_label_background_fill_dark="*neutral_900",
        block_label_border_width="0px",
        block_label_text_color="*neutral_700",
        block_label_text_color_dark="*neutral_200",
        block_label_text_weight="600",
        block_title_text_color="*neutral_800",
        block_title_text_color_dark="*neutral_200",
        block_title_text_weight="600",
        block_shadow="none",
        border_color_primary="*neutral_200",
        border_color_primary_dark="*neutral_700",
        input_background_fill="*neutral_50",
        input_background_fill_dark="*neutral_800",
        input_border_color="*neutral_300",
        input_border_color_dark="*neutral_700",
        slider_color="*primary_600",
        slider_color_dark="*primary_400",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_hover_dark="*primary_500",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
        button_secondary_background_fill="white",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover="*primary_50",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_border_color="*neutral_300",
        button_secondary_border_color_dark="*neutral_600",
        button_secondary_text_color="*neutral_900",
        button_secondary_text_color_dark="*neutral_100",
        button_cancel_background_fill="white",
        button_cancel_background_fill_dark="*neutral_800",
        button_cancel_background_fill_hover="#fdecea",
        button_cancel_background_fill_hover_dark="#4a1f1b",
        button_cancel_border_color="#c0392b",
        button_cancel_border_color_dark="#e07a6f",
        button_cancel_text_color="#a32f22",
        button_cancel_text_color_dark="#f0a59d",
        button_border_width="1px",
        checkbox_label_background_fill="transparent",
        checkbox_label_background_fill_dark="transparent",
    )


def faces() -> str:
    """The fonts for the page's head, loaded while the page is: a text that changes its font moves what is below it."""
    rules = "".join(
        f'@font-face {{ font-family: "{name}"; font-weight: {weight}; src: url("static/fonts/{file}.woff2"); }}'
        for (name, weight), file in FACES.items()
    )
    loads = "".join(f"document.fonts.load('{weight} 1em \"{name}\"');" for name, weight in FACES)
    return f"<style>{rules}</style><script>{loads}</script>"


def scripts() -> str:
    """What runs in the browser once the page is there, as one function."""
    parts = [(ASSETS / f"{name}.js").read_text(encoding="utf-8").strip() for name in SCRIPTS]
    tables = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(LANGUAGES.glob("*.json"))}
    translate = (ASSETS / "languages.js").read_text(encoding="utf-8").strip()
    last = f"({translate})({json.dumps(tables, ensure_ascii=False)});\n"
    return "() => {\n" + "".join(f"({part})();\n" for part in parts) + last + "}"
