"""What stands between the brackets of an index: kept safe, asked for its kind, and written as text."""
from __future__ import annotations

from typing import Any

import numpy as np

from lib.graph.operations import value_of

MOST_INDICES = 12  # an index of more is described, not written out


def own_index(key: Any) -> Any:
    """Return an index whose arrays are copies, since the user may go on to change theirs."""
    if isinstance(key, tuple):
        return tuple(map(own_index, key))
    return key.copy() if isinstance(key, np.ndarray) else list(key) if isinstance(key, list) else value_of(key)


def is_basic(key: Any) -> bool:
    """Tell whether an index is made of numbers and slices alone, so that it picks no place twice."""
    parts = key if isinstance(key, tuple) else (key,)
    return all(part is None or part is Ellipsis or isinstance(part, slice)
               or (isinstance(part, (int, np.integer)) and not isinstance(part, bool)) for part in parts)


def index_text(key: Any) -> str:
    """Return an index as it is written between the brackets."""
    if isinstance(key, tuple):
        return ", ".join(map(index_text, key))
    if isinstance(key, slice):
        start, stop, step = ("" if part is None else str(part) for part in (key.start, key.stop, key.step))
        return f"{start}:{stop}" + (f":{step}" if step else "")
    if key is Ellipsis:
        return "..."
    if isinstance(key, (list, np.ndarray)) and np.size(key) > MOST_INDICES:
        return f"an array of indices of shape {np.shape(key)}"
    return str(key.tolist() if isinstance(key, np.ndarray) else key)
