"""What a module's parts are given and return during one forward and one backward pass."""
from __future__ import annotations

from typing import Any, List, NamedTuple, Optional, Tuple

import numpy as np

from lib.gradient_checking.diagnose.evidence import close
from lib.gradient_checking.examination import Examination
from lib.gradient_checking.measure.situations import finite_output, near, upstreams_for, with_batch
from lib.network_base import Module


class Call(NamedTuple):
    """One call of a part's forward or backward: what it was given, and what it returned."""

    path: str
    module: Module
    inputs: Tuple[Any, ...]
    result: Any


class Calls:
    """The calls of all parts during one forward and one backward pass of a module."""

    def __init__(self, examination: Examination) -> None:
        bench = examination.bench
        self.point = near(examination.given.point, np.random.default_rng(13), 1e-2)
        larger = with_batch(self.point, 3)  # with N = 2, half of something could as well be its N-th part
        if larger is not None and len(self.point.inputs[0]) == 2 and finite_output(bench, larger) is not None:
            self.point = larger
        self.forward: List[Call] = []
        self.backward: List[Call] = []
        self.forward_in_backward: List[Call] = []
        self.result: Any = None
        self.error: Optional[BaseException] = None
        parts = list(bench.module.named_modules())[1:]
        direct = {id(child): label for label, child in bench.module.children()}
        self.labels = {label: child for label, child in bench.module.children()}
        depth = [0]  # only calls by the module itself count, not those that a part makes of its own parts

        def prepare() -> None:
            for path, part in parts:
                if id(part) in direct:
                    self._watch(path, part, depth)

        bench.prepare = prepare
        try:
            self.output = output = bench.forward(self.point)
            self.upstream = upstreams_for(output, examination.ignores_upstream, np.random.default_rng(14))[0]
            self.num_forward = len(self.forward)
            for parameter in bench.parameters:
                parameter.grad = np.zeros_like(parameter.data)
            try:
                self.result = bench.call_backward(self.upstream.copy())
            except Exception as error:
                self.error = error
        finally:
            bench.prepare = None
            bench.forward(self.point)  # takes the watchers away again
        self.forward_in_backward = self.forward[self.num_forward:]
        del self.forward[self.num_forward:]

    def _watch(self, path: str, part: Module, depth: List[int]) -> None:
        for name, calls in (("forward", self.forward), ("backward", self.backward)):
            original = getattr(part, name)

            def watched(*args: Any, _original: Any = original, _calls: List[Call] = calls) -> Any:
                given = tuple(np.copy(arg) if isinstance(arg, np.ndarray) else arg for arg in args)
                depth[0] += 1
                try:
                    result = _original(*args)
                finally:
                    depth[0] -= 1
                if depth[0] == 0:
                    kept = np.copy(result) if isinstance(result, np.ndarray) else result
                    _calls.append(Call(path, part, given, kept))
                return result

            vars(part)[name] = watched


def same(a: Any, b: Any) -> bool:
    """Return whether two gradients are equal up to rounding."""
    numbers = (np.ndarray, np.number, float, int)
    if not isinstance(a, numbers) or not isinstance(b, numbers) or np.shape(a) != np.shape(b):
        return False
    return close(a, b, float(np.max(np.abs(np.asarray(b, dtype=float)), initial=0)), 1e-9)
