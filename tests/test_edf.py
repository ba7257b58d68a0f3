"""EDF, the course's framework: its programming model, its nodes' numbers and gradients, and nodes of students."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lib.graph import edf
from lib.validation import CallOrderError, InputError


@pytest.fixture(autouse=True)
def fresh_graph():
    edf.clear_compgraph()
    earlier, state = edf.learning_rate, np.random.get_state()
    np.random.seed(0)
    yield
    np.random.set_state(state)
    edf.learning_rate = earlier
    edf.clear_compgraph()


class SquaredError(edf.CompNode):
    """A student's node, as the notebook defines it."""

    def __init__(self, y, y_hat):
        edf.CompNodes.append(self)
        self.y = y
        self.y_hat = y_hat

    def forward(self):
        self.value = (self.y_hat.value - self.y.value)**2

    def backward(self):
        self.y.addgrad(-2 * (self.y_hat.value - self.y.value) * self.grad)
        self.y_hat.addgrad(2 * (self.y_hat.value - self.y.value) * self.grad)


def inputs(*values):
    """Return an Input for each value."""
    nodes = []
    for value in values:
        node = edf.Input()
        node.value = value
        nodes.append(node)
    return nodes


def test_the_models_globals():
    assert edf.learning_rate == 0.001 and edf.DT is np.float32
    x, = inputs(np.ones((2, 3)))
    params = edf.AffineParams(3, 2)
    node = edf.Affine(params, x)
    assert edf.CompNodes == [node] and edf.Parameters == [params.A, params.b]
    lists = edf.CompNodes, edf.Parameters
    edf.clear_compgraph()
    assert lists == ([], []) and edf.CompNodes is lists[0]


def test_parameters():
    assert abs(edf.Xavier(12) - 0.5) < 1e-12
    params = edf.AffineParams(300, 200)
    A, b = params.A.value, params.b.value
    assert isinstance(params, edf.ParameterPackage) and A.shape == (300, 200) and b.shape == (200,)
    assert A.dtype == b.dtype == np.float32 and not b.any()
    assert np.abs(A).max() <= 0.1 and np.abs(A).max() > 0.0999 and abs(A.mean()) < 1e-3
    parameter = edf.Parameter([1.0, 2.0])
    parameter.addgrad(np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]))
    assert parameter.grad.tolist() == [6.0, 60.0]


@pytest.mark.parametrize("loss_class", [edf.L2Loss, SquaredError])
def test_linear_regression_gives_the_closed_forms_gradient_and_solution(loss_class):
    rng = np.random.default_rng(0)
    x_data = rng.uniform(0, 10, (100, 1))
    y_data = 7 * x_data + 50 + rng.standard_normal((100, 1))
    x, y = inputs(x_data, y_data)
    params = edf.AffineParams(1, 1)
    loss = loss_class(y, edf.Affine(params, x))
    params.A.value[:], params.b.value[:] = 4, 1
    edf.Forward()
    edf.Backward(loss)
    residual = 4 * x_data + 1 - y_data
    assert loss.value.shape == (100, 1)
    np.testing.assert_allclose(loss.value, residual ** 2, rtol=1e-6)
    np.testing.assert_allclose(params.A.grad, [[2 * np.mean(residual * x_data)]], rtol=1e-6)
    np.testing.assert_allclose(params.b.grad, [2 * np.mean(residual)], rtol=1e-6)
    edf.learning_rate = 0.02
    for _ in range(1500):
        edf.Forward()
        edf.Backward(loss)
        edf.UpdateParameters()
    slope, offset = np.polyfit(x_data.ravel(), y_data.ravel(), 1)
    assert abs(params.A.value.item() - slope) < 1e-3 and abs(params.b.value.item() - offset) < 1e-2


def test_update_is_one_step_of_gradient_descent():
    parameter = edf.Parameter([1.0, 2.0])
    parameter.grad = np.array([10.0, -10.0])
    edf.learning_rate = 0.1
    edf.UpdateParameters()
    assert parameter.value.tolist() == [0.0, 3.0] and parameter.value.dtype == np.float32
    edf.SGD()
    assert parameter.value.tolist() == [-1.0, 4.0]


def test_logistic_regression_with_a_single_probability():
    rng = np.random.default_rng(0)
    x_data, labels = rng.standard_normal((50, 3)), rng.integers(0, 2, 50)
    x, y = inputs(x_data, labels)
    params = edf.AffineParams(3, 1)
    probabilities = edf.SingleProbToProbVector(edf.Sigmoid(edf.Affine(params, x)))
    loss = edf.CrossEntropyLoss(probabilities, y)
    edf.Forward()
    edf.Backward(loss)
    z = 1 / (1 + np.exp(-(x_data @ params.A.value + params.b.value)))
    np.testing.assert_allclose(probabilities.value, np.hstack([z, 1 - z]), rtol=1e-6)
    np.testing.assert_allclose(loss.value, -np.log(np.where(labels == 0, z[:, 0], 1 - z[:, 0])), rtol=1e-6)
    # by the sheet's formula z is the probability of label 0, so the gradient is mean((z - (1 - label)) x)
    np.testing.assert_allclose(params.A.grad, x_data.T @ (z - (1 - labels[:, None])) / 50, rtol=1e-5, atol=1e-7)
    assert loss.value.shape == (50,)


