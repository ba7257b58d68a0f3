"""The graph: leaves, backward, reuse, deep graphs, errors, sharing, and the seeds' own numbers."""
from __future__ import annotations

import re

import numpy as np
import pytest

from lib import graph
from lib.graph import (ShapeError, constant, exp, log, relu, share, share_subexpressions, sqrt, topological_order,
                       variable)
from lib.network import Linear
from lib.network_base import Module
from lib.validation import InputError


def skip_network():
    """Return the sheet's network with a skip connection: its weights by name, its output and its loss."""
    x, y = constant(1.0, name="x"), constant(-3.0, name="y")
    w = {name: variable(0.5, name=name) for name in ("w0", "w1", "w2", "ws")}
    h0 = relu(w["w0"] * x)
    h1 = relu(w["w1"] * h0)
    y_hat = w["w2"] * h1 + w["ws"] * h0
    return w, y_hat, abs(y - y_hat)


def test_the_skip_connections_numbers():
    w, y_hat, loss = skip_network()
    loss.backward()
    assert float(y_hat.value) == 0.375 and float(loss.value) == 3.375
    assert {name: float(node.grad) for name, node in w.items()} == {"w0": 0.75, "w1": 0.25, "w2": 0.25, "ws": 0.5}
    for node in w.values():  # one step with learning rate 1
        node.value = node.value - 1.0 * node.grad
    assert float(graph.forward(loss)) == 3.0


def test_the_sheets_three_expressions():
    def numeric(f, point, i):
        up, down = list(point), list(point)
        up[i], down[i] = point[i] + 1e-6, point[i] - 1e-6
        return (f(*up) - f(*down)) / 2e-6

    def expression_a(a, b):
        return exp(a) / sqrt(b) * log(a + b)

    def expression_b(a, b, c):
        return sqrt(a + b + c ** 2) + log(a + b + c ** 2) + (a + b + c ** 2) / (b * c ** 2)

    def expression_c(w0, w1):
        return sum((w0 + w1 * x - y) ** 2 for x, y in ((1.0, 2.0), (2.0, 5.0), (3.0, 6.0)))

    for f, point in ((expression_a, (0.5, 2.0)), (expression_b, (1.0, 2.0, 3.0)), (expression_c, (0.5, 1.5))):
        nodes = [variable(value) for value in point]
        f(*nodes).backward()
        for i, node in enumerate(nodes):
            assert abs(float(node.grad) - numeric(f, point, i)) < 1e-6


def test_gradients_add_up_over_paths_and_uses():
    x = variable(3.0)
    y = x * x          # used twice in one operation
    z = y + y * x      # y on two paths
    z.backward()
    assert float(x.grad) == 2 * 3 + 3 * 9 and float(y.grad) == 1 + 3


def test_a_second_backward_gives_the_same_and_starts_afresh():
    x = variable(3.0)
    y, z = x * x, 5.0 * x
    y.backward()
    y.backward()
    assert float(x.grad) == 6.0
    z.backward()
    assert float(x.grad) == 5.0
    y.backward(accumulate=True)
    assert float(x.grad) == 11.0 and float(y.grad) == 1.0


def test_a_graph_is_reused_with_new_inputs_of_another_batch_size():
    x, w = variable(np.ones((2, 3))), variable(np.arange(3.0))
    loss = ((x @ w) ** 2).sum()
    x.value = np.full((4, 3), 2)
    assert float(graph.forward(loss)) == 4 * 36.0
    loss.backward()
    assert x.grad.shape == (4, 3) and w.grad.tolist() == [96.0, 96.0, 96.0]


def test_constants_and_plain_numbers_get_no_gradient():
    x, c = variable(2.0), constant(5.0)
    y = x * c + 1
    y.backward()
    assert c.grad is None and float(x.grad) == 5.0
    assert not (c * c).needs_grad and y.parents[1].is_leaf
    assert variable(2.0).grad is None


