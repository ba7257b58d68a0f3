"""Probes: what a backward must do besides giving the right values in one call."""
from __future__ import annotations

from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from lib.gradient_checking.measure.state import all_modules, path_of
from lib.gradient_checking.measure.situations import finite_output, near
from lib.gradient_checking.measure.slopes import Slopes, is_real, weigh
from lib.gradient_checking.measure.points import Point, Run, same_bits
from lib.gradient_checking.measure.workbench import Workbench
from lib.network_base import Module, Parameter, is_loss

SAME = 1e-9  # two calls that should give the same agree to this part of the greatest entry


class Problem(NamedTuple):
    """Something wrong besides the values at one point: its cause's name, a sentence, and the tensors concerned."""

    cause: str
    sentence: str
    indices: Tuple[int, ...] = ()  # none: the module as a whole
    is_remark: bool = False  # not wrong where the values are right, but worth knowing


def differ(a: Any, b: Any, part: float, scale: float = 1.0) -> bool:
    """Return whether two gradients differ by more than rounding; of None, or of another shape, nothing is said."""
    if a is None or b is None or np.shape(a) != np.shape(b):
        return False
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if not (np.all(np.isfinite(a)) and np.all(np.isfinite(b))):
        return False  # that is a finding of its own
    size = max(np.max(np.abs(a), initial=0), np.max(np.abs(b), initial=0))
    return not np.all(np.abs(a - b) <= part * size + 1e-12 * scale)


def is_deterministic(bench: Workbench, point: Point) -> bool:
    """Return whether forward gives the same twice, each time from the same state and random numbers."""
    first, second = bench.forward(point), bench.forward(point)
    return first.shape == second.shape and np.array_equal(first, second, equal_nan=True)


def in_place_damage(runs: Sequence[Run]) -> List[Problem]:
    """Return what the passes changed that they must not change, and what they returned that isn't an array."""
    if isinstance(runs[0].returned, list) and _holds_an_array(runs[0].returned):
        return [Problem("wrong shape", "backward returns a list, not an array, on which the module before can't count: "
                        "return np.array(...).", is_remark=True)]
    if getattr(runs[0].returned, "dtype", None) == bool:
        return [Problem("not an array", "backward returns True and False, not numbers: is a comparison computed last? "
                        "It comes after * and +, unless it stands in brackets.")]
    texts = dict.fromkeys(text for run in runs for text in run.changed)
    return [Problem(_damaged(text), text + ".", is_remark="upstream" in text) for text in texts]


def _holds_an_array(value: Any) -> bool:
    try:
        return np.asarray(value).dtype.kind in "fiub"
    except ValueError:  # rows of different lengths
        return False


def _damaged(text: str) -> str:
    what = "upstream gradient" if "upstream" in text else "parameter" if "parameter" in text else "input"
    return f"{what} changed in place"


def randomness(bench: Workbench, point: Point, upstream: np.ndarray, run: Run, indices: Sequence[int],
               same: float) -> List[Problem]:
    """backward must use the random numbers that forward drew, not new ones."""
    output = bench.forward(point)
    for parameter in bench.parameters:
        parameter.grad = np.zeros_like(parameter.data)
    bench.draw_on()
    again = quietly(lambda: bench.backward(upstream, output, [], point, []))
    concerned = tuple(i for i in indices if again is not None and differ(again.gradient(i), run.gradient(i), same))
    return [Problem("random numbers in backward", "with other random numbers after forward, backward gives another "
                    "gradient: it draws its own.", concerned)] if concerned else []


def accumulation(bench: Workbench, point: Point, upstream: np.ndarray, run: Run,
                 indices: Sequence[int], same: float) -> List[Problem]:
    """Gradients that are there already must still be there afterwards, with the new ones added."""
    rng = np.random.default_rng(6)
    start = tuple(rng.uniform(1, 2, param.shape) * (1 + _size(run.grads[i])) for i, param in enumerate(point.params))
    again = bench.run(point, upstream, start)
    problems = []
    for index in (i for i in indices if i > 0):
        before, once, got = start[index - 1], run.gradient(index), again.gradient(index)
        if np.shape(once) != np.shape(before) or np.shape(got) != np.shape(before) or not is_finite(once):
            continue
        if differ(got, before + once, same):
            name = path_of(bench.module, bench.parameters[index - 1])
            if not differ(got, once, same):
                problems.append(Problem("overwritten instead of accumulated", f"backward overwrites {name}.grad: what "
                                        "was there before is lost. It must be added to.", (index,)))
            else:
                problems.append(Problem("overwritten instead of accumulated", f"backward doesn't only add to {name}."
                                        "grad: the result isn't what was there before plus the gradient.", (index,)))
    return problems


