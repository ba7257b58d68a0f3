"""Comparing tensors: what counts as rounding, what is said of a difference, and random states that are put back."""
from __future__ import annotations

import numpy as np
import pytest

from lib.network_base import Module, Parameter
from lib.steps.comparison import (MAX_ROUNDING, DifferentResult, Expected, random_states_kept, require_reset,
                                  require_same)

TOLERANCES = {"f": 1e-2, "d": 1e-4}


def test_the_entry_that_differs_most_is_named():
    expected = np.array([[1.0, 2.0, -4.0], [0.5, 3.0, 1.0]])
    compiled = expected + [[0, 0.1, 0], [0.01, -0.3, 0]]
    with pytest.raises(DifferentResult, match=r"The table is 3 at \[1, 1\] by the modules' and the optimiser's own "
                                              r"code, but 2.7 compiled"):
        require_same("The table", compiled, expected, TOLERANCES)
    with pytest.raises(DifferentResult, match=r"The loss is 3 by .*, but 2 compiled"):
        require_same("The loss", np.float64(2), np.float64(3), TOLERANCES)
    with pytest.raises(DifferentResult, match=r"has the shape \(2, 3\) by .*, but \(3,\) compiled"):
        require_same("The table", compiled[0], expected, TOLERANCES)


@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 1e-2), (np.float64, 1e-4)])
def test_the_tolerance_is_relative_to_the_greatest_entry(dtype, tolerance):
    expected = np.array([0.0, -10.0, 1.0], dtype)
    for sign in (1, -1):
        require_same("x", expected + np.array([sign * 9 * tolerance, 0, 0], dtype), expected, TOLERANCES)
        with pytest.raises(DifferentResult, match=r"at \[0\]"):
            require_same("x", expected + np.array([sign * 11 * tolerance, 0, 0], dtype), expected, TOLERANCES)
        require_same("x", expected + np.array([sign * 11 * tolerance, 0, 0], dtype), expected, TOLERANCES,
                     rounding=2 * tolerance)
    with pytest.raises(DifferentResult):
        require_same("x", -expected, expected, TOLERANCES)


def test_numbers_that_arent_finite_are_the_same_where_they_are_equal():
    values = np.array([np.nan, np.inf, -np.inf, 1.0])
    require_same("x", values.copy(), values, TOLERANCES)
    for entry, other in ((0, 1.0), (1, -np.inf), (2, 5.0), (3, np.nan), (3, 1.1), (3, np.inf)):
        changed = values.copy()
        changed[entry] = other
        with pytest.raises(DifferentResult, match=rf"at \[{entry}\]"):
            require_same("x", changed, values, TOLERANCES)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_grows_with_the_loss_and_the_inputs(dtype):
    unit = MAX_ROUNDING * float(np.finfo(dtype).eps)
    for loss, x, factor in ((0.1, 0.5, 1), (-30, 0.5, 30), (0.1, -20, 20), (3, 4, 12)):
        assert Expected(loss, [], [], []).rounding(np.array([[0, x]], dtype)) == pytest.approx(factor * unit)


def test_zero_grad_is_tried():
    parameters = [Parameter(np.ones(2)), Parameter(np.ones(3))]

    def reset(chosen):
        for parameter in chosen:
            parameter.grad = np.zeros_like(parameter.data)

    require_reset(lambda: reset(parameters), parameters, ["a", "b"])
    with pytest.raises(DifferentResult, match="the gradient of b as it was"):
        require_reset(lambda: reset(parameters[:1]), parameters, ["a", "b"])
    with pytest.raises(DifferentResult, match="the gradient of a as it was"):
        require_reset(lambda: setattr(parameters[0], "grad", None), parameters, ["a", "b"])


def test_random_states_are_put_back():
    layer = Module()
    layer.new, layer.old = np.random.default_rng(1), np.random.RandomState(2)

    def draw():
        return [np.random.random_sample(), layer.new.random(), layer.old.random_sample()]

    with random_states_kept([layer]):
        first = draw()
    with pytest.raises(KeyError), random_states_kept([layer]):
        assert draw() == first
        raise KeyError
    assert draw() == first and draw() != first


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
