"""Modules that are one node, in the formulas of textbooks and papers: convolution, batch normalisation, attention.

A rule gets the node, its name, the names of its parents and that of its gradient. What it says of the flows counts only
if it gives the numbers of the module's own backward; otherwise, and without a rule, the module is said to do it.
"""
from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from lib import layers
from lib.graph.explain.derivation import Derivation
from lib.graph.expansions import convolution
from lib.graph.functional import derivatives
from lib.graph.node import Node, variable
from lib.graph.notation import Term, call, choice, entry, equation, name, number, partial, sum_over, words
from lib.graph.notation.evaluate import evaluate
from lib.graph.notation.shapes import summed
from lib.graph.notation.simplify import times
from lib.graph.operations import Operation
from lib.layers import BatchNorm1d, SelfAttention, Tanh

Definition = Tuple[Term, Term]  # what is defined, and its formula


class Textbook(NamedTuple):
    """What a module's node does.

    Attributes:
        formula: the output.
        flows: what goes back to each parent, None to the labels of a loss.
        forward: the quantities that the formula is made of.
        backward: those that the flows are made of.
    """

    formula: Term
    flows: Sequence[Optional[Term]]
    forward: Sequence[Definition] = ()
    backward: Sequence[Definition] = ()


def textbook(derivation: Derivation, node: Node, grad: Term) -> Optional[Textbook]:
    """Return the formulas of a module's node, or None if there are none or they aren't what the module computes."""
    operation: Any = node.operation
    rule = next((RULES[base] for base in type(operation.module).__mro__ if base in RULES), None)
    if rule is None:
        return None
    try:
        said = rule(derivation, node, grad, *[derivation.names.term(parent) for parent in node.parents])
    except TypeError:  # another number of inputs or parameters than the rule knows
        return None
    return said if said is not None and _agrees(derivation, node, grad, said) else None


def _agrees(derivation: Derivation, node: Node, grad: Term, said: Textbook) -> bool:
    """Tell whether the formulas give the numbers of the module; in index form, whether single operations do."""
    numbers: Dict[Term, Any] = {derivation.names.term(each): each.value for each in (node,) + node.parents}
    numbers[grad] = derivation.gradients[node]
    try:
        for left, formula in list(said.forward) + list(said.backward):
            numbers[left] = evaluate(formula, numbers, function)
        if not np.allclose(evaluate(said.formula, numbers, function), node.value, atol=1e-6):
            return False
        for edge in derivation.edges_from(node):
            flow = said.flows[edge.i]
            if flow is None or not np.allclose(evaluate(flow, numbers, function), derivation.flows[edge], atol=1e-7):
                return False
    except (ValueError, TypeError):  # shapes that the rule doesn't know
        return False
    except KeyError:  # a formula in index form
        return _is_convolution(derivation, node)
    return True


def _is_convolution(derivation: Derivation, node: Node) -> bool:
    """Tell whether a module's node computes a convolution and its gradients, as single operations do it."""
    module: Any = node.operation.module  # type: ignore[union-attr]
    if not isinstance(module, CONVOLUTION):
        return False
    inputs = [variable(parent.value) for parent in node.parents]
    stride, padding = (tuple(np.broadcast_to(each, 2).tolist()) for each in (module.stride, module.padding))
    z = convolution(inputs[0], inputs[1], stride, padding)
    z = z + inputs[2] if len(inputs) > 2 else z
    slopes = derivatives(z, inputs, derivation.gradients[node])
    return bool(np.allclose(z.value, node.value)) and all(
        np.allclose(slopes[edge.i].value, derivation.flows[edge]) for edge in derivation.edges_from(node))


def function(label: str) -> Callable[..., Any]:
    """Return what a function's name stands for: the operation of that name, or NumPy's function."""
    for cls in Operation.all():
        if cls.name == label:
            return lambda *inputs, **settings: cls(**settings).forward(*map(np.asarray, inputs))
    return getattr(np, label)


