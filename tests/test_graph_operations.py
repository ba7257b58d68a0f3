"""Every operation of the graph, found by itself: derivatives against the complex step, notation, kinks."""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib import graph
from lib.graph import Operation, constant, derivatives, unbroadcast, variable
from lib.graph.node import apply
from lib.graph.operations.arithmetic import Add, Divide, Multiply

CASES = [pytest.param(operation, inputs, id=f"{type(operation).__name__}-{k}")
         for cls in Operation.all() for k, (operation, inputs) in enumerate(cls.examples(np.random.default_rng(3)))]


def with_entry(inputs, i, place, value, dtype=float):
    """Return the inputs with one entry of input i replaced."""
    changed = [np.array(x, dtype) for x in inputs]
    changed[i][place] = value
    return changed


def backward_of(operation, inputs):
    """Return an upstream gradient and the gradients that backward computes from it."""
    nodes = [variable(x) for x in inputs]
    out = apply(operation, *nodes)
    grad = np.random.default_rng(5).uniform(0.5, 1.5, out.shape)
    out.backward(grad)
    return grad, [node.grad for node in nodes]


def test_every_operation_the_issue_names_is_there():
    names = {cls.name for cls in Operation.all()}
    assert {"add", "subtract", "multiply", "divide", "power", "matmul", "negate", "exp", "log", "sqrt", "sin", "cos",
            "tanh", "sigmoid", "relu", "abs", "maximum", "softmax", "log_softmax", "sum", "mean", "max", "reshape",
            "transpose", "index", "concatenate", "stack"} <= names
    assert len(names) == len(Operation.all())


@pytest.mark.parametrize("operation, inputs", [case for case in CASES if case.values[0].analytic])
def test_backward_is_the_complex_step(operation, inputs):
    # f(x + ih) = f(x) + ih f'(x) + O(h^2) has no cancellation, so it is exact to rounding.
    grad, gradients = backward_of(operation, inputs)
    for i, (x, gradient) in enumerate(zip(inputs, gradients)):
        for place in np.ndindex(np.shape(x)):
            shifted = operation.forward(*with_entry(inputs, i, place, np.asarray(x)[place] + 1e-30j, complex))
            exact = np.sum(grad * np.imag(shifted)) / 1e-30
            assert abs(np.asarray(gradient)[place] - exact) < 1e-13 * max(1, abs(exact))


@pytest.mark.parametrize("operation, inputs", CASES)
def test_second_derivatives_are_finite_differences_of_the_first(operation, inputs):
    nodes = [variable(x) for x in inputs]
    rng = np.random.default_rng(7)
    out = apply(operation, *nodes)
    v, directions = rng.uniform(0.5, 1.5, out.shape), [rng.uniform(0.5, 1.5, np.shape(x)) for x in inputs]
    firsts = derivatives(out, nodes, v)
    total = firsts[0].sum() * 0.0
    for first, direction in zip(firsts, directions):
        total = total + (first * direction).sum()
    seconds = derivatives(total, nodes)

    def first_along(moved):
        moved_nodes = [variable(x) for x in moved]
        slopes = derivatives(apply(operation, *moved_nodes), moved_nodes, v)
        return sum(np.sum(slope.value * direction) for slope, direction in zip(slopes, directions))

    for i, x in enumerate(inputs):
        for place in list(np.ndindex(np.shape(x)))[:6]:
            up = first_along(with_entry(inputs, i, place, np.asarray(x)[place] + 1e-6))
            down = first_along(with_entry(inputs, i, place, np.asarray(x)[place] - 1e-6))
            numeric = (up - down) / 2e-6
            assert abs(np.asarray(seconds[i].value)[place] - numeric) < 1e-6 * max(1, abs(numeric))


@pytest.mark.parametrize("operation, inputs", CASES)
def test_float32_stays_float32(operation, inputs):
    nodes = [variable(np.asarray(x, np.float32)) for x in inputs]
    out = apply(operation, *nodes)
    out.backward(np.ones(out.shape, np.float32))
    assert out.dtype == getattr(operation, "dtype", np.float32) and all(node.grad.dtype == np.float32 for node in nodes)


