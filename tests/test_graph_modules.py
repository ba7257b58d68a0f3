"""Modules on nodes, as one node and written out; test_everything_found.py compares the numbers of every module."""
from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from lib.activations import ReLU, Sigmoid
from lib.layers.activations import Tanh
from lib.graph import (ModuleCall, constant, derivatives, expand, expanded, forward_on_nodes, relu, share,
                       topological_order, variable)
from lib.graph.explain import explain
from lib.graph.expansion_rules import expansion
from lib.graph.modules import parameter_node
from lib.inspection.recording import recording_copy
from lib.losses import CrossEntropyLoss, MSELoss
from lib.network import Linear, Sequential
from lib.layers.normalization import BatchNorm1d
from lib.layers.residual import Residual
from lib.network_base import Module, Parameter
from lib.regularizers import Dropout
from lib.numerics import stable_sigmoid
from lib.numerics import checked_pair
from lib.validation import InputError, as_float, checked_elementwise


def network():
    np.random.seed(0)
    return Sequential(Linear(3, 4), Tanh(), Residual(Sequential(Linear(4, 4), Sigmoid())), Linear(4, 2))


def test_a_network_is_one_node_a_module_or_single_operations():
    model, x = network(), variable(np.random.default_rng(0).standard_normal((5, 3)), name="x")

    def operations(node):
        return [n.operation.name for n in topological_order(node) if n.operation is not None]

    assert operations(model(x)) == ["Linear", "Tanh", "Linear", "Sigmoid", "add", "Linear"]
    assert operations(expand(model, x)) == ["matmul", "add", "tanh", "matmul", "add", "sigmoid", "add", "matmul", "add"]
    leaves = [n.name for n in topological_order(model(x)) if n.operation is None]
    assert leaves == ["x", "W1", "b1", "W2", "b2", "W3", "b3"]


@pytest.mark.parametrize("write_out", [False, True])
def test_training_through_the_graph_is_training_without(write_out):
    x, labels = np.random.default_rng(0).standard_normal((6, 3)), np.eye(2)[[0, 1, 1, 0, 1, 0]]
    losses = []
    for on_graph in (False, True):
        model, loss_fn = network(), CrossEntropyLoss()
        for _ in range(5):
            model._zero_grad()
            if on_graph:
                with expanded(write_out):
                    loss = loss_fn(model(constant(x)), labels)
                loss.backward()
            else:
                loss = loss_fn(model(x), labels)
                model.backward(loss_fn.backward())
            for parameter in model.parameters():
                parameter.data -= 0.5 * parameter.grad
        losses.append(float(getattr(loss, "value", loss)))
    assert abs(losses[0] - losses[1]) < 1e-12


def test_parameters_add_up_while_their_leaves_start_afresh():
    linear = Linear(3, 2)
    for write_out in (False, True):
        linear._zero_grad()
        with expanded(write_out):
            y = linear(constant(np.ones((4, 3)))).sum()
        y.backward()
        y.backward()
        leaf = next(node for node in topological_order(y) if node.name == "W")
        assert leaf.parameter is linear.W and leaf.grad.tolist() == np.full((3, 2), 4.0).tolist()
        assert linear.W.grad.tolist() == np.full((3, 2), 8.0).tolist()


def test_a_module_that_is_used_twice_remembers_both_uses():
    linear = Linear(3, 3)
    linear.W.data = np.random.default_rng(0).standard_normal((3, 3))
    x = variable(np.random.default_rng(1).standard_normal((2, 3)))
    gradients = []
    for write_out in (False, True):
        linear._zero_grad()
        with expanded(write_out):
            y = (linear(linear(x)) ** 2).sum()
        y.backward()
        gradients.append((linear.W.grad.copy(), linear.b.grad.copy(), x.grad))
    for one_node, written_out in zip(*gradients):
        np.testing.assert_allclose(one_node, written_out, rtol=1e-12)


def test_the_graph_leaves_the_module_as_it_was():
    linear = Linear(3, 2)
    y = linear(variable(np.ones((4, 3)))).sum()
    other = np.zeros((1, 3))
    linear(other)
    y.backward()
    assert linear.input_cache is other


def test_the_upstream_gradient_reaches_a_loss():
    preds, labels = variable(np.array([[1.0, 2.0]])), np.array([[0.0, 0.0]])
    (3.0 * MSELoss()(preds, labels)).backward()
    assert preds.grad.tolist() == [[3.0, 6.0]]


def test_dropout_keeps_the_mask_of_its_call():
    dropout, x = Dropout(0.5, rng=np.random.default_rng(0)), variable(np.ones((3, 50)))
    first, second = dropout(x), dropout(x)
    assert (first.value != second.value).any()
    first.sum().backward()
    np.testing.assert_allclose(x.grad, first.value)


