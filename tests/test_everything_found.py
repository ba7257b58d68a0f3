"""Every module, loss, optimiser and operation of lib, found by itself: a new class is tested from its first day.

A backward pass has three witnesses that know nothing of each other: central differences (tests/finite_differences.py),
the gradient checker, and the graph, in which the module is written out in single operations. An optimiser has to walk
down a bowl, in steps that are as long as its learning rate says, with a state for each parameter.
"""
from __future__ import annotations

import inspect

import numpy as np
import pytest

from lib.gradient_checking import check_module
from lib.gradient_checking.discovery import examples_of, module_classes, subclasses
from lib.graph import ModuleCall, Operation, derivatives, expanded, topological_order, variable
from lib.graph.node import apply
from lib.network_base import Parameter, is_loss
from lib.optimizers import Optimizer, create_optimizer
from lib.validation import InputError
from tests.finite_differences import assert_backward_is_right, numeric_gradient


def examples(cls):
    """Return the situations, (module, inputs), in which a class is tried, made anew; no parameter is 0 or 1."""
    found = examples_of(cls, np.random.default_rng(0))
    for module, _ in found:
        for i, parameter in enumerate(module.parameters()):
            parameter.data = parameter.data + np.random.default_rng(i).uniform(0.2, 0.6, parameter.data.shape)
    return found


CLASSES = module_classes()  # imports everything, the optimisers, too
EXAMPLES = [pytest.param(cls, k, id=f"{name}-{k}") for name, cls in CLASSES.items()
            for k in range(len(examples(cls)))]
LOSSES = [pytest.param(cls, k, id=f"{name}-{k}") for name, cls in CLASSES.items()
          for k, (module, inputs) in enumerate(examples(cls)) if is_loss(module) and len(inputs) == 2]


def spoil(module, factor=1.01):
    """Let a module's backward give all its gradients a factor, as a wrong derivation may."""
    backward = module.backward

    def spoilt(*args):
        before = [parameter.grad.copy() for parameter in module.parameters()]
        grad_input = backward(*args)
        for parameter, start in zip(module.parameters(), before):
            parameter.grad = start + factor * (parameter.grad - start)
        return None if grad_input is None else factor * grad_input

    module.backward = spoilt
    return module


# ---------------------------------------------------------------------- modules

@pytest.mark.parametrize("cls, k", EXAMPLES)
def test_backward_is_the_finite_difference(cls, k):
    assert_backward_is_right(*examples(cls)[k])
    module, inputs = examples(cls)[k]
    if module.parameters() or inputs[0].dtype.kind == "f":
        with pytest.raises(AssertionError):
            assert_backward_is_right(spoil(module), inputs)


@pytest.mark.parametrize("cls, k", EXAMPLES)
def test_the_checker_confirms_backward(cls, k):
    module, inputs = examples(cls)[k]
    assert check_module(module, inputs).ok
    assert not check_module(spoil(module), inputs).ok


def gradients_on_the_graph(module, inputs, grad):
    """Return output and gradients of a module that is written out in single operations."""
    module._zero_grad()
    with expanded():
        x = variable(inputs[0])
        y = module(x, *inputs[1:])
    assert not any(isinstance(node.operation, ModuleCall) for node in topological_order(y)), (
        f"{type(module).__name__} isn't written out in single operations: does its forward use arithmetic and NumPy's "
        "functions alone (no np.float64(...), no loops that fill arrays), and does backward agree with it?")
    y.backward(grad)
    x_grad = np.zeros(x.shape) if x.grad is None else x.grad  # indices have no gradient
    return y.value, [x_grad] + [parameter.grad.copy() for parameter in module.parameters()]


@pytest.mark.parametrize("cls, k", [example for example in EXAMPLES if examples(example.values[0])[0][1]])
def test_the_graph_of_single_operations_confirms_forward_and_backward(cls, k):
    module, inputs = examples(cls)[k]
    module._zero_grad()
    out = np.asarray(module(*inputs))
    grad = np.random.default_rng(1).standard_normal(out.shape) if out.ndim else np.float64(1)
    own = [module.backward(grad)] + [parameter.grad.copy() for parameter in module.parameters()]
    value, gradients = gradients_on_the_graph(module, inputs, grad)
    np.testing.assert_allclose(value, out, rtol=1e-12, atol=1e-14)
    for actual, expected in zip(gradients, own):
        np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-13)