@pytest.mark.parametrize("other", [2, 2.0, np.float64(2), np.full((2, 2), 2.0), np.full((2, 2), 2)])
def test_numbers_and_arrays_on_either_side(other):
    x = variable(np.array([[1.0, 4.0], [2.0, 8.0]]))
    array = x.value
    for node, expected in (((other + x), 2 + array), ((x + other), 2 + array), ((other - x), 2 - array),
                           ((x - other), array - 2), ((other * x), 2 * array), ((other / x), 2 / array),
                           ((x / other), array / 2), ((other ** x), 2 ** array), ((x ** other), array ** 2)):
        assert isinstance(node, graph.Node)
        np.testing.assert_allclose(node.value, expected)
    if np.ndim(other):
        np.testing.assert_allclose((other @ x).value, other @ array)
        np.testing.assert_allclose((x @ other).value, array @ other)


def test_numbers_leave_float32_alone():
    x = variable(np.float32(2.0))
    vector = variable(np.ones(3, np.float32))
    for y in (x * 2.5, 1 / x, x ** 2, vector * 0.1, np.float64(3) - vector, vector * np.array([1, 2, 3])):
        assert y.dtype == np.float32


def test_ten_thousand_operations_in_a_row_and_a_hundred_thousand_are_freed():
    x = variable(1.0)
    y = x
    for _ in range(10_000):
        y = y * 1.0001 + 0.0
    y.backward()
    assert abs(float(x.grad) - 1.0001 ** 10_000) < 1e-9
    for _ in range(100_000):
        y = -y
    del y  # deleting a deep chain must not recurse
    assert len(topological_order(x)) == 1


def test_topological_order_has_parents_first_and_each_node_once():
    x, c = variable(2.0), constant(3.0)
    a = x * c
    y = a + a * x
    order = topological_order(y)
    assert len(order) == len(set(order)) == 5 and order[-1] is y
    for k, node in enumerate(order):
        assert all(order.index(parent) < k for parent in node.parents)
    assert c not in topological_order(y, only_needed=True)


def test_gradients_are_the_nodes_own_and_can_be_written():
    a, b = variable(np.ones(2)), variable(np.ones(2))
    s = a + b
    (s ** 2).sum().backward()
    a.grad *= 2
    assert b.grad.tolist() == s.grad.tolist() == [4.0, 4.0]
    arrays = [a.grad, b.grad, s.grad]
    for operation in (lambda x: x.sum(), lambda x: x.mean(axis=0).sum(), lambda x: x.reshape(3, 2).T[0].sum(),
                      lambda x: (x + 0).sum(), lambda x: (x.T @ np.ones((2, 1))).sum(), lambda x: x[0].sum(),
                      lambda x: np.concatenate([x, x]).sum(), lambda x: np.broadcast_to(x, (4, 2, 3)).sum()):
        x = variable(np.ones((2, 3)))
        y = operation(x)
        y.backward()
        nodes = [node for node in topological_order(y) if node.needs_grad and node.ndim]
        for node in nodes:
            assert not any(np.shares_memory(node.grad, other.grad) for other in nodes if other is not node)
            node.grad *= 2  # clipped in place, say
        arrays += [node.grad for node in nodes]
    upstream = np.ones(2)
    y = a * 1.0
    y.backward(upstream)
    y.grad *= 3
    a.grad *= 5
    assert upstream.tolist() == [1.0, 1.0] and all(array.flags.writeable for array in arrays)


@pytest.mark.parametrize("make", [lambda a: (variable(a) ** 2).sum(), lambda a: (variable(np.ones(2)) * a * a).sum(),
                                  lambda a: (constant(a) * variable(np.full(2, 3.0)) * a).sum(),
                                  lambda a: (variable(np.array([1.0, 9.0]))[a.astype(int) - 3] * a).sum(),
                                  lambda a: np.where(a > 2, variable(np.ones(2)), a).sum()])
