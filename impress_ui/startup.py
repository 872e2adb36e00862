"""What a process sets before it loads the libraries."""

import gc

# Python looks for cycles after 700 new objects and, ten by ten, through everything there is: while torch, diffusers and
# Gradio are imported, which keep what they make, that is a quarter of the time. What a run leaves is freed without it.
OBJECTS = 10_000


def collect_less_often() -> None:
    """Let the garbage collector wait for more; for a program's own process, not for who imports the engine."""
    gc.set_threshold(OBJECTS, 10, 10)
