"""More hypotheses: other derivatives, parameters that stand otherwise in the formula, contributions that are lost."""
from __future__ import annotations

from functools import partial
from typing import Any, Callable, List, Optional, Sequence

import numpy as np

from lib.gradient_checking.diagnose.evidence import Trial
from lib.gradient_checking.diagnose.hypotheses import GUESSES, HYPOTHESES, Gradient, Hypothesis, hypothesis
from lib.gradient_checking.diagnose.slip_rules import DERIVATIVES, FURTHER

# ---------------------------------------------------------------------- derivatives of functions of one number


def factor(name: str, evidence: str,
           among: List[Hypothesis] = HYPOTHESES) -> Callable[[Callable[[Trial], Gradient]], None]:
    """Register a hypothesis on what stands in the place of an elementwise module's derivative dy/dx."""
    def register(derivative: Callable[[Trial], Gradient]) -> None:
        def with_upstream(t: Trial, k: int) -> Gradient:
            if t.index != 0 or not t.is_square or t.x is None:
                return None
            slope = derivative(t)
            return None if slope is None else t.upstreams[k] * slope

        def alone(t: Trial, k: int) -> Gradient:
            if t.index != 0 or not t.is_square or t.x is None:
                return None
            return derivative(t)

        among.append(Hypothesis(name, evidence, with_upstream))
        among.append(Hypothesis("upstream gradient ignored", "the gradient doesn't depend on the upstream one; "
                                + evidence, alone))
    return register


@factor("softmax diagonal only", "only dy_i/dx_i is used, as if each output depended on its own input alone")
def diagonal_only(t: Trial) -> Gradient:
    return None if t.is_elementwise else t.diagonal


@factor("output taken for input", "the derivative is evaluated at the output instead of the input")
def at_output(t: Trial) -> Gradient:
    if not t.is_elementwise:
        return None
    result = t.elsewhere("output for input", t.point.with_tensor(0, t.y.copy()), np.ones(t.y.shape))
    return result


def _register(cause: str, words: str, formula: Callable[..., Any]) -> None:
    def slope(t: Trial) -> Gradient:
        if not t.is_elementwise or t.diagonal is None:
            return None
        values = np.asarray(formula(t.x, t.y, t.diagonal), dtype=float)
        return values if np.isfinite(values[np.isfinite(t.diagonal)]).all() else None  # 1 / 0 would fit any number
    factor(cause, f"in the derivative of the output y by the input x, {words}", GUESSES)(slope)


for _cause, _words, _formula in DERIVATIVES:
    _register(_cause, _words, _formula)


@hypothesis("another formula", "the derivative at -x stands at x: a sign, a comparison, or the two branches of a "
            "condition are the wrong way round", GUESSES)
def at_minus_input(t: Trial, k: int) -> Gradient:
    return None if t.x is None else t.elsewhere("minus input", t.point.with_tensor(0, -t.x), t.upstreams[k])


@hypothesis("another formula", "the derivative belongs to minus the predictions: a sign is the wrong way round")
def at_minus_predictions(t: Trial, k: int) -> Gradient:
    return at_minus_input(t, k) if t.y.ndim == 0 and len(t.point.inputs) > 1 else None


@hypothesis("another formula", "predictions above their label get the derivative of those below it: a sign, a "
            "comparison, or the two branches of a condition are the wrong way round", GUESSES)
def across_the_label(t: Trial, k: int) -> Gradient:
    if t.x is None or len(t.point.inputs) != 2 or np.shape(t.point.inputs[1]) != t.x.shape:
        return None
    reflected = 2 * np.asarray(t.point.inputs[1], dtype=float) - t.x
    return t.elsewhere("across the label", t.point.with_tensor(0, reflected), t.upstreams[k])


@hypothesis("output taken for input", "the gradient is the one that belongs to the output in the place of the input",
            GUESSES)
def whole_at_output(t: Trial, k: int) -> Gradient:
    if t.x is None or t.x.shape != t.y.shape:
        return None
    return t.elsewhere("output for input", t.point.with_tensor(0, t.y.copy()), t.upstreams[k])


@hypothesis("another formula", "the gradient belongs to inputs of ones: the input is missing in the formula", GUESSES)
def input_missing(t: Trial, k: int) -> Gradient:
    if t.x is None or t.index == 0:
        return None
    return t.elsewhere("ones for input", t.point.with_tensor(0, np.ones(t.x.shape)), t.upstreams[k])


