"""Explanations: what they say is what the engine computes, and what a student must see in them is there."""
from __future__ import annotations


import numpy as np
import pytest

from lib import graph
from lib.activations import ReLU
from lib.graph import constant, exp, relu, sigmoid, sin, softmax, sqrt, tanh, variable
from lib.graph.explain import explain, jacobian
from lib.graph.explain.paths import contribution, all_paths, count_paths
from exercises.pen_and_paper import (elementwise_jacobian, expression_a, expression_b, expression_c,
                                     linear_map_derivatives, mlp_regression, sigmoid_derivative, skip_network,
                                     ticket_network)
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential
from lib.regularizers import Dropout
from lib.validation import InputError


def small_mlp(rng, vector):
    """Return the loss of a network with one hidden layer, at a vector or on a batch."""
    shapes = ((2,), (1,)) if vector else ((5, 2), (5, 1))
    build = mlp_regression if vector else ticket_network
    return build(rng.normal(size=shapes[0]), rng.normal(size=shapes[1]), rng.normal(size=(2, 3)), rng.normal(size=3),
                 rng.normal(size=(3, 1)), rng.normal(size=1))


def lines(part):
    return [line.text for line in part.lines]


# ---------------------------------------------------------------------- the sheet's numbers

def test_skip_network_has_the_sheets_numbers():
    by_hand = explain(skip_network())
    values = {name: float(by_hand.derivation.node(name).value) for name in ("y_hat", "L")}
    assert values == {"y_hat": 0.375, "L": 3.375}
    derivation = by_hand.derivation
    gradients = {name: float(derivation.gradients[derivation.node(name)]) for name in ("w0", "w1", "w2", "ws")}
    assert gradients == {"w0": 0.75, "w1": 0.25, "w2": 0.25, "ws": 0.5}
    step = lines(by_hand.step(1.0))
    assert "new w0 = w0 - 1 * dL/dw0 = 0.5 - 1 * 0.75 = -0.25" in step
    assert step[-1] == "L was 3.375 and is 3 after the step."


def test_the_skip_connection_is_a_path_of_its_own():
    by_hand = explain(skip_network())
    said = lines(by_hand.paths("w0"))
    assert "path 1: L -> t3 -> y_hat -> t2 -> h0 -> z0 -> w0" in said
    assert "path 2: L -> t3 -> y_hat -> t1 -> h1 -> z1 -> h0 -> z0 -> w0" in said
    assert said[-1] == "dL/dw0 = 0.5 + 0.25 = 0.75"
    assert len(all_paths(by_hand.derivation, by_hand.derivation.node("w1"))) == 1


def test_every_edge_says_what_is_sent_where():
    said = lines(explain(skip_network()).edges())
    assert "h0 = relu(z0) has received dL/dh0 = 0.75 and sends" in said
    assert "to z0: dL/dh0 * dh0/dz0 = dL/dh0 * (1 if z0 > 0 else 0) = 0.75 * 1 = 0.75" in said
    assert "to y_hat: dL/dt3 * dt3/dy_hat = -dL/dt3 = -1 * (-1) = 1" in said
    assert "nothing to y: constant" in said


def test_sums_at_nodes_with_several_children():
    assert "dL/dh0 = dL/dz1 * dz1/dh0 + dL/dt2 * dt2/dh0 = 0.25 + 0.5 = 0.75" in lines(explain(skip_network()).sums())


# ---------------------------------------------------------------------- three expressions

def test_common_sub_expressions_are_computed_once():
    said = lines(explain(expression_b()).intermediates())
    assert said == ["Given: a, b, c.", "t1 = a + b", "t2 = c ** 2", "t3 = t1 + t2", "t4 = sqrt(t3)", "t5 = log(t3)",
                    "t6 = t4 + t5", "t7 = b * t2", "t8 = t3 / t7", "B = t6 + t8"]
    assert len(explain(expression_b(), reuse=False).intermediates().lines) > len(said)


def test_expression_a_is_decomposed_and_its_sums_are_right():
    said = lines(explain(expression_a(1.0, 2.0)).sums())
    assert any(line.startswith("dA/db = dA/dt2 * dt2/db + dA/dt4 * dt4/db = ") for line in said)