def test_softmax_cross_entropy():
    rng = np.random.default_rng(0)
    x_data, labels = rng.standard_normal((6, 4)), np.array([0, 1, 2, 2, 1, 0])
    x, y = inputs(x_data, labels)
    params = edf.AffineParams(4, 3)
    loss = edf.CrossEntropyLoss(edf.Softmax(edf.Affine(params, x)), y)
    edf.Forward()
    edf.Backward(loss)
    scores = x_data @ params.A.value + params.b.value
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(params.A.grad, x_data.T @ (p - np.eye(3)[labels]) / 6, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(params.b.grad, (p - np.eye(3)[labels]).mean(axis=0), rtol=1e-5, atol=1e-7)


def test_clamps():
    s, = inputs(np.array([[-100.0, 0.0, 100.0]]))
    sigmoid, softmax = edf.Sigmoid(s), edf.Softmax(s)
    edf.Forward()
    np.testing.assert_allclose(sigmoid.value, 1 / (1 + np.exp([[10.0, 0.0, -10.0]])))
    e = np.exp([[-10.0, -10.0, 0.0]])
    np.testing.assert_allclose(softmax.value, e / e.sum())


def test_a_node_that_is_used_twice_gets_both_gradients():
    x, = inputs(np.array([[1.0], [2.0]]))
    params = edf.AffineParams(1, 1)
    affine = edf.Affine(params, x)
    loss = edf.Add(affine, affine)
    edf.Forward()
    edf.Backward(loss)
    assert affine.grad.tolist() == [[1.0], [1.0]]
    np.testing.assert_allclose(params.A.grad, [[3.0]])


def conv_params():
    return edf.ConvParams(2, 3, (2, 3))


def layer_norm_params():
    return edf.LayerNormParams(4)


NODES = {  # name: (shape of x, makes the node)
    "Affine": ((3, 4), lambda x: edf.Affine(edf.AffineParams(4, 2), x)),
    "Sigmoid": ((3, 4), edf.Sigmoid), "ReLU": ((3, 4), edf.ReLU), "Tanh": ((3, 4), edf.Tanh),
    "LeakyReLU": ((3, 4), lambda x: edf.LeakyReLU(x, 0.1)), "Softmax": ((3, 4), edf.Softmax),
    "Add": ((3, 4), lambda x: edf.Add(x, edf.Parameter(np.ones(4)))),
    "VDot": ((3, 4), lambda x: edf.VDot(x, edf.Tanh(x))), "Norm": ((3, 4), edf.Norm),
    "MSELoss": ((3, 4), lambda x: edf.MSELoss(edf.Parameter(np.ones((3, 4))), x)),
    "L2Loss": ((3, 1), lambda x: edf.L2Loss(edf.Tanh(x), x)),
    "SingleProbToProbVector": ((3, 1), edf.SingleProbToProbVector),
    "Reshape": ((3, 4), lambda x: edf.Reshape(x, (2, 2))), "Transpose": ((3, 4, 2), edf.Transpose),
    "Conv": ((2, 2, 3, 4), lambda x: edf.Conv(conv_params(), x, stride=(1, 2), padding=1)),
    "LayerNorm": ((3, 4), lambda x: edf.LayerNorm(layer_norm_params(), x)),
}


@pytest.mark.parametrize("name", sorted(NODES))
def test_every_nodes_gradient_is_the_finite_difference(name, monkeypatch):
    monkeypatch.setattr(edf, "DT", np.float64)
    shape, make = NODES[name]
    rng = np.random.default_rng(0)
    x = edf.Parameter(rng.uniform(-1, 1, (1,) + shape))  # one "example" that holds the whole batch
    batch = edf.Reshape(x, shape)
    batch.compute = lambda node: node.reshape(shape)
    node = make(batch)
    edf.Forward()
    weights = rng.uniform(0.5, 1.5, node.value.shape)
    edf.Backward(node)
    ones = edf.Parameters[0].grad
    assert ones.shape == x.value.shape
    node_grad = weights / len(weights)

    def value():
        edf.Forward()
        return np.sum(node.value * node_grad)

    edf.Forward()
    for other in edf.CompNodes + edf.Parameters:
        other.grad = np.zeros(other.value.shape)
    node.grad = node_grad
    for other in reversed(edf.CompNodes):
        other.backward()
    for parameter in edf.Parameters:
        for place in list(np.ndindex(parameter.value.shape))[:20]:
            original = parameter.value[place]
            parameter.value[place] = original + 1e-6
            up = value()
            parameter.value[place] = original - 1e-6
            down = value()
            parameter.value[place] = original
            assert abs(parameter.grad[place] - (up - down) / 2e-6) < 1e-7


def test_gradients_are_float32_arrays_that_are_added_to_in_place():
    x, y = inputs(np.array([[1.0], [2.0]]), np.array([[3.0], [5.0]]))
    params = edf.AffineParams(1, 1)
    affine = edf.Affine(params, x)
    loss = edf.L2Loss(y, affine)
    edf.Forward()
    assert affine.value.dtype == loss.value.dtype == np.float64
    edf.Backward(loss)
    assert loss.grad.dtype == np.float64 and loss.grad.tolist() == [[0.5], [0.5]]
    assert {node.grad.dtype for node in (affine, params.A, params.b)} == {np.dtype(np.float32)}
    held = affine.grad
    affine.addgrad(np.full((2, 1), 1e-12))  # float64, too small for float32
    assert affine.grad is held and held.dtype == np.float32


def test_parameters_are_updated_in_place_and_older_names_work():
    params = edf.AffineParams(2, 1)
    kept = params.A.value
    params.A.grad[...] = 1000.0
    before = kept.copy()
    edf.SGD()
    assert params.w is params.A and params.A.value is kept and (kept == before - np.float32(1.0)).all()
    assert edf.LogLoss is edf.CrossEntropyLoss and edf.Relu is edf.ReLU


@pytest.mark.parametrize("rows", [1, 3, 9])
def test_new_data_in_x_alone(rows):
    x, y, target = inputs(np.ones((6, 2)), np.zeros(6, dtype=int), np.ones((6, 3)))
    p = edf.Softmax(edf.Affine(edf.AffineParams(2, 3), x))
    losses = edf.CrossEntropyLoss(p, y), edf.L2Loss(target, p), SquaredError(target, p), edf.MSELoss(target, p)
    edf.Forward()
    x.value = np.random.default_rng(0).standard_normal((rows, 2))
    edf.Forward()
    assert p.value.shape == (rows, 3) and losses[0].value is None and losses[1].value is None
    with pytest.raises(InputError, match=r"CrossEntropyLoss \(made in .*test_edf.py, line \d+\) has no value"):
        edf.Backward(losses[0])
    y.value, target.value = np.zeros(rows, dtype=int), np.ones((rows, 3))
    edf.Forward()
    edf.Backward(losses[0])
    assert all(loss.value is not None for loss in losses)


def test_what_does_not_fit_inside_of_the_graph_is_told_with_its_line():
    x, y = inputs(np.ones((4, 3)), np.zeros((4, 1)))
    edf.L2Loss(y, edf.Affine(edf.AffineParams(2, 1), x))
    with pytest.raises(InputError, match=r"Affine \(made in .*test_edf.py, line \d+\) can't be computed from \(4, 3\)"):
        edf.Forward()
    edf.clear_compgraph()
    edf.Sigmoid(edf.Input())
    with pytest.raises(CallOrderError, match="Sigmoid .* Input.* has no value"):
        edf.Forward()
    edf.clear_compgraph()
    x.value, y.value = np.ones((4, 2)), np.zeros(4)  # (4,) against (4, 1)
    loss = edf.L2Loss(y, edf.Affine(edf.AffineParams(2, 1), x))
    with pytest.raises(InputError, match="one shape"):
        edf.Forward()
        edf.Backward(loss)


def test_sigmoid_of_whole_numbers():
    x, = inputs(np.array([[0, 1, -20]]))
    node = edf.Sigmoid(x)
    edf.Forward()
    np.testing.assert_allclose(node.value, 1 / (1 + np.exp([[0.0, -1.0, 10.0]])))


def test_notebooks_import_it_as_edf():
    code = ("import sys; sys.path.insert(0, 'lib/graph'); import edf; import lib.graph.edf as ours; "
            "assert edf is ours; x = edf.Input(); node = edf.Tanh(x); assert edf.CompNodes == [node] and len(sys.path)")
    subprocess.run([sys.executable, "-c", code], cwd=str(Path(edf.__file__).resolve().parents[3]), check=True)


def test_mistakes_are_told_in_sentences():
    x, y = inputs(np.ones((2, 3)), np.array([0, 1]))
    with pytest.raises(ValueError, match="computed node"):
        edf.CrossEntropyLoss(x, y)
    loss = edf.CrossEntropyLoss(edf.Softmax(x), y)
    with pytest.raises(CallOrderError, match="Forward"):
        edf.Backward(loss)
    y.value = np.array([0.0, 1.0])
    with pytest.raises(InputError, match="integers"):
        edf.Forward()
    for labels in ([0, 3], [-1, 1]):  # -1 would count from the last class
        y.value = np.array(labels)
        with pytest.raises(InputError, match="labels from 0 to 2"):
            edf.Forward()


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