@hypothesis("only one sample", "the gradient belongs to the inputs of the first example, for all examples")
def first_inputs_for_all(t: Trial, k: int) -> Gradient:
    if t.x is None or t.index == 0 or t.num_samples < 2:
        return None
    first = np.broadcast_to(t.x[:1], t.x.shape).copy()
    return t.elsewhere("first example for all", t.point.with_tensor(0, first), t.upstreams[k])


# ---------------------------------------------------------------------- parameters that stand otherwise in the formula


def with_parameter(name: str, change: Callable[[np.ndarray], Gradient]) -> Callable[[Trial, int], Gradient]:
    """Return a hypothesis: the gradient belongs to a parameter that is changed in some way."""
    def gradient(t: Trial, k: int) -> Gradient:
        last = None
        for i, value in enumerate(t.point.params, start=1):
            changed = change(value)
            if changed is None or changed.shape != value.shape or np.array_equal(changed, value):
                continue
            got = t.elsewhere(f"{name} {i}", t.point.with_tensor(i, changed), t.upstreams[k])
            last = got if got is not None else last
            if got is not None and t.matches([t.elsewhere(f"{name} {i}", None, u) for u in t.upstreams]):
                return got
        return last
    return gradient


def _swapped_axes(value: np.ndarray) -> Gradient:
    return value.swapaxes(0, 1).copy() if value.ndim >= 2 and value.shape[0] == value.shape[1] else None


GUESSES += [
    Hypothesis("transposed", "the gradient is the one that belongs to the transpose of a parameter",
               with_parameter("transposed", _swapped_axes)),
    Hypothesis("another formula", "the gradient belongs to a kernel that is turned by 180 degrees",
               with_parameter("flipped", lambda v: np.flip(v, tuple(range(2, v.ndim))) if v.ndim > 2 else None)),
    Hypothesis("transposed", "the gradient belongs to a kernel with its rows and columns exchanged",
               with_parameter("exchanged", lambda v: v.swapaxes(-1, -2) if v.ndim > 2 and len(set(v.shape[-2:])) == 1
                              else None)),
    Hypothesis("transposed", "the gradient belongs to a parameter with its entries in the reverse order",
               with_parameter("reversed", lambda v: v[::-1].copy() if v.ndim == 1 and v.size > 1 else None)),
    Hypothesis("another formula", "the gradient belongs to the signs of a parameter, not to its values",
               with_parameter("sign", np.sign)),
    Hypothesis("another formula", "the gradient belongs to the absolute values of a parameter",
               with_parameter("absolute", np.abs)),
    Hypothesis("term missing", "the gradient is what it were if a parameter were 1: that factor is missing",
               with_parameter("ones", lambda v: np.ones(v.shape))),
]


# ---------------------------------------------------------------------- several contributions to one entry


def contributions(t: Trial, k: int, axis: Optional[int]) -> Optional[np.ndarray]:
    """Return what each entry gets from each output, and how much the output depends on it.

    With an axis, the outputs along it count together, as an image's channels do.
    """
    if t.y.ndim < 2 or len(t.positions) < t.value.size or axis is not None and t.y.ndim < 3:
        return None
    slopes = t.jacobian.reshape((t.value.size,) + t.y.shape)
    both = np.stack([slopes * t.upstreams[k], np.abs(slopes)])
    return (both if axis is None else both.sum(axis=2 + axis)).reshape(2, t.value.size, -1)


def one_contribution(which: str, axis: Optional[int]) -> Callable[[Trial, int], Gradient]:
    """Return a hypothesis: of all outputs that an entry takes part in, only one counts."""
    def gradient(t: Trial, k: int) -> Gradient:
        both = contributions(t, k, axis)
        if both is None or not ((both[1] > 1e-9).sum(axis=1) > 1).any():
            return None
        parts, uses = both[0], both[1] > 1e-9
        place = {"first": uses.argmax(axis=1), "last": uses.shape[1] - 1 - uses[:, ::-1].argmax(axis=1),
                 "one": np.abs(np.where(uses, parts, np.inf) - t.got[k].reshape(-1, 1)).argmin(axis=1)}[which]
        return (parts[np.arange(t.value.size), place] * uses.any(axis=1)).reshape(t.value.shape)
    return gradient


GUESSES += [
    Hypothesis("single entries wrong", f"where an entry is used several times, {words}", one_contribution(which, axis))
    for which, words in (("last", "only its last use counts, as by = for +="), ("first", "only its first use counts"),
                         ("one", "only one of its uses counts")) for axis in (None, 1)]