def test_an_array_that_is_changed_later_does_not_reach_the_graph(make):
    array, untouched = np.full(2, 3.0), np.full(2, 3.0)
    y, expected = make(array), make(untouched)
    array *= 100
    y.backward()
    expected.backward()
    leaf, same = ([node for node in topological_order(z) if node.is_leaf and node.needs_grad][0] for z in (y, expected))
    assert leaf.grad.tolist() == same.grad.tolist()


@pytest.mark.parametrize("size", [1, 7, 5000])
def test_a_variable_that_is_changed_before_backward_is_noticed(size):
    w = variable(np.linspace(1.0, 2.0, size), name="w")
    for change in (lambda value: value * 0.999, lambda value: value[::-1].copy() + 1e-9, lambda value: value + np.nan):
        loss = (w * w).sum()
        loss.backward()
        earlier = w.value.copy()
        w.value[...] = change(w.value)
        with pytest.raises(InputError, match="Node\\('w'.* changed after"):
            loss.backward()
        graph.forward(loss)
        loss.backward()
        np.testing.assert_allclose(w.grad, 2 * w.value)
        w.value = earlier  # another array, the same numbers
        graph.forward(loss)
        loss.backward()
        np.testing.assert_allclose(w.grad, 2 * earlier)


def test_data_that_are_changed_before_backward_are_noticed():
    x, w = constant(np.arange(6.0).reshape(3, 2), name="x"), variable(np.ones((2, 1)), name="w")
    loss = (x @ w).sum()
    x.value[...] = 100.0  # the next batch in the same array
    with pytest.raises(InputError, match="'x'.* changed after"):
        loss.backward()
    graph.forward(loss)
    loss.backward()
    assert w.grad.tolist() == [[300.0], [300.0]]


def test_what_was_computed_cannot_be_changed():
    x = variable(np.arange(6.0).reshape(3, 2) - 3, name="x")
    for z in (x * 2, (x * 2).T, (x * 2)[1:], x @ np.ones((2, 2)), x.reshape(6) + 1):
        with pytest.raises(ValueError, match="read-only"):
            z.value[z.value < 0] = 0  # in place of relu(z), whose gradient would be another one
    x.value *= 2
    assert (x + 1).value.copy().flags.writeable and x.value.flags.writeable


def test_a_step_between_two_losses_is_noticed():
    linear = Linear(2, 2)
    first, second = (linear(constant(np.ones((3, 2)) * k)).sum() for k in (1, 2))
    first.backward()
    linear.W.data -= 0.1 * linear.W.grad
    with pytest.raises(InputError, match="'W'.* changed after"):
        second.backward()


def test_a_column_minus_a_vector_is_refused():
    column, vector = np.ones((3, 1)), np.ones(3)
    for a, b in ((variable(column), vector), (column, variable(vector)), (variable(vector), column)):
        with pytest.raises(ShapeError, match="one shape, with .reshape"):
            a - b
    for a, b in ((np.ones((1, 1)), np.ones(1)), (np.ones((3, 3)), np.ones(3)), (np.ones((3, 1)), np.ones((1, 3))),
                 (np.ones((3, 1)), np.ones(2)), (np.ones((3, 1)), 1.0)):
        assert (variable(a) - b).shape == np.subtract(a, b).shape
    assert (variable(column) + vector).shape == (3, 3)


# ---------------------------------------------------------------------- errors

def test_shape_errors_name_operands_operation_and_line():
    a, W = variable(np.ones((2, 3)), name="a"), variable(np.ones((4, 5)), name="W")
    with pytest.raises(ShapeError) as caught:
        a @ W
    message = str(caught.value)
    line = caught.traceback[0].lineno + 1
    for part in ("matmul", "a of shape (2, 3)", "W of shape (4, 5)", "test_graph_engine.py", f"line {line}"):
        assert part in message
    with pytest.raises(ShapeError, match="matmul doesn't fit"):
        variable(2.0) @ variable(3.0)
    with pytest.raises(ShapeError, match="operand 2 of shape \\(2,\\)"):
        a + np.ones(2)
    with pytest.raises(ShapeError, match="index"):
        a[5]
    with pytest.raises(ShapeError, match="concatenate"):
        graph.concatenate([a, W])