def test_expression_c_sums_over_the_data_points():
    by_hand = explain(expression_c(1, 2, (1, 2, 3), (2, 6, 6)))
    assert "dC/dw1 = dC/dt1 * dt1/dw1 + dC/dt5 * dt5/dw1 + dC/dt9 * dt9/dw1 = 2 + (-4) + 6 = 4" in lines(by_hand.sums())
    with pytest.raises(InputError, match="Each x needs a y"):
        expression_c(x=(1, 2), y=(1,))


@pytest.mark.parametrize("expression", [expression_a, expression_b, expression_c, skip_network])
def test_gradients_and_paths_agree_with_the_engine(expression):
    loss = expression()
    derivation = explain(loss).derivation
    loss.backward()
    for node in derivation.parameters():
        np.testing.assert_allclose(derivation.gradients[node], node.grad, rtol=1e-13)
        found = all_paths(derivation, node)
        assert len(found) == count_paths(derivation, node)
        np.testing.assert_allclose(sum(contribution(derivation, path) for path in found), node.grad, rtol=1e-13)


def test_formulas_of_text_evaluate_to_the_gradient():
    """The written derivative, read as Python, is the number."""
    loss = expression_a(0.7, 1.9)
    by_hand = explain(loss)
    functions = {"exp": np.exp, "log": np.log, "sqrt": np.sqrt, "a": 0.7, "b": 1.9}
    loss.backward()
    for node in by_hand.derivation.parameters():
        formula, value = by_hand.derivative(node).text.split(" = ")[1:]
        assert eval(formula, functions) == pytest.approx(float(node.grad), rel=1e-12)
        assert float(value) == pytest.approx(float(node.grad), rel=1e-5)


# ---------------------------------------------------------------------- arrays

@pytest.mark.parametrize("vector", [True, False])
def test_the_formula_of_each_path_evaluates_to_its_gradient(vector):
    """What "reordered and transposed" says, read as Python, is what the engine computes, shape and all."""
    loss = small_mlp(np.random.default_rng(3), vector)
    by_hand = explain(loss)
    loss.backward()
    names = {name: np.asarray(by_hand.derivation.node(name).value) for name in by_hand.derivation.names.known()}
    names["outer"] = np.outer
    for node in by_hand.derivation.parameters():
        formula = [text for text in lines(by_hand.paths(node)) if text.startswith("reordered and transposed: ")][0]
        np.testing.assert_allclose(eval(formula.split(" = ", 1)[1], vars(np), names), node.grad, rtol=1e-12)


def test_transposes_are_derived_from_the_indices():
    said = "\n".join(lines(explain(small_mlp(np.random.default_rng(0), False)).matrices()))
    assert "t1[b,j] = sum_i x[b,i] * W1[i,j]" in said
    assert "dL/dW1[i,j] = sum_b x[b,i] * dL/dt1[b,j]" in said
    assert "b is the first index of x: so x is transposed" in said
    assert "dL/dW1 = x.T @ dL/dt1   shape (2, 3), as W1" in said
    assert "dL/dh[b,i] = sum_j dL/dt2[b,j] * W2[i,j]" in said and "so W2 is transposed" in said
    assert "dL/db1[i] = sum_b dL/dz1[b,i]" in said and "uses each entry of b1 5 times" in said


def test_a_vector_is_not_transposed_but_multiplied_as_a_column():
    by_hand = explain(small_mlp(np.random.default_rng(0), True))
    said = "\n".join(lines(by_hand.matrices()))
    assert "dl/dW2 = outer(z3, dl/dz4)" in said and "dl/dz3 = W2 @ dl/dz4" in said
    assert "z_{1} = {W_{1}}^{\\top} \\, x" in by_hand.intermediates().markdown()


@pytest.mark.parametrize("shapes", [((2, 3), (3,)), ((3,), (3, 2)), ((3,), (3,)), ((2, 3), (3, 4)), ((2, 1), (1, 3))],
                         ids=str)
def test_products_of_matrices_and_vectors_are_written_as_they_are_computed(shapes):
    rng = np.random.default_rng(0)
    a, b = (variable(rng.normal(size=shape), name=name) for shape, name in zip(shapes, "ab"))
    z = (a @ b).named("z")
    loss = (z * rng.normal(size=z.shape)).sum().named("L")
    loss.backward()
    for line in lines(explain(loss).formulas()):
        name, formula = line.split(" = ")
        if name in ("dL/da", "dL/db"):
            python = formula.split("   ")[0].replace("dL/dz", "g")
            result = eval(python, {"outer": np.outer, "a": a.value, "b": b.value, "g": z.grad})
            np.testing.assert_allclose(result, (a if name == "dL/da" else b).grad, rtol=1e-13)