# ---------------------------------------------------------------------- the sheets' modules

def _linear(derivation: Derivation, node: Node, grad: Term, x: Term, W: Term, *b: Term) -> Textbook:
    return Textbook(x @ W + b[0] if b else x @ W, [grad @ W.T, x.T @ grad] + [summed(grad, 0) for _ in b])


def _activation(label: str, slope: Callable[[Term, Term], Term]) -> Callable[..., Textbook]:
    def rule(derivation: Derivation, node: Node, grad: Term, x: Term) -> Textbook:
        return Textbook(call(label, x), [times(grad, slope(derivation.names.term(node), x))])
    return rule


def _softmax(derivation: Derivation, node: Node, grad: Term, s: Term) -> Textbook:
    p = derivation.names.term(node)
    return Textbook(call("softmax", s, axis=-1), [p * (grad - summed(grad * p, -1, keepdims=True))])


def _mean_squares(derivation: Derivation, node: Node, grad: Term, y_hat: Term, y: Term) -> Textbook:
    n = number(len(node.parents[0].value))
    return Textbook(summed((y_hat - y) ** 2) / (2 * n), [times(grad, (y_hat - y) / n), None])


def _cross_entropy(derivation: Derivation, node: Node, grad: Term, s: Term, y: Term) -> Textbook:
    n = number(len(node.parents[0].value))
    p = call("softmax", s, axis=-1)
    return Textbook(-summed(y * call("log_softmax", s, axis=-1)) / n, [times(grad, (p - y) / n), None])


def _convolution(derivation: Derivation, node: Node, grad: Term, x: Term, W: Term, *b: Term) -> Optional[Textbook]:
    """The sum over the positions of the window; the kernel rotated by 180 degrees carries the gradient back."""
    module: Any = node.operation.module  # type: ignore[union-attr]
    stride, padding = np.broadcast_to(module.stride, 2), np.broadcast_to(module.padding, 2)
    y, L = derivation.names.term(node), derivation.names.term(derivation.output)
    rows, columns = (f"{s}*{k}+{o}{f'-{p}' if p else ''}" if s > 1 else f"{k}+{o}{f'-{p}' if p else ''}"
                     for s, p, k, o in zip(stride, padding, "ij", "pq"))
    window = entry(x, ["n", "c", rows, columns])
    of_y = partial(L, entry(y, ["n", "k", "i", "j"]))
    bias = [entry(each, ["k"]) for each in b]
    z = sum_over("cpq", entry(W, "kcpq") * window)
    if max(stride) > 1:
        back = words("each ", of_y, " times ", entry(W, "kcpq"), f", added at the place [n,c,{rows},{columns}] of the "
                     "window that it came from, over all k, i, j, p, q")
    else:
        u, v = (f"u-{o}{f'+{p}' if p else ''}" for p, o in zip(padding, "pq"))
        u, v = u.replace("u", "i"), v.replace("u", "j")
        back = words(sum_over("kpq", entry(W, "kcpq") * partial(L, entry(y, ["n", "k", u, v]))),
                     ", for every entry ", entry(x, ["n", "c", "i", "j"]), ": the full convolution with the kernel "
                     "rotated by 180 degrees, zeros outside")
    flows: List[Optional[Term]] = [back, words(sum_over("nij", of_y * window), " for every entry ", entry(W, "kcpq"))]
    flows += [words(sum_over("nij", of_y), " for every entry ", each) for each in bias]
    out = equation(entry(y, "nkij"), z + bias[0] if b else z)
    return Textbook(words(call("conv", x, W), ": ", out), flows)


# ---------------------------------------------------------------------- the papers' modules

