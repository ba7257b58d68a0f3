"""Looking into a model while it works: the output of each module, and the gradient that comes back to it.

Everything happens on a copy of the model: its caches, gradients, modes and random states stay as they are.
"""
from __future__ import annotations

import copy
from contextlib import contextmanager
from typing import Any, Dict, Iterator, Tuple

import numpy as np

from lib.network_base import Module
from lib.validation import require_module

Recorded = Dict[str, Any]  # by the module's path, such as "Sequential[2]"


def recording_copy(model: Module) -> Tuple[Module, Recorded, Recorded]:
    """Return a copy of a model that remembers what passes through it.

    Returns:
        The copy, and two dicts, filled when it is called: each module's output, from forward, and dL/d(output), from
        backward.
    """
    require_module("model", model, "This")
    twin = copy.deepcopy(model)
    outputs: Recorded = {}
    gradients: Recorded = {}

    def watch(path: str, module: Module) -> None:
        forward, backward = module.forward, module.backward

        def watched_forward(*args: Any) -> Any:
            outputs[path] = forward(*args)
            return outputs[path]

        def watched_backward(grad: Any) -> Any:
            gradients[path] = grad
            return backward(grad)

        module.forward, module.backward = watched_forward, watched_backward  # type: ignore[method-assign]

    for path, module in list(twin.named_modules()):
        watch(path, module)
    return twin, outputs, gradients


@contextmanager
def numpy_random_state_kept() -> Iterator[None]:
    """Put NumPy's global random state back as it was, whatever is drawn meanwhile."""
    state = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(state)
