"""The graph's gradients against PyTorch's, on random expressions: equal to 1e-12 in float64."""
from __future__ import annotations

import numpy as np
import pytest

from lib import graph

torch = pytest.importorskip("torch", reason="PyTorch is the independent witness here")


def torch_reduce(name, **settings):
    def reduce(x, axis, keepdims):
        return getattr(torch, name)(x, dim=tuple(range(x.ndim)) if axis is None else axis, keepdim=keepdims, **settings)
    return reduce


def torch_prod(x, axis, keepdims):
    if axis is None:
        return torch.prod(x).reshape((1,) * x.ndim) if keepdims else torch.prod(x)
    return torch.prod(x, dim=axis, keepdim=keepdims)


def torch_norm(x, axis, keepdims):
    return torch.linalg.vector_norm(x, dim=axis, keepdim=keepdims)


def of_numpy(function, **settings):
    return lambda x, axis, keepdims: function(x, axis=axis, keepdims=keepdims, **settings)


UNARY = {  # name: on graph nodes, on tensors; arguments that must be positive go through |x| + 1/2 first
    "exp": (lambda x: graph.exp(graph.tanh(x)), lambda x: torch.exp(torch.tanh(x))),
    "log": (lambda x: graph.log(abs(x) + 0.5), lambda x: torch.log(torch.abs(x) + 0.5)),
    "log1p": (lambda x: graph.log1p(abs(x)), lambda x: torch.log1p(torch.abs(x))),
    "sqrt": (lambda x: graph.sqrt(abs(x) + 0.5), lambda x: torch.sqrt(torch.abs(x) + 0.5)),
    "sin": (graph.sin, torch.sin), "cos": (graph.cos, torch.cos), "tanh": (graph.tanh, torch.tanh),
    "sigmoid": (graph.sigmoid, torch.sigmoid), "relu": (graph.relu, torch.relu),
    "negate": (lambda x: -x, lambda x: -x), "square": (lambda x: x ** 2, lambda x: x ** 2),
    "root": (lambda x: (abs(x) + 0.5) ** -0.5, lambda x: (torch.abs(x) + 0.5) ** -0.5),
    "flatten": (np.ravel, torch.ravel), "tan": (lambda x: np.tan(np.tanh(x)), lambda x: torch.tan(torch.tanh(x))),
    "clip": (lambda x: np.clip(x, -0.71, 0.83), lambda x: torch.clip(x, -0.71, 0.83)),
    "where": (lambda x: np.where(x > 0.3, x * x, np.exp(x)), lambda x: torch.where(x > 0.3, x * x, torch.exp(x))),
    "squeeze": (np.squeeze, torch.squeeze), "cumsum": (np.cumsum, lambda x: torch.cumsum(x.ravel(), 0)),
}
BINARY = {
    "add": (lambda a, b: a + b,) * 2, "subtract": (lambda a, b: a - b,) * 2, "multiply": (lambda a, b: a * b,) * 2,
    "divide": (lambda a, b: a / (abs(b) + 0.5), lambda a, b: a / (torch.abs(b) + 0.5)),
    "power": (lambda a, b: (abs(a) + 0.5) ** graph.tanh(b), lambda a, b: (torch.abs(a) + 0.5) ** torch.tanh(b)),
    "maximum": (graph.maximum, torch.maximum), "minimum": (np.minimum, torch.minimum), "hypot":
    (lambda a, b: np.hypot(abs(a) + 0.5, b), lambda a, b: torch.hypot(torch.abs(a) + 0.5, b)),
    "logaddexp": (np.logaddexp, torch.logaddexp),
}
REDUCTIONS = {"sum": (graph.sum, torch_reduce("sum")), "mean": (graph.mean, torch_reduce("mean")),
              "max": (graph.max, torch_reduce("amax")), "min": (graph.min, torch_reduce("amin")),
              "prod": (graph.prod, torch_prod), "logsumexp": (graph.logsumexp, torch_reduce("logsumexp")),
              "var": (of_numpy(np.var), torch_reduce("var", correction=0)),
              "norm": (of_numpy(np.linalg.norm), torch_norm)}
SHAPES = [(), (3,), (2, 3), (2, 1), (1, 3), (3, 2), (2, 2, 3), (3, 3)]


def broadcast(*shapes):
    """Tell whether arrays of these shapes can be broadcast against each other."""
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        return False
    return True