# ---------------------------------------------------------------------- broadcasting

SIDES = st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["both", "first", "second"])), max_size=3)


@settings(max_examples=40, deadline=None)
@given(SIDES, st.integers(0, 2), st.sampled_from([Add(), Multiply(), Divide()]))
def test_gradients_of_broadcast_inputs_have_their_shapes(sides, missing, operation):
    first = tuple(1 if side == "second" else size for size, side in sides)
    second = tuple(1 if side == "first" else size for size, side in sides)[missing:]
    rng = np.random.default_rng(0)
    a, b = variable(rng.uniform(1, 2, first)), variable(rng.uniform(1, 2, second))
    out = apply(operation, a, b)
    out.backward(np.ones(out.shape))
    assert a.grad.shape == first and b.grad.shape == second
    for node, other_first in ((a, True), (b, False)):
        direction = rng.uniform(-1, 1, node.shape)
        shifted = [node.value + 1e-6 * direction, node.value - 1e-6 * direction]
        values = [operation.forward(v, b.value) if other_first else operation.forward(a.value, v) for v in shifted]
        numeric = np.sum(values[0] - values[1]) / 2e-6
        assert abs(np.sum(node.grad * direction) - numeric) < 1e-6


def test_unbroadcast_sums_what_was_copied():
    grad = np.arange(24.0).reshape(2, 3, 4)
    assert unbroadcast(grad, (2, 3, 4)) is grad
    np.testing.assert_allclose(unbroadcast(grad, (3, 1)), grad.sum(axis=(0, 2)).reshape(3, 1))
    assert float(unbroadcast(grad, ())) == grad.sum()


# ---------------------------------------------------------------------- kinks, ties and extremes

def derivative_at(f, *values):
    nodes = [variable(v) for v in values]
    f(*nodes).sum().backward()
    return [np.asarray(node.grad).tolist() for node in nodes]


def test_kinks_take_the_left_derivative():
    assert derivative_at(graph.relu, 0.0) == [0.0]
    assert derivative_at(graph.relu, np.array([-1.0, 0.0, 2.0])) == [[0.0, 0.0, 1.0]]
    assert derivative_at(graph.abs, np.array([-2.0, 0.0, 3.0])) == [[-1.0, -1.0, 1.0]]
    assert derivative_at(abs, 0.0) == [-1.0]
    assert derivative_at(lambda x: graph.maximum(x, 0), np.array([-1.0, 0.0, 2.0])) == [[0.0, 0.0, 1.0]]
    assert derivative_at(graph.maximum, 2.0, 2.0) == [0.0, 1.0]


def test_entries_that_tie_for_the_maximum_share_its_gradient():
    assert derivative_at(graph.max, np.array([1.0, 3.0, 3.0, 0.0])) == [[0.0, 0.5, 0.5, 0.0]]


def test_powers_at_zero():
    assert derivative_at(lambda a: a ** 2, 0.0) == [0.0]
    assert derivative_at(lambda a: a ** 1, 0.0) == [1.0]
    assert derivative_at(lambda a: a ** 0, 0.0) == [0.0]
    assert derivative_at(lambda a: (-1.0 * a) ** 3, 2.0) == [-12.0]
    assert derivative_at(lambda b: constant(0.0) ** b, 2.0) == [0.0]


def test_large_numbers_stay_finite():
    x = variable(np.array([[-1000.0, 0.0, 1000.0]]))
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for f in (graph.sigmoid, graph.softmax, graph.log_softmax):
            y = f(x)
            y.sum().backward()
            assert np.isfinite(y.value).all() and np.isfinite(x.grad).all()
    np.testing.assert_allclose(graph.log_softmax(x).value, [[-2000.0, -1000.0, 0.0]])


def test_functions_of_arrays_give_arrays():
    assert graph.exp(0.0) == 1.0 and not hasattr(graph.exp(0.0), "parents")
    assert graph.stack([np.zeros(2), np.ones(2)]).tolist() == [[0.0, 0.0], [1.0, 1.0]]


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