def test_float32_networks_stay_float32():
    model = network().astype(np.float32)
    x = np.ones((2, 3), np.float32)
    for write_out in (False, True):
        with expanded(write_out):
            node = variable(x)
            y = model(node)
        CrossEntropyLoss()(y, np.eye(2)).backward()
        assert y.dtype == node.grad.dtype == model.parameters()[0].grad.dtype == np.float32


def test_second_derivatives_need_single_operations():
    x = variable(np.array([[0.5, -1.0]]))
    with pytest.raises(InputError, match="expanded"):
        derivatives(Tanh()(x).sum(), [x])
    with expanded():
        first, = derivatives(Tanh()(x).sum(), [x])
    second, = derivatives(first.sum(), [x])
    t = np.tanh(x.value)
    np.testing.assert_allclose(second.value, -2 * t * (1 - t * t))


def test_labels_that_are_variables_are_refused_or_differentiated():
    preds, labels = variable(np.ones((2, 1))), variable(np.zeros((2, 1)))
    with pytest.raises(InputError, match="first input only"):
        MSELoss()(preds, labels).backward()
    with expanded():
        MSELoss()(preds, labels).backward()
    assert labels.grad.tolist() == [[-0.5], [-0.5]]


def test_losses_on_nodes_never_broadcast():
    for write_out in (False, True):
        with expanded(write_out), pytest.raises(InputError, match="same shape"):
            MSELoss()(variable(np.ones((3, 1))), np.ones(3))


class Twice(ReLU):
    factor = 2.0

    def forward(self, x):
        return 2 * super().forward(x)

    def backward(self, grad):
        return self.factor * super().backward(grad)


def test_a_module_of_ones_own_is_written_out_by_its_forward():
    x = variable(np.array([[-1.0, 3.0]]))
    y = expand(Twice(), x)
    y.sum().backward()
    assert [node.operation.name for node in topological_order(y) if node.operation] == ["maximum", "multiply"]
    assert x.grad.tolist() == [[0.0, 2.0]]

    @expansion(Twice)
    def _twice(module, x):
        return relu(x) * 2

    names = [node.operation.name for node in topological_order(expand(Twice(), x)) if node.operation]
    assert names == ["relu", "multiply"]


def test_a_module_whose_backward_is_wrong_stays_one_node():
    module, x = Twice(), variable(np.array([[-1.0, 3.0]]))
    module.factor = 3.0
    y = expand(module, x)
    y.sum().backward()
    assert isinstance(y.operation, ModuleCall) and x.grad.tolist() == [[0.0, 3.0]]  # what was written


class Wrong(Sequential):
    """A Sequential whose backward a student has got wrong, in one of several ways."""

    def __init__(self, way, *modules):
        super().__init__(*modules)
        self.way = way

    def backward(self, grad):
        modules = list(self.modules)
        for module in {"right": modules[::-1], "in order": modules, "one missing": modules[:0:-1],
                       "one twice": modules[::-1] + modules[:1]}[self.way]:
            grad = module.backward(grad)
        return -grad if self.way == "sign" else grad


@pytest.mark.parametrize("write_out", [False, True])
@pytest.mark.parametrize("way", ["right", "in order", "one missing", "one twice"])
def test_a_container_counts_as_what_its_backward_does(way, write_out):
    np.random.seed(0)
    model = Wrong(way, Linear(3, 3), Tanh(), Linear(3, 3))
    with expanded(write_out):
        y = model(variable(np.random.default_rng(0).standard_normal((2, 3))))
    assert isinstance(y.operation, ModuleCall) == (way != "right" or not write_out)
    assert (y.operation.name == "Wrong") == (way != "right")
    model._zero_grad()
    y.backward(np.ones(y.shape))
    on_graph = [parameter.grad.copy() for parameter in model.parameters()]
    model._zero_grad()
    model(topological_order(y)[0].value)
    model.backward(np.ones(y.shape))
    for actual, expected in zip(on_graph, model.parameters()):
        np.testing.assert_allclose(actual, expected.grad, rtol=1e-12)


class Stranger(Module):
    """A layer as a course may have it: nothing but forward, backward and parameters()."""

    def __init__(self, in_place):
        self.w, self.in_place = Parameter(np.array([2.0, 3.0])), in_place

    def parameters(self):
        return [self.w]

    def forward(self, x):
        self.x = x
        if self.in_place:
            y = np.zeros_like(x)
            y[:] = x * self.w.data
            return y
        return np.multiply(x, self.w.data)

    def backward(self, grad):
        self.w.grad += np.sum(grad * self.x, axis=0)
        return grad * self.w.data


