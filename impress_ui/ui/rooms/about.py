"""The About room: the method in a few paragraphs, what a result does and does not say, where things come from."""

from __future__ import annotations

import gradio as gr

from impress_ui.methods.protections import PROTECTIONS
from impress_ui.ui import views
from impress_ui.ui.page import Page

METHOD = """
### The question
An artist adds a change that nobody sees, and hopes that a latent diffusion model can then neither edit nor imitate her
picture. Does the change survive somebody who wants it gone? This page lets you try, and measures the answer.

### The method
A latent diffusion model never works on a picture itself but on its latent, E(x), and paints by decoding one, D(z). A
protection moves the latent far away while the picture hardly changes. That leaves a trace: the protected picture and
its own reconstruction V(x) = D(E(x)) disagree. **IMPRESS** (Cao and others,
[arXiv 2310.19248](https://arxiv.org/abs/2310.19248), NeurIPS 2023) looks for a picture that agrees with its
reconstruction and still looks like the protected one:

- *consistency*, mean((V(x) − x)²), and
- *similarity*, α · max(LPIPS(x, x_adv) − Δ_L, 0).

The recipes `paper` and `paper-editing` do that. The default, `fast`, is our own: it looks for the latent whose decoded
picture is nearest to the protected one, in far fewer steps.

### What a result says, and what it does not
- Everything is measured on one small model that ships with the page, unless you choose another checkpoint. A protection
  that falls here may hold elsewhere, and the other way round.
- IMPRESS is not the only way: plain filters such as JPEG or non-local means take much of a protection out too, and on
  some measures more. The stress test shows them side by side; nothing is left out because it wins.
- "Looks clean" means that the round-trip error is as low as a clean picture's. It is a hint, not a proof.

### Dual use
Removing a protection can do harm. The page exists to evaluate protections, so that better ones are built; use it only
on images that you have the right to use.
"""

KEYS = """
### Keys
<kbd>Ctrl</kbd> + <kbd>Enter</kbd> runs what the open tab is for, <kbd>Esc</kbd> stops it; the arrow keys move along the
tabs and the sliders. <kbd>1</kbd> to <kbd>7</kbd> show a picture as large as the screen; there <kbd>Space</kbd> holds
the original, <kbd>B</kbd> blinks, <kbd>F</kbd> fades and <kbd>D</kbd> shows what differs.
"""


def about_section(_: Page) -> None:
    """Text only; the list of protections is made from the settings' table, where each is described once."""
    gr.HTML(views.heading("About", "The method, and what a result says"))
    gr.Markdown(METHOD, elem_classes="about")
    listed = "\n".join(f"- **{about.label}**: {about.source}" for about in PROTECTIONS.values())
    gr.Markdown(f"### The protections here, and where they come from\n{listed}", elem_classes="about")
    gr.Markdown(KEYS, elem_classes="about")
