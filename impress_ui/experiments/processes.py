"""Several processes that share one run, as ``accelerate launch`` or ``torchrun`` starts them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from impress_ui.models.autoencoder import pick_device

T = TypeVar("T")
# The first to finish waits for the last, however long that takes.
PATIENCE = timedelta(days=30)


@dataclass(frozen=True)
class Processes:
    """This process among those of the run; the first one writes the results."""

    index: int = 0
    count: int = 1
    state: Any = None  # accelerate's PartialState, where there are several

    @property
    def first(self) -> bool:
        return self.index == 0

    def own(self, items: Sequence[T]) -> list[T]:
        """This process's share, in turn; accelerate's own split gives the last item twice where items are too few."""
        return list(items[self.index :: self.count])

    def wait(self) -> None:
        """Until every process has come this far."""
        if self.state is not None:
            self.state.wait_for_everyone()


def find_processes(device: str) -> Processes:
    """The processes that the launcher has started; one where there is no launcher.

    Args:
        device: the run settings' device; with several GPUs each process takes its own.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return Processes()
    from accelerate import PartialState

    state = PartialState(cpu=pick_device(device) == "cpu", timeout=PATIENCE)
    return Processes(state.process_index, state.num_processes, state)