@pytest.mark.parametrize("in_place", [False, True])
def test_a_strangers_layer(in_place):
    module = Stranger(in_place)
    x = variable(np.array([[1.0, -1.0], [0.5, 2.0]]))
    for write_out in (False, True):
        module._zero_grad()
        with expanded(write_out):
            y = module(x)
        assert y.operation.name == ("multiply" if write_out and not in_place else "Stranger")
        y.sum().backward()
        assert module.w.grad.tolist() == [1.5, 1.0] and x.grad.tolist() == [[2.0, 3.0]] * 2
    assert isinstance(module.w.data, np.ndarray)


def test_a_forward_is_traced_whether_its_backward_is_right_or_not():
    module = Twice()
    module.factor = 3.0
    x = variable(np.array([[-1.0, 3.0]]))
    module(np.ones((1, 2)))
    cache = module.input_cache
    y = forward_on_nodes(module, x)
    y.sum().backward()
    assert x.grad.tolist() == [[0.0, 2.0]] and module.input_cache is cache
    with pytest.raises((TypeError, ValueError)):
        forward_on_nodes(Stranger(in_place=True), x)
    linear = Sequential(Linear(2, 2))
    y = forward_on_nodes(linear, x.value)
    assert [node.name for node in topological_order(y) if node.is_leaf and node.parameter] == ["W", "b"]
    assert all(isinstance(parameter.data, np.ndarray) for parameter in linear.parameters())
    with pytest.raises(InputError, match="module\\(node\\)"):
        linear.forward(x)


class ByName(Module):
    """Gives the modules inside of it their inputs by name."""

    def __init__(self):
        self.linear, self.twice = Linear(2, 3), Named()

    def parameters(self):
        return self.linear.parameters()

    def forward(self, x):
        return self.twice(self.linear(x=x), factor=3.0)

    def backward(self, grad):
        return self.linear.backward(self.twice.backward(grad))


class Named(Module):
    def forward(self, x, factor=1.0):
        self.factor = factor
        return x * factor

    def backward(self, grad):
        return grad * self.factor


def test_inputs_given_by_name_are_written_out():
    module = ByName()
    assert expand(module, np.ones((2, 2))).operation.name == "multiply"
    twin, outputs, _ = recording_copy(module)  # whose modules have a forward that takes whatever comes
    twin(np.ones((2, 2)))
    assert set(outputs) == {"ByName", "ByName.linear", "ByName.twice"}


class Swish(Module):
    def forward(self, x):
        x = checked_elementwise(self, x)
        self.input_cache = x
        return x * stable_sigmoid(x)

    def backward(self, grad):
        x, s = self.input_cache, stable_sigmoid(self.input_cache)
        return grad * (s + x * s * (1 - s))


class LogCosh(Module):
    def forward(self, preds, labels):
        preds, labels = checked_pair(self, preds, labels)
        self.input_cache = preds - labels
        return np.log(np.cosh(preds - labels)).mean(dtype=np.float64)

    def backward(self, _=None):
        return np.tanh(self.input_cache) / self.input_cache.size


class Scale(Module):
    def __init__(self, size):
        self.s = Parameter(np.linspace(1.0, 2.0, size), name="s")

    def parameters(self):
        return [self.s]

    def forward(self, x):
        self.input_cache = x = as_float(x, self)
        return x * self.s.data

    def backward(self, grad):
        self.s.grad += (grad * self.input_cache).sum(axis=0)
        return grad * self.s.data