def test_a_shape_error_inside_of_a_module_names_the_line_in_its_forward():
    class Mine(Module):
        def forward(self, x):
            return x + np.ones(5)

    with pytest.raises(ShapeError, match="which was called by") as info:
        Mine()(variable(np.ones((2, 3))))
    inside, outside = map(int, re.findall(r"test_graph_engine.py, line (\d+)", str(info.value)))
    assert outside - inside == 3


def test_a_shape_error_in_a_reused_graph_names_the_line_that_made_the_node():
    x, w = variable(np.ones((2, 3))), variable(np.ones(3))
    y = x @ w
    line = y.line[1]
    x.value = np.ones((2, 4))
    with pytest.raises(ShapeError, match=f"line {line}"):
        graph.forward(y)


def test_backward_of_several_numbers_asks_for_a_gradient():
    x = variable(np.ones((2, 2)))
    with pytest.raises(InputError, match="node.backward\\(grad\\)"):
        (x * 2).backward()
    with pytest.raises(InputError, match="shape"):
        (x * 2).backward(np.ones(2))
    (x * 2).backward(np.full((2, 2), 3.0))
    assert x.grad.tolist() == [[6.0, 6.0], [6.0, 6.0]]
    single = variable(np.ones((1, 1)))
    (single * 2).backward()
    assert single.grad.shape == (1, 1)


def test_misuse_is_told_in_a_sentence():
    x = variable(1.0)
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(x)
    with pytest.raises(InputError, match="constant\\(node.value\\)"):
        variable(x)
    with pytest.raises(InputError):
        variable("text")


# ---------------------------------------------------------------------- sharing

def expression_b(a, b, c):
    return sqrt(a + b + c ** 2) + log(a + b + c ** 2) + (a + b + c ** 2) / (b * c ** 2)


def test_equal_subexpressions_become_one_node():
    leaves = [variable(value, name=name) for value, name in ((1.0, "a"), (2.0, "b"), (3.0, "c"))]
    plain = expression_b(*leaves)
    plain.backward()
    gradients = [float(leaf.grad) for leaf in leaves]
    with share_subexpressions():
        first = expression_b(*leaves)
    for shared in (first, share(plain)):
        computed = [node.operation.name for node in topological_order(shared) if node.operation is not None]
        # a + b, c^2, (a + b) + c^2, sqrt, log, b c^2, the quotient, and two sums
        assert sorted(computed) == sorted(["add", "power", "add", "sqrt", "log", "multiply", "divide", "add", "add"])
        assert float(shared.value) == float(plain.value)
        shared.backward()
        np.testing.assert_allclose([float(leaf.grad) for leaf in leaves], gradients, rtol=1e-14)


def test_sharing_knows_what_differs():
    x = variable(np.arange(6.0).reshape(2, 3))
    with share_subexpressions():
        assert x + 1.0 is 1.0 + x and x - 1.0 is not 1.0 - x
        assert x.sum(axis=0) is x.sum(axis=0) and x.sum(axis=0) is not x.sum(axis=1)
        assert x[:, 0] is x[:, 0] and x[:, 0] is not x[:, 1]
        assert x[np.array([0, 1])] is x[np.array([0, 1])]
    assert x + 1.0 is not x + 1.0


def test_nodes_show_themselves():
    x = variable(np.ones((2, 3)), name="x")
    assert repr(x) == "Node('x', variable, shape=(2, 3))"
    assert repr((x.sum() * 2).named("y")) == "Node('y', multiply, value=12)"
    assert (x.shape, x.ndim, x.size, len(x), x.T.shape) == ((2, 3), 2, 6, 2, (3, 2))
    assert [row.shape for row in x] == [(3,), (3,)]
    assert x.reshape(3, -1).shape == x.reshape((3, 2)).shape == x.transpose(1, 0).shape == (3, 2)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