def linearity(bench: Workbench, point: Point, upstreams: Sequence[np.ndarray], runs: Sequence[Run],
              indices: Sequence[int], same: float) -> List[Problem]:
    """The chain rule is a product: of k times the upstream gradient comes k times the gradient, and of zero, zero."""
    if len(upstreams) < 2:
        return []
    problems = []
    zero = bench.run(point, np.zeros_like(upstreams[0]))
    for index in indices:
        got = zero.gradient(index)
        once = runs[0].gradient(index)
        if np.shape(got) == np.shape(once) and is_finite(once) and not is_finite(got):
            problems.append(Problem("NaN or infinity", "an upstream gradient of zeros must give a gradient of zeros, "
                                    "but gives NaN or infinity: something is divided by the upstream gradient.",
                                    (index,)))
            continue
        if np.shape(got) == np.shape(once) and is_finite(got) and is_finite(once) and \
                not np.all(np.abs(np.asarray(got, dtype=float)) <= 1e-9 * _size(runs[0].gradient(index)) + 1e-13):
            problems.append(Problem("not linear in the upstream gradient", "an upstream gradient of zeros must give a "
                                    f"gradient of zeros, but gives numbers up to {_size(got):.3g}.", (index,)))
    for a, b in ((1000.0, -1.0), (1e-4, 0.0), (-1.0, 0.0)):
        mixed = bench.run(point, a * upstreams[0] + b * upstreams[1])
        for index in indices:
            parts = [run.gradient(index) for run in runs[:2]]
            if any(not isinstance(part, np.ndarray) for part in parts) or parts[0].shape != parts[1].shape:
                continue
            expected = a * parts[0] + b * parts[1]
            if is_finite(expected) and differ(mixed.gradient(index), expected, same, max(1.0, a)):
                problems.append(Problem("not linear in the upstream gradient", "the gradient isn't proportional to the "
                                        f"upstream gradient, as the chain rule has it: {a:g} times the upstream "
                                        f"gradient doesn't give {a:g} times the gradient.", (index,)))
    return problems


def cache(bench: Workbench, point: Point, upstream: np.ndarray, run: Run, indices: Sequence[int],
          same: float) -> List[Problem]:
    """backward belongs to the last forward pass, and leaves intact what it cached."""
    if all(not is_real(point.tensor(i)) for i in range(0 if point.inputs else 1, len(point.params) + 1)):
        return []
    return _stale(bench, point, upstream, run, indices, same) or \
        _next_round(bench, point, upstream, run, indices, same) or \
        _damaged_cache(bench, point, upstream, indices, same)


def _stale(bench: Workbench, point: Point, upstream: np.ndarray, run: Run, indices: Sequence[int],
           same: float) -> List[Problem]:
    rng = np.random.default_rng(7)
    other = near(point, rng, 0.3)
    if point.inputs and is_real(point.inputs[0]):  # the inputs in another order, with other signs if that is allowed
        x = rng.permutation(point.inputs[0].ravel()).reshape(point.inputs[0].shape)
        for candidate in (other.with_tensor(0, -x), other.with_tensor(0, x)):
            if finite_output(bench, candidate) is not None:
                other = candidate
                break
    for before, words in ((other, "another input"), (point, "the same input")):
        later = quietly(lambda: bench.run_after(before, point, upstream))
        if later is None or differ(later.output, run.output, max(1e-6, same)):
            continue
        concerned = tuple(i for i in indices if differ(later.gradient(i), run.gradient(i), max(1e-6, same)))
        if concerned:
            return [Problem("stale cache", f"after a forward pass with {words} before, backward doesn't give "
                            "the gradient that belongs to the last forward pass.", concerned)]
    return []


def _next_round(bench: Workbench, point: Point, upstream: np.ndarray, run: Run, indices: Sequence[int],
                same: float) -> List[Problem]:
    """forward, backward, forward, backward must work, and repeat: so a training runs."""
    try:
        bench.run_after(point, point, upstream)
    except Exception:
        return []  # forward alone fails the second time: it has no part in backward
    try:
        later = bench.run_after(point, point, upstream, backward=True)
    except Exception as error:
        return [Problem("changes itself", "forward and backward work once, but the next forward and backward raise "
                        f"{type(error).__name__}: {error}. backward changes something that the next pass needs.")]
    if differ(later.output, bench.run_after(point, point, upstream).output, max(1e-6, same)):
        return [Problem("changes itself", "after a forward and a backward pass, the next forward pass gives another "
                        "output for the same input: backward changes something besides the gradients.")]
    concerned = tuple(i for i in indices if not differ(later.output, run.output, max(1e-6, same))
                      and differ(later.gradient(i), run.gradient(i), max(1e-6, same)))
    return [Problem("changes itself", "the second round of forward and backward gives another gradient than the first, "
                    "for the same input: backward changes something that the next pass needs.",
                    concerned)] if concerned else []


