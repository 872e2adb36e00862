"""Artists to imitate: renderers of a palette, a brush and a scale that the embedded denoiser has never seen.

No person is meant by any of the names: they are minerals and woods, and each stands for one of the functions in this
package, which turns a photograph into a picture of its own manner as the painters in ``painting/`` do. What they make
is as good as a stranger's work for teaching a model a style, and it belongs to nobody.

A photograph (H, W, 3) in [0, 1] and a numpy generator give a picture of the same shape and range; the same photograph
and seed give the same picture. Sizes are in pixels at a short side of 128, and coarse enough for the embedded
autoencoder to keep them.
"""

from __future__ import annotations

from impress_ui.art.artists.catalogue import ARTISTS, Artist, artist_of
from impress_ui.art.artists.own import own_works
from impress_ui.art.artists.works import Work, asked_captions, works

__all__ = ["ARTISTS", "Artist", "Work", "artist_of", "asked_captions", "own_works", "works"]