@pytest.mark.parametrize("make", [Swish, LogCosh, lambda: Scale(3)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("batch", [1, 4])
def test_a_new_module_is_written_out_by_itself(make, dtype, batch):
    module, rng = make(), np.random.default_rng(0)
    x = rng.standard_normal((batch, 3)).astype(dtype)
    inputs = (x, np.zeros_like(x)) if isinstance(module, LogCosh) else (x,)
    module.astype(dtype)
    out = np.asarray(module(*inputs))
    module._zero_grad()
    expected = module.backward(np.ones(out.shape, dtype))
    parameters = [parameter.grad.copy() for parameter in module.parameters()]
    module._zero_grad()
    node = variable(x)
    y = expand(module, node, *inputs[1:])
    assert not any(isinstance(each.operation, ModuleCall) for each in topological_order(y))
    y.backward(np.ones(y.shape, y.dtype))
    accuracy = 1e-12 if dtype is np.float64 else 1e-5
    np.testing.assert_allclose(y.value, out, rtol=accuracy)
    np.testing.assert_allclose(node.grad, expected, rtol=accuracy, atol=accuracy)
    for actual, own in zip(module.parameters(), parameters):
        np.testing.assert_allclose(actual.grad, own, rtol=accuracy)


class Gate(Module):
    """A container that weighs what it skips: it has a parameter of its own, so it isn't only passing nodes on."""

    passes_nodes_on = True

    def __init__(self, module):
        self.module, self.w = module, Parameter(np.array(0.5), name="w")

    def parameters(self):
        return [*self.module.parameters(), self.w]

    def forward(self, x):
        self.input_cache = x
        return self.module(x) + self.w.data * x

    def backward(self, grad):
        self.w.grad += (grad * self.input_cache).sum()
        return self.module.backward(grad) + self.w.data * grad


@pytest.mark.parametrize("write_out", [False, True])
def test_a_container_with_a_parameter_of_its_own(write_out):
    np.random.seed(0)
    gate, x = Gate(Sequential(Linear(3, 3), Tanh())), np.random.default_rng(0).standard_normal((2, 3))
    gate(x)
    gate._zero_grad()
    expected = gate.backward(np.ones((2, 3)))
    gradients = [parameter.grad.copy() for parameter in gate.parameters()]
    gate._zero_grad()
    node = variable(x)
    with expanded(write_out):
        y = Sequential(gate)(node)
    assert not any(parameter.grad.any() for parameter in gate.parameters())  # making a graph adds to none
    y.backward(np.ones((2, 3)))
    np.testing.assert_allclose(node.grad, expected)
    for parameter, gradient in zip(gate.parameters(), gradients):
        np.testing.assert_allclose(parameter.grad, gradient)


def restless():
    """Return a network whose modules have states and random numbers, and its inputs."""
    rng = np.random.default_rng(0)
    model = Sequential(Linear(3, 4), BatchNorm1d(4), ReLU(), Linear(4, 2))
    return model, rng.standard_normal((5, 3)), np.eye(2)[[0, 1, 1, 0, 1]]


@pytest.mark.parametrize("read", [share, lambda loss: str(explain(loss)), lambda loss: str(explain(loss).step(1.0)),
                                  lambda loss: topological_order(loss), repr, copy.deepcopy, pickle.dumps])
@pytest.mark.parametrize("dropout", [False, True])
def test_reading_a_graph_changes_nothing(read, dropout):
    np.random.seed(0)
    model, x, labels = restless()
    if dropout:
        model = Sequential(model, Dropout(0.5))
    loss = CrossEntropyLoss()(model(constant(x)), labels)
    model._zero_grad()
    loss.backward()
    gradients = [parameter.grad.copy() for parameter in model.parameters()]
    norm = next(module for _, module in model.named_modules() if isinstance(module, BatchNorm1d))
    mean, state = norm.running_mean.copy(), np.random.get_state()
    try:
        read(loss)
    except InputError as error:
        assert dropout and "draws random numbers" in str(error)
    assert np.array_equal(norm.running_mean, mean)
    assert all(np.array_equal(a, b) for a, b in zip(np.random.get_state(), state))
    assert all(np.array_equal(p.grad, grad) for p, grad in zip(model.parameters(), gradients))
    model._zero_grad()
    loss.backward()
    for parameter, expected in zip(model.parameters(), gradients):
        np.testing.assert_array_equal(parameter.grad, expected)


def test_a_parameter_is_one_leaf_as_long_as_its_graph_lives():
    linear = Linear(2, 2)
    leaf = parameter_node(linear.W)
    assert parameter_node(linear.W) is leaf
    linear.W.data = linear.W.data.copy()
    assert parameter_node(linear.W) is not leaf


class Doubled(BatchNorm1d):
    """A BatchNorm1d with another forward, of which the base class's on_nodes doesn't speak."""

    def forward(self, x):
        return 2 * x

    def backward(self, grad):
        return 2 * grad


def test_a_forward_that_overrides_anothers_speaks_for_itself():
    x = variable(np.arange(6.0).reshape(2, 3), name="x")
    for y in (forward_on_nodes(Doubled(3), x), expand(Doubled(3), x)):
        np.testing.assert_array_equal(y.value, 2 * x.value)
        assert y.operation.name == "multiply"


def test_writing_out_leaves_no_gradients_and_runs_the_modules_own_forward_on_arrays():
    np.random.seed(0)
    model, x = Sequential(Linear(3, 2), BatchNorm1d(2), ReLU()), variable(np.random.normal(size=(4, 3)), name="x")
    with expanded():
        y = model(x)
    assert all(node.grad is None for node in topological_order(y))
    assert {"mu_B", "sigma2_B", "x_hat"} <= {node.name for node in topological_order(y)}
    assert [part.operation.name for part in topological_order(model(x)) if isinstance(part.operation, ModuleCall)] == [
        "Linear", "BatchNorm1d", "ReLU"]


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