def _damaged_cache(bench: Workbench, point: Point, upstream: np.ndarray, indices: Sequence[int],
                   same: float) -> List[Problem]:
    """A remark if backward writes into what forward cached; to free it, or to use it up, is no damage."""
    bench.run(point, upstream)  # once, so that what is made only then is there
    bench.forward(point)
    cached = bench.cached_arrays()
    first = quietly(lambda: bench.backward(upstream, np.zeros(()), [], point, []))
    written = any(not same_bits(held, before) for held, before in cached)
    if first is None or not written or first.changed:
        return []
    pair = quietly(lambda: bench.run_twice(point, upstream))
    concerned = tuple(i for i in indices if pair is not None and pair[0].gradient(i) is not None and differ(
        pair[1].gradient(i), (1 + (i > 0)) * np.asarray(pair[0].gradient(i), dtype=float), same))
    return [Problem("cache changed in place", "backward writes into what forward cached: a second backward after the "
                    "same forward gives another gradient.", concerned, is_remark=True)] if concerned else []


def memory_order(bench: Workbench, point: Point, upstream: np.ndarray, run: Run, indices: Sequence[int],
                 same: float) -> List[Problem]:
    """A remark if it matters to backward how an array lies in memory: by columns, for one, as a transposed one does."""
    turned = point._replace(inputs=tuple(np.array(value, order="F") if isinstance(value, np.ndarray) else value
                                         for value in point.inputs))
    output = finite_output(bench, turned)
    if output is None or differ(output, run.output, same):
        return []  # forward itself minds
    again = quietly(lambda: bench.run(turned, np.array(upstream, order="F")))
    concerned = tuple(i for i in indices if again is None or differ(again.gradient(i), run.gradient(i), same))
    return [Problem("memory order", "where arrays lie in memory by columns, as transposed ones do, backward "
                    f"{'raises an exception' if again is None else 'gives another gradient'}.", concerned,
                    is_remark=True)] if concerned else []


def forgotten_parameters(bench: Workbench, slopes: Slopes, upstreams: Sequence[np.ndarray]) -> List[Problem]:
    """A parameter that the output depends on must be listed by parameters(), or no optimiser will ever change it."""
    if is_loss(bench.module) or slopes.output.ndim == 0 and len(slopes.point.inputs) > 1:
        return []  # a loss may depend on a model's parameters without owning them
    owned = {id(part): below for below in all_modules(bench.module) for _, part in Module.held(below, Parameter)}
    problems = []
    for index in range(bench.num_listed + 1, len(bench.parameters) + 1):
        parameter = bench.parameters[index - 1]
        owner = owned.get(id(parameter))
        if owner is None or parameter.constant:
            continue
        if any(getattr(holder, "frozen", False) or not getattr(holder, "requires_grad", True) or
               not getattr(holder, "trainable", True) for holder in (owner, parameter)):
            continue
        direction = np.random.default_rng(8).choice([-1.0, 1.0], parameter.data.shape)
        value, uncertainty = weigh(slopes.along(index, direction), upstreams)
        if np.any(np.abs(value) > 10 * uncertainty + 1e-10):
            problems.append(Problem("parameter not listed", f"{path_of(bench.module, parameter)} changes the output, "
                                    "but parameters() doesn't list it: its gradient is never reset, and no optimiser "
                                    "changes it. If it isn't to be trained, mark it: parameter.constant = True."))
    return problems


def quietly(call: Callable[[], Any]) -> Optional[Any]:
    """Return what a call returns, or None if it raises."""
    try:
        return call()
    except Exception:
        return None


def _size(value: Any) -> float:
    value = np.asarray(0.0 if value is None else value, dtype=np.float64)
    return float(np.max(np.abs(value), initial=0)) if is_finite(value) else float("inf")


def is_finite(value: Any) -> bool:
    """Return whether there is a value, without NaN and infinity."""
    return value is not None and bool(np.all(np.isfinite(np.asarray(value, dtype=np.float64))))