def random_step(rng, nodes, tensors):
    """Append the same random operation on random earlier results to both lists, if it fits them."""
    i, j = rng.integers(len(nodes)), rng.integers(len(nodes))
    (a, s), (b, t) = (nodes[i], tensors[i]), (nodes[j], tensors[j])
    kind = rng.choice(["unary", "binary", "matmul", "reduce", "softmax", "transpose", "index", "join"])
    if kind == "unary":
        f, g = UNARY[rng.choice(sorted(UNARY))]
        pair = f(a), g(s)
    elif kind == "binary":
        if not broadcast(a.shape, b.shape):
            return
        name = rng.choice(sorted(BINARY))
        if name in ("maximum", "minimum") and np.any(a.value == b.value):
            return  # at a tie, PyTorch gives half to each
        if name == "subtract" and {a.ndim, b.ndim} == {1, 2} and a.size == b.size and 1 in (a.shape[-1], b.shape[-1]):
            return  # (n, 1) - (n,) is refused: in a loss, it is a mistake
        f, g = BINARY[name]
        pair = f(a, b), g(s, t)
    elif kind == "matmul":
        if a.ndim == 0 or b.ndim == 0 or a.shape[-1] != b.shape[max(-2, -b.ndim)] \
                or not broadcast(a.shape[:-2], b.shape[:-2]):
            return
        pair = a @ b, s @ t
    elif kind == "reduce":
        f, g = REDUCTIONS[rng.choice(sorted(REDUCTIONS))]
        axis = None if a.ndim == 0 or rng.random() < 0.3 else int(rng.integers(-a.ndim, a.ndim))
        if a.ndim == 0:
            return
        keepdims = bool(rng.integers(2))
        pair = f(a, axis, keepdims), g(s, axis, keepdims)
    elif a.ndim == 0:
        return
    elif kind == "softmax":
        axis = int(rng.integers(a.ndim))
        name = rng.choice(["softmax", "log_softmax"])
        pair = getattr(graph, name)(a, axis), getattr(torch, name)(s, axis)
    elif kind == "transpose":
        order = [int(k) for k in rng.permutation(a.ndim)]
        pair = a.transpose(*order), s.permute(*order)
    elif kind == "index":
        picked = rng.integers(0, a.shape[0], size=3)  # with repeats
        pair = a[picked], s[torch.as_tensor(picked)]
    else:
        axis = int(rng.integers(a.ndim))
        name = rng.choice(["concatenate", "stack"])
        pair = getattr(graph, name)([a, a * 2], axis), getattr(torch, name)([s, s * 2], dim=axis)
    if np.all(np.abs(pair[0].value) < 100) and pair[0].size <= 200:
        nodes.append(pair[0])
        tensors.append(pair[1])


def random_expression(seed):
    """Return the leaves and the output, a single number, of one expression on both sides."""
    rng = np.random.default_rng(seed)
    values = [rng.uniform(-2, 2, SHAPES[rng.integers(len(SHAPES))]) for _ in range(3)]
    leaves = [graph.variable(value) for value in values]
    tensor_leaves = [torch.tensor(value, requires_grad=True) for value in values]
    nodes, tensors = list(leaves), list(tensor_leaves)
    while len(nodes) < 12:
        random_step(rng, nodes, tensors)
    output, tensor_output = 0.0, 0.0
    for node, tensor in zip(nodes, tensors):  # all results count
        output, tensor_output = output + graph.mean(node), tensor_output + torch.mean(tensor)
    return leaves, output, tensor_leaves, tensor_output


@pytest.mark.parametrize("seed", range(200))
def test_random_expressions(seed):
    leaves, output, tensor_leaves, tensor_output = random_expression(seed)
    output.backward()
    tensor_output.backward()
    assert abs(float(output.value) - tensor_output.item()) <= 1e-12 * max(1, abs(tensor_output.item()))
    for leaf, tensor in zip(leaves, tensor_leaves):
        expected = tensor.grad.numpy()
        assert np.max(np.abs(leaf.grad - expected)) <= 1e-12 * max(np.max(np.abs(expected)), 1e-3)


def test_second_derivatives():
    value = np.random.default_rng(0).uniform(-1, 1, (3, 3))

    def on_nodes(x):
        return graph.log_softmax(graph.tanh(x @ x) + graph.sigmoid(x), axis=0)[[0, 0, 2]].sum()

    def on_tensors(x):
        return torch.log_softmax(torch.tanh(x @ x) + torch.sigmoid(x), 0)[[0, 0, 2]].sum()

    expected = torch.autograd.functional.hessian(on_tensors, torch.tensor(value)).numpy()
    np.testing.assert_allclose(graph.hessian(on_nodes)(value), expected, rtol=1e-12, atol=1e-13)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