# ---------------------------------------------------------------------- losses

@pytest.mark.parametrize("cls, k", LOSSES)
def test_a_loss_is_the_mean_over_the_batch(cls, k):
    module, (preds, labels) = examples(cls)[k]
    loss, grad = module(preds, labels), module.backward()
    assert isinstance(loss, float)
    twice = module(np.concatenate([preds, preds]), np.concatenate([labels, labels]))
    assert twice == pytest.approx(loss)
    np.testing.assert_allclose(module.backward(), np.concatenate([grad, grad]) / 2)


@pytest.mark.parametrize("cls, k", LOSSES)
def test_a_loss_never_broadcasts(cls, k):
    module, (preds, labels) = examples(cls)[k]
    for bad in (labels[..., np.newaxis], labels[:, :1] if labels[0].size > 1 else labels[0]):
        with pytest.raises((ValueError, AssertionError), match="shape"):
            module(preds, bad)


@pytest.mark.parametrize("cls, k", LOSSES)
def test_a_loss_keeps_float32_and_its_arguments(cls, k):
    module, (preds, labels) = examples(cls)[k]
    given = preds.copy(), labels.copy()
    for dtype in (np.float32, np.float64):
        module(preds.astype(dtype), labels)
        grad = module.backward()
        assert grad.dtype == dtype and grad.shape == preds.shape
    grad[...] = 99  # what backward returns is a new array
    np.testing.assert_array_equal(preds, given[0])
    np.testing.assert_array_equal(labels, given[1])


# ---------------------------------------------------------------------- optimisers

OPTIMIZERS = sorted((cls for cls in subclasses(Optimizer)
                     if cls.__module__.startswith("lib.") and not inspect.isabstract(cls)),
                    key=lambda cls: cls.__name__)


def settings_of(cls):
    """Return the settings in which an optimiser is tried: its own, and with each thing that is off by default on."""
    signature = list(inspect.signature(cls.__init__).parameters.values())
    off = {p.name: True if p.default is False else 0.5 for p in signature if p.default in (None, False, 0)}
    found = []
    for settings in [{}] + [{name: value} for name, value in off.items()] + [off]:
        try:
            cls([Parameter(np.ones(1))], lr=0.01, **settings)
            if settings not in found:
                found.append(settings)
        except InputError:  # such as Nesterov's step without a momentum
            pass
    return found


TRIED = [pytest.param(cls, settings, id=f"{cls.__name__}-{'-'.join(settings) or 'defaults'}")
         for cls in OPTIMIZERS for settings in settings_of(cls)]
BOWL = (np.array([[2.0, -1.0, 0.5]]), np.array([-3.0, 1.0]))  # where it is deepest, for each of two parameters
STEEPNESS = (1.0, 0.3)


def descend(cls, steps, lr, which=(0, 1), **settings):
    """Return an optimiser's parameters after some steps down the bowl L = sum_i steepness_i |w_i - deepest_i|^2 / 2."""
    params = [Parameter(np.zeros(BOWL[i].shape)) for i in which]
    optimizer = cls(params, lr=lr, **settings)
    for _ in range(steps):
        for param, i in zip(params, which):
            param.grad[...] = STEEPNESS[i] * (param.data - BOWL[i])
        optimizer.step()
    return [param.data for param in params]


@pytest.mark.parametrize("cls, settings", TRIED)
def test_an_optimizer_walks_down(cls, settings):
    def height(params):
        return sum(s * ((w - deepest) ** 2).sum() / 2 for w, deepest, s in zip(params, BOWL, STEEPNESS))

    start = height([np.zeros_like(deepest) for deepest in BOWL])
    heights = [height(descend(cls, steps, 0.01, **settings)) for steps in (1, 10, 50)]
    assert start > heights[0] > heights[1] > heights[2]