def moved(axis: int, by: int) -> Callable[[Trial, int], Gradient]:
    """Return a hypothesis: the upstream gradient is shifted along an axis."""
    def gradient(t: Trial, k: int) -> Gradient:
        fits = t.y.ndim > axis and t.y.shape[axis] > 2 and len(t.upstreams) > 1
        return t.through(np.roll(t.upstreams[k], by, axis)) if fits else None
    return gradient


GUESSES += [Hypothesis("single entries wrong", f"the upstream gradient is taken {abs(by)} place{'s' * (abs(by) > 1)} "
                       f"too far to the {'left' if by > 0 else 'right'} along axis {axis}: an index is shifted",
                       moved(axis, by)) for axis in (1, 2, 3) for by in (1, -1, 2, -2)]


def displaced(axes: Sequence[int], by: int) -> Callable[[Trial, int], Gradient]:
    """Return a hypothesis: the right gradient stands some places away, and what is at the edge is another thing."""
    def gradient(t: Trial, k: int) -> Gradient:
        shape = t.value.shape
        if len(shape) <= max(axes) or min(shape[axis] for axis in axes) <= 2 * abs(by) or len(axes) > 1 == len(shape):
            return None
        if np.allclose(np.sort(t.got[k], axis=None), np.sort(t.expected[k], axis=None)):
            return None  # then nothing is another thing
        result = np.roll(t.expected[k], [by] * len(axes), axes)
        for axis in axes:
            np.moveaxis(result, axis, 0)[slice(by) if by > 0 else slice(by, None)] = np.nan
        return result if np.ptp(result[np.isfinite(result)]) > 0 else None
    return gradient


GUESSES += [Hypothesis("single entries wrong", f"the right numbers stand {abs(by)} place{'s' * (abs(by) > 1)} too far "
                       f"to the {'right' if by > 0 else 'left'} along {words}: an index or a slice is shifted",
                       displaced(axes, by))
            for axes, words in (((1,), "axis 1"), ((2,), "axis 2"), ((3,), "axis 3"), ((2, 3), "axes 2 and 3"))
            for by in (1, -1, 2, -2)]


@hypothesis("transposed", "each dy_j/dx_i stands where dy_i/dx_j belongs, as if backward did with the gradient what "
            "forward does with the input: the order, an index, a sign or a matrix must be the other way round", GUESSES)
def the_other_way_round(t: Trial, k: int) -> Gradient:
    if not t.is_square or len(t.positions) < t.value.size or np.allclose(t.jacobian, t.jacobian.T):
        return None
    return (t.jacobian.T @ t.upstreams[k].ravel()).reshape(t.value.shape)


def minus_upstream(t: Trial, k: int, in_parts: bool) -> Gradient:
    return t.expected[k] - t.upstreams[k] if t.is_square and bool(t.bench.module.children()) is in_parts else None


GUESSES += [Hypothesis("skip path forgotten", "the gradient is the expected one minus the upstream gradient",
                       partial(minus_upstream, in_parts=True)),
            Hypothesis("term missing", "the gradient is the expected one minus the upstream gradient: a 1 is missing "
                       "in the derivative", partial(minus_upstream, in_parts=False))]


@hypothesis("another formula", "the gradient is the expected one plus the upstream gradient", GUESSES)
def plus_upstream(t: Trial, k: int) -> Gradient:
    return t.expected[k] + t.upstreams[k] if t.is_square else None


@hypothesis("upstream gradient ignored", "1 is added where the upstream gradient belongs", GUESSES)
def plus_one(t: Trial, k: int) -> Gradient:
    return t.expected[k] - t.upstreams[k] + 1 if t.is_square else None


def without_line(axis: int, place: int) -> Callable[[Trial, int], Gradient]:
    """Return a hypothesis: the outputs at the first (0) or last (-1) place of an axis are left out."""
    def gradient(t: Trial, k: int) -> Gradient:
        if t.y.ndim <= axis or t.y.shape[axis] < 2:
            return None
        kept = t.upstreams[k].copy()
        np.moveaxis(kept, axis, 0)[place] = 0
        return t.through(kept)
    return gradient


GUESSES += [Hypothesis("single entries wrong", f"the outputs at the {words} place of axis {axis} are left out",
                       without_line(axis, place))
            for axis in (1, 2, 3) for place, words in ((-1, "last"), (0, "first"))]


@hypothesis("single entries wrong", "the first entry's number stands in all entries", GUESSES)
def first_entry(t: Trial, k: int) -> Gradient:
    return np.full(t.value.shape, t.expected[k].flat[0]) if t.index > 0 and t.value.size > 1 else None


for _cause, _words, _formula in FURTHER:  # least likely
    _register(_cause, _words, _formula)
