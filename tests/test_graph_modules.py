"""Modules on nodes, as one node and written out; test_everything_found.py compares the numbers of every module."""
from __future__ import annotations

import numpy as np
import pytest

from lib.activations import ReLU, Sigmoid
from lib.layers.activations import Tanh
from lib.graph import ModuleCall, constant, derivatives, expand, expanded, relu, topological_order, variable
from lib.graph.modules import expansion, parameter_node
from lib.losses import CrossEntropyLoss, MSELoss
from lib.network import Linear, Sequential
from lib.layers.residual import Residual
from lib.regularizers import Dropout
from lib.validation import InputError


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


def test_a_parameter_is_one_leaf_as_long_as_its_graph_lives():
    linear = Linear(2, 2)
    leaf = parameter_node(linear.W)
    assert parameter_node(linear.W) is leaf
    linear.W.data = linear.W.data.copy()
    assert parameter_node(linear.W) is not leaf


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