def _batch_norm(derivation: Derivation, node: Node, grad: Term, x: Term, gamma: Term, beta: Term) -> Optional[Textbook]:
    """Ioffe and Szegedy 2015, algorithm 1 and the derivatives in section 3, in training mode."""
    module: Any = node.operation.module  # type: ignore[union-attr]
    if not module.training or x.ndim != 2:
        return None
    m, features = x.shape or (1, 1)
    L = derivation.names.term(derivation.output)
    mu, variance = name("mu_B", (features,)), name("sigma2_B", (features,))
    x_hat, eps = name("x_hat", (m, features)), number(module.eps)
    by_hat, by_variance, by_mu = (partial(L, each) for each in (x_hat, variance, mu))
    root = call("sqrt", variance + eps)
    return Textbook(
        gamma * x_hat + beta,
        [by_hat / root + by_variance * (2 * (x - mu)) / number(m) + by_mu / number(m), summed(grad * x_hat, 0),
         summed(grad, 0)],
        [(mu, call("mean", x, shape=(features,), axis=0)), (variance, call("var", x, shape=(features,), axis=0)),
         (x_hat, (x - mu) / root)],
        [(by_hat, grad * gamma),
         (by_variance, summed(by_hat * (x - mu), 0) * -0.5 * (variance + eps) ** -1.5),
         (by_mu, -summed(by_hat, 0) / root)])


def _attention(derivation: Derivation, node: Node, grad: Term, X: Term, *parameters: Term) -> Optional[Textbook]:
    """Vaswani and others 2017: softmax(Q K^T / sqrt(d)) V, for one head that sees all places."""
    if len(parameters) != 5 or X.ndim != 3 or node.operation.module.causal:  # type: ignore[union-attr]
        return None
    W_Q, b_Q, W_K, W_V, b_V = parameters
    batch, length, _ = X.shape or (1, 1, 1)
    d = (W_Q.shape or (1, 1))[1]
    L, root = derivation.names.term(derivation.output), call("sqrt", number(d))
    Q, K, V = (name(each, (batch, length, d)) for each in "QKV")
    S, A = (name(each, (batch, length, length)) for each in "SA")
    by_Q, by_K, by_V, by_S, by_A = (partial(L, each) for each in (Q, K, V, S, A))
    return Textbook(
        A @ V,
        [by_Q @ W_Q.T + by_K @ W_K.T + by_V @ W_V.T,
         summed(_turned(X) @ by_Q, 0), summed(by_Q, (0, 1)), summed(_turned(X) @ by_K, 0),
         summed(_turned(X) @ by_V, 0), summed(by_V, (0, 1))],
        [(Q, X @ W_Q + b_Q), (K, X @ W_K), (V, X @ W_V + b_V), (S, Q @ _turned(K) / root),
         (A, call("softmax", S, axis=-1))],
        [(by_V, _turned(A) @ grad), (by_A, grad @ _turned(V)),
         (by_S, A * (by_A - summed(by_A * A, -1, keepdims=True))), (by_Q, by_S @ K / root),
         (by_K, _turned(by_S) @ Q / root)])


def _turned(term: Term) -> Term:
    """Return each matrix of a stack transposed."""
    shape = term.shape or (1, 1, 1)
    return call("swapaxes", term, number(-1), number(-2), shape=shape[:-2] + (shape[-1], shape[-2]))


CONVOLUTION = tuple(filter(None, [getattr(layers, "Conv2d", None)]))
RULES: Dict[Any, Callable[..., Optional[Textbook]]] = {
    getattr(layers, "Linear", None): _linear,
    getattr(layers, "ReLU", None): _activation("relu", lambda out, x: choice(x, ">", 0)),
    getattr(layers, "Sigmoid", None): _activation("sigmoid", lambda out, x: out * (1 - out)),
    getattr(layers, "Softmax", None): _softmax,
    Tanh: _activation("tanh", lambda out, x: 1 - out ** 2),
    getattr(layers, "MSELoss", None): _mean_squares,
    getattr(layers, "CrossEntropyLoss", None): _cross_entropy,
    getattr(layers, "Conv2d", None): _convolution,
    BatchNorm1d: _batch_norm,
    SelfAttention: _attention}