@pytest.mark.parametrize("cls, settings", TRIED)
def test_the_first_step_is_as_long_as_lr_says(cls, settings):
    once, thrice = descend(cls, 1, 0.01, **settings), descend(cls, 1, 0.03, **settings)
    for short, long, none in zip(once, thrice, descend(cls, 3, 0.0, **settings)):
        assert abs(short).min() > 0 and (none == 0).all()
        np.testing.assert_allclose(long, 3 * short, rtol=1e-9)


@pytest.mark.parametrize("cls, settings", TRIED)
def test_every_parameter_has_a_state_of_its_own(cls, settings):
    together = descend(cls, 5, 0.1, **settings)
    for i, param in enumerate(together):
        alone, = descend(cls, 5, 0.1, which=(i,), **settings)
        np.testing.assert_array_equal(param, alone)


@pytest.mark.parametrize("cls, settings", TRIED)
def test_a_step_works_in_place_and_keeps_gradients_and_precision(cls, settings, rng):
    params = [Parameter(deepest.astype(np.float32)) for deepest in BOWL]
    arrays = [param.data for param in params]
    for param in params:
        param.grad[...] = rng.standard_normal(param.data.shape)
    grads = [param.grad.copy() for param in params]
    optimizer = cls(params, lr=0.01, **settings)
    optimizer.lr = np.float64(optimizer.lr)  # as a scheduler of one's own may leave it
    optimizer.step()
    for param, array, grad in zip(params, arrays, grads):
        assert param.data is array and array.dtype == np.float32
        assert np.array_equal(param.grad, grad)
        assert all(state.dtype == np.float32 for state in param.state_dict.values())
        for name, start in optimizer.init_state(param.data).items():
            assert not np.array_equal(param.state_dict[name], start), f"{name} isn't changed in place"


@pytest.mark.parametrize("cls, settings", TRIED)
def test_an_optimizer_is_made_by_its_name(cls, settings):
    params = [Parameter(np.ones(2))]
    for name in (cls.__name__, cls.__name__.lower(), cls.__name__.upper()):
        optimizer = create_optimizer(name, params, dict(settings, lr=0.125))
        assert type(optimizer) is cls and optimizer.lr == 0.125 and list(optimizer._params) == params


# ---------------------------------------------------------------------- operations of the graph

OPERATIONS = [pytest.param(cls, k, id=f"{cls.__name__}-{k}") for cls in Operation.all()
              for k in range(len(cls.examples(np.random.default_rng(3))))]


def operation_and_gradients(cls, k):
    """Return an operation, its inputs, an upstream gradient, and what flows back to each input."""
    operation, inputs = cls.examples(np.random.default_rng(3))[k]
    nodes = [variable(x) for x in inputs]
    out = apply(operation, *nodes)
    grad = np.random.default_rng(5).uniform(0.5, 1.5, out.shape)
    out.backward(grad)
    return operation, [np.array(x, dtype=float) for x in inputs], grad, [np.asarray(node.grad) for node in nodes]


@pytest.mark.parametrize("cls, k", OPERATIONS)
def test_an_operations_backward_is_the_finite_difference(cls, k):
    operation, inputs, grad, gradients = operation_and_gradients(cls, k)
    for x, gradient in zip(inputs, gradients):
        numeric = numeric_gradient(lambda: np.sum(grad * operation.forward(*inputs)), x)
        assert gradient.shape == x.shape
        np.testing.assert_allclose(gradient, numeric, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("cls, k", OPERATIONS)
def test_an_operations_rules_on_nodes_are_those_on_arrays(cls, k):
    operation, inputs, grad, gradients = operation_and_gradients(cls, k)
    nodes = [variable(x) for x in inputs]
    for node, expected in zip(derivatives(apply(operation, *nodes), nodes, grad), gradients):
        np.testing.assert_allclose(node.value, expected, rtol=1e-13, atol=1e-15)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