def test_broadcast_parameters_get_sums():
    w, c = variable(2.0, name="w"), variable([[1.0], [2.0]], name="c")
    x = constant(np.arange(6.0).reshape(2, 3), name="x")
    said = lines(explain(((w * x).named("z") + c).named("y").sum().named("L")).formulas())
    assert "dL/dw = sum(dL/dz * x)   shape a number" in said
    assert "dL/dc = sum(dL/dy, axis=1, keepdims=True)   shape (2, 1)" in said


def test_the_shapes_of_all_terms_are_written():
    said = lines(explain(small_mlp(np.random.default_rng(0), False)).paths("W1"))
    assert "dt1/dW1: x.T, multiplied from the left   shape (2, 5)" in said
    assert said[-1] == "shapes: (2, 5) @ (((5, 1) @ (1, 3)) * (5, 3)) -> (2, 3)"


def test_elementwise_jacobians_are_shown_diagonal():
    x = variable([0.0, 1.0], name="x")
    said = "\n".join(lines(explain(tanh(x).named("h").sum()).jacobians()))
    assert "the Jacobian is diagonal" in said and "dh/dx = [[1, 0], [0, 0.419974]]" in said
    assert "single number" in "\n".join(lines(explain(skip_network()).jacobians()))


def test_softmax_is_derived_with_its_full_jacobian():
    s = variable([[1.0, 2.0, 0.5]], name="s")
    said = "\n".join(lines(explain((softmax(s).named("p") * [[1.0, 0.0, 2.0]]).sum().named("L")).matrices()))
    assert "dL/ds[j] = sum_i dL/dp[i] * dp[i]/ds[j] = p[j] * (dL/dp[j] - sum_i dL/dp[i] * p[i])" in said


@pytest.mark.parametrize("operation", graph.Operation.all(), ids=lambda operation: operation.name)
def test_every_operation_can_be_explained(operation):
    if operation.name == "erf":
        pytest.importorskip("scipy")
    for one, inputs in operation.examples(np.random.default_rng(0)):
        nodes = [variable(value, name=f"x{k + 1}") for k, value in enumerate(inputs)]
        loss = nodes[0].apply(one, tuple(nodes)).named("y").sum().named("L")
        whole = explain(loss)
        text, markdown = str(whole), whole.markdown()
        assert "dL/dx1" in text and text.isascii()
        assert markdown.count("$") % 2 == 0 and "\\partial" in markdown


def test_modules_can_be_explained_as_nodes_and_in_operations():
    np.random.seed(0)
    model = Sequential(Linear(3, 2), ReLU(), Linear(2, 2))
    x = constant(np.random.default_rng(0).normal(size=(4, 3)), name="x")
    labels = np.eye(2)[[0, 1, 1, 0]]
    as_nodes = explain(CrossEntropyLoss()(model(x), labels).named("L"))
    assert "Linear(x)" in str(as_nodes.intermediates())
    with graph.expanded():
        by_operations = explain(CrossEntropyLoss()(model(x), labels).named("L"))
    assert "x.T @ dL/dt1" in str(by_operations.formulas())
    for name in ("W1", "b1", "W2", "b2"):
        one, other = (each.derivation.gradients[each.derivation.node(name)] for each in (as_nodes, by_operations))
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def test_a_dropout_node_keeps_its_mask():
    np.random.seed(0)
    loss = Dropout(0.5)(variable(np.ones((4, 5)), name="x")).sum().named("L")
    assert float(explain(loss).output.value) == float(loss.value)


def test_nothing_in_the_graph_is_changed():
    model = Sequential(Linear(3, 2), ReLU())
    loss = model(variable(np.ones((4, 3)), name="x")).sum()
    before = [(node.value.copy(), node.grad) for node in graph.topological_order(loss)]
    str(explain(loss, learning_rate=0.1))
    for node, (value, grad) in zip(graph.topological_order(loss), before):
        np.testing.assert_array_equal(node.value, value)
        assert node.grad is grad
    assert all(not parameter.grad.any() for parameter in model.parameters())


