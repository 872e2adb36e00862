"""What a saved picture says of itself, as text."""

from __future__ import annotations

import json
import math
from typing import Any


def as_text(metadata: dict[str, Any]) -> str:
    """The metadata as JSON, with null in the place of what is no number: a figure is no reason to lose a picture."""
    return json.dumps(_finite(metadata), ensure_ascii=False, allow_nan=False)


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _finite(value) for name, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