# ---------------------------------------------------------------------- Jacobians in symbols

def test_jacobian_of_the_sheets_function():
    values = (0.3, 1.2, 2.0)
    x = [variable(value, name=f"x{k + 1}") for k, value in enumerate(values)]
    f = jacobian([exp(x[0]) * sin(x[2]), sqrt(x[1] + x[2])], x)
    half = 0.5 / np.sqrt(values[1] + values[2])
    correct = [[np.exp(0.3) * np.sin(2.0), 0, np.exp(0.3) * np.cos(2.0)], [0, half, half]]
    np.testing.assert_allclose(f.values, correct, rtol=1e-14)
    space = dict(zip(("x1", "x2", "x3"), values), exp=np.exp, sin=np.sin, cos=np.cos, sqrt=np.sqrt)
    np.testing.assert_allclose([[eval(entry, dict(space)) for entry in row] for row in f.text], correct, rtol=1e-14)
    assert f.text[0][1] == f.text[1][0] == "0"


def test_elementwise_functions_have_a_diagonal_jacobian():
    assert elementwise_jacobian("a", 2).text == [["a'(x1)", "0"], ["0", "a'(x2)"]]
    assert "The matrix is diagonal" in str(elementwise_jacobian(sigmoid, 3))
    assert "sigma * (1 - sigma)" in str(sigmoid_derivative())


def test_derivatives_of_a_linear_map():
    said = str(linear_map_derivatives(2, 2))
    assert "[ w11   w12 ]" in said and "[ w21   w22 ]" in said
    assert "y1 by w11, w12, w21, w22:   x1   x2   0   0" in said
    assert "a1 * x1   a1 * x2   a2 * x1   a2 * x2" in said


# ---------------------------------------------------------------------- forms and mistakes

def test_notebooks_get_html_and_latex():
    by_hand = explain(skip_network(), learning_rate=1.0)
    assert "<li" in by_hand._repr_html_() and r"\frac{\partial L}{\partial w_{0}}" in by_hand._repr_html_()
    assert by_hand.sums()._repr_latex_().startswith("$$\n\\begin{aligned}")
    assert "### One step" in by_hand.markdown() and "### (g) One step" in by_hand.step(1.0).markdown()


def test_unnamed_graphs_get_names():
    a, b = variable(1.0), variable(2.0)
    assert lines(explain(a * b + a).intermediates()) == ["Given: v1, v2.", "t1 = v1 * v2", "t2 = t1 + v1"]


def test_the_same_variable_twice_in_one_operation():
    x = variable(3.0, name="x")
    assert lines(explain((x * x).named("y")).sums())[-1] == "dy/dx = dy/dx|1 + dy/dx|2 = 3 + 3 = 6"


def test_many_paths_are_counted_not_walked():
    x = variable(1.0, name="x")
    y = x
    for _ in range(60):
        y = y + y
    assert f"There are {2 ** 60} paths" in str(explain(y.named("y")).paths("x"))


def test_long_chains_need_no_recursion():
    y = variable(1.0, name="x")
    for _ in range(1500):
        y = y + 1.0
    by_hand = explain(y.named("y"))
    assert lines(by_hand.sums())[-1].endswith("= 1")
    with pytest.raises(InputError, match="too long to be explained in one piece"):
        str(by_hand)


def test_mistakes_are_answered_with_sentences():
    x = variable([1.0, 2.0], name="x")
    with pytest.raises(InputError, match="explained for a single number"):
        explain(relu(x)).sums()
    with pytest.raises(InputError, match="depends on constants only"):
        explain(constant(1.0) + constant(2.0)).edges()
    with pytest.raises(InputError, match="no node called 'w9'.*w0, w1"):
        explain(skip_network()).paths("w9")
    with pytest.raises(InputError, match="A node of a computational graph is needed"):
        explain(3.0)
    with pytest.raises(InputError, match="learning rate must be a positive number"):
        explain(skip_network()).step(0)
    with pytest.raises(InputError, match="need names"):
        jacobian([variable(1.0)], [variable(2.0)])
    with pytest.raises(InputError, match="node of its own"):
        jacobian([relu(x)], [x])


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
