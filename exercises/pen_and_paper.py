"""The graphs that exercise sheets ask to work through by hand, each built by one call, ready to explain and to draw.

>>> from lib.graph.explain import explain
>>> from exercises.pen_and_paper import skip_network
>>> print(explain(skip_network()).step(1.0).lines[-1])
L was 3.375 and is 3 after the step.
"""
from __future__ import annotations

from typing import Any, List, Sequence, Union

from lib.graph import abs as absolute
from lib.graph import exp, log, relu, sigmoid, sqrt
from lib.graph.draw import Drawing
from lib.graph.draw.network import Column, Skip, draw_units
from lib.graph.explain import explain
from lib.graph.explain.derivation import Derivation
from lib.graph.explain.document import Document, Line, Part
from lib.graph.explain.expressions import in_leaves
from lib.graph.explain.jacobians import SymbolicJacobian, jacobian
from lib.graph.node import Node, apply, constant, variable
from lib.graph.notation import Term, call, choice, equation, matrix, name, number, partial, sum_of, sum_over
from lib.graph.operations.elementwise import Elementwise
from lib.validation import InputError

Numbers = Any  # a number or an array


def skip_network(x: float = 1.0, y: float = -3.0, w0: float = 0.5, w1: float = 0.5, w2: float = 0.5,
                 ws: float = 0.5) -> Node:
    """Return the L1 loss of three units in a row, with a skip connection of weight ws from unit 0 to unit 2.

    h0 = relu(w0 x), h1 = relu(w1 h0), y_hat = w2 h1 + ws h0, L = |y - y_hat|
    """
    weights = [variable(value, name=name) for name, value in (("w0", w0), ("w1", w1), ("w2", w2), ("ws", ws))]
    h0 = relu((weights[0] * constant(x, name="x")).named("z0")).named("h0")
    h1 = relu((weights[1] * h0).named("z1")).named("h1")
    y_hat = (weights[2] * h1 + weights[3] * h0).named("y_hat")
    return absolute(constant(y, name="y") - y_hat).named("L")


def skip_scheme(given: Sequence[str] = ("x = 1",)) -> Drawing:
    """Return the scheme of the network with a skip connection: its units, and how each is computed."""
    return draw_units([Column(["x"], "input", given),
                       Column(["0"], "unit 0", ["z0 = w0 x", "h0 = relu(z0)"], [["w0"]]),
                       Column(["1"], "unit 1", ["z1 = w1 h0", "h1 = relu(z1)"], [["w1"]]),
                       Column(["2"], "unit 2", ["y_hat = w2 h1 + ws h0"], [["w2"]])], skips=[Skip(1, 3, "ws")])


def expression_a(a: float = 1.0, b: float = 2.0) -> Node:
    """Return A = exp(a) / sqrt(b) * log(a + b)."""
    a_, b_ = variable(a, name="a"), variable(b, name="b")
    # START TODO ################
    return (exp(a_) / sqrt(b_) * log(a_ + b_)).named("A")
    # END TODO ##################


def expression_b(a: float = 1.0, b: float = 4.0, c: float = 2.0) -> Node:
    """Return B = sqrt(a + b + c^2) + log(a + b + c^2) + (a + b + c^2) / (b c^2).

    a + b + c^2 is written down three times here; explain and draw compute it once.
    """
    a_, b_, c_ = variable(a, name="a"), variable(b, name="b"), variable(c, name="c")
    # START TODO ################
    return (sqrt(a_ + b_ + c_ ** 2) + log(a_ + b_ + c_ ** 2) + (a_ + b_ + c_ ** 2) / (b_ * c_ ** 2)).named("B")
    # END TODO ##################


def expression_c(w0: float = 1.0, w1: float = 2.0, x: Sequence[float] = (1.0, 2.0, 3.0),
                 y: Sequence[float] = (2.0, 6.0, 6.0)) -> Node:
    """Return C = sum_i (w0 + w1 x_i - y_i)^2, the squared error of a line."""
    if len(x) != len(y) or not len(x):
        raise InputError(f"Each x needs a y, and there must be at least one, but got {len(x)} and {len(y)} of them.")
    offset, slope = variable(w0, name="w0"), variable(w1, name="w1")
    points = [(constant(x_i, name=f"x{i}"), constant(y_i, name=f"y{i}")) for i, (x_i, y_i) in enumerate(zip(x, y), 1)]
    # START TODO ################
    squares = [(offset + slope * x_i - y_i) ** 2 for x_i, y_i in points]
    total = squares[0]
    for square in squares[1:]:
        total = total + square
    return total.named("C")
    # END TODO ##################


def mlp_regression(x: Numbers, y: Numbers, W1: Numbers, b1: Numbers, W2: Numbers, b2: Numbers) -> Node:
    """Return the squared error of an MLP at one point, with every quantity a variable, so that each gets its gradient.

    z1 = W1^T x, z2 = z1 + b1, z3 = sigmoid(z2), z4 = W2^T z3, y_hat = z4 + b2, l = (y - y_hat)^2. For a vector x, the
    graph's x @ W1 is W1^T x, and is written so in LaTeX.

    Args:
        x: the input, of shape (D,).
        y: the target, of shape (1,).
        W1, b1, W2, b2: the parameters, of shapes (D, Z), (Z,), (Z, 1), (1,).
    """
    x, y, W1, b1, W2, b2 = (variable(value, name=name) for name, value in zip(("x", "y", "W1", "b1", "W2", "b2"),
                                                                              (x, y, W1, b1, W2, b2)))
    z1 = (x @ W1).named("z1")
    z2 = (z1 + b1).named("z2")
    z3 = sigmoid(z2).named("z3")
    z4 = (z3 @ W2).named("z4")
    y_hat = (z4 + b2).named("y_hat")
    return ((y - y_hat) ** 2).sum().named("l")


def ticket_network(x: Numbers, y: Numbers, W1: Numbers, b1: Numbers, W2: Numbers, b2: Numbers) -> Node:
    """Return the mean squared error of a network with one hidden ReLU layer on a batch of N examples.

    z1 = x W1 + b1, h = relu(z1), y_hat = h W2 + b2, e = y_hat - y, s = e^2, L = mean(s): the names of the network's
    scheme, draw_network.

    Args:
        x: the inputs, of shape (N, D).
        y: the targets, of shape (N, 1).
        W1, b1, W2, b2: the parameters, of shapes (D, H), (H,), (H, 1), (1,).
    """
    weights = {name: variable(value, name=name) for name, value in zip(("W1", "b1", "W2", "b2"), (W1, b1, W2, b2))}
    z1 = (constant(x, name="x") @ weights["W1"] + weights["b1"]).named("z1")
    h = relu(z1).named("h")
    y_hat = (h @ weights["W2"] + weights["b2"]).named("y_hat")
    error = (y_hat - constant(y, name="y")).named("e")
    return (error ** 2).named("s").mean().named("L")


# ---------------------------------------------------------------------- Jacobians

class AnyFunction(Elementwise):
    """Some function of one number, of which only the name is known: its derivative is written with a prime."""

    def __init__(self, name: str) -> None:
        self.name = name

    def forward(self, a):
        return a  # a stand-in: what is done with this function is symbols only

    def backward(self, i, grad, out, a):
        return grad

    def derivative(self, i, out, a):
        return call(f"{self.name}'", a)


def elementwise_jacobian(function: Union[str, Any], n: int = 3, values: Sequence[float] = ()) -> SymbolicJacobian:
    """Return the Jacobian of f(x) = (a(x1), ..., a(xn)): it is diagonal, with the entries a'(x1), ..., a'(xn).

    Args:
        function: a function of this library, such as lib.graph.sigmoid; or a name such as "a" for any function.
        n: the number of entries.
        values: the numbers to evaluate it at; 1, 2, ..., n if not given.
    """
    numbers = list(values) or [float(k + 1) for k in range(n)]
    inputs = [variable(value, name=f"x{k + 1}") for k, value in enumerate(numbers)]
    if isinstance(function, str):
        unknown = AnyFunction(function)
        return jacobian([apply(unknown, x) for x in inputs], inputs, numbers=False)
    return jacobian([function(x) for x in inputs], inputs)


def sigmoid_derivative(x: float = 0.5) -> Document:
    """Return the derivation of sigma'(x) = sigma(x) (1 - sigma(x)) from sigma(x) = 1 / (1 + e^-x), step by step."""
    explanation = explain((1 / (1 + exp(-variable(x, name="x")))).named("sigma"))
    sigma, t1, t2, t3 = (name(each) for each in ("sigma", "t1", "t2", "t3"))
    value = float(sigmoid(x))
    simplified = [
        Line("The path's factors are ", -1 / t3 ** 2, ", ", number(1), ", ", t2, " and ", number(-1),
             "; the two signs cancel:"),
        Line(equation(partial(sigma, name("x")), t2 / t3 ** 2, 1 / t3 * (t2 / t3)), level=1),
        Line("The first factor is ", sigma, ". In the second, ", equation(t2, t3 - 1), ", so"),
        Line(equation(t2 / t3, (t3 - 1) / t3, 1 - 1 / t3, 1 - sigma), level=1),
        Line("Together: ", equation(partial(sigma, name("x")), sigma * (1 - sigma))),
        Line("At ", equation(name("x"), number(x)), ": ",
             equation(number(value) * (1 - number(value)), number(value * (1 - value))))]
    return Document([explanation.intermediates(), explanation.paths("x"), Part("Simplified", simplified)])


def linear_map_derivatives(m: int = 2, n: int = 3) -> Document:
    """Return the derivatives of y = W x with W of shape (m, n): dy/dx, dy_k/dw_ij, and A dy/dw_ij for a row A.

    All of them come from graphs of the single numbers w11, w12, ..., in symbols.
    """
    w = [[variable(1.0, name=f"w{i + 1}{j + 1}") for j in range(n)] for i in range(m)]
    x = [variable(1.0, name=f"x{j + 1}") for j in range(n)]
    a = [variable(1.0, name=f"a{i + 1}") for i in range(m)]
    y = [_dot(row, x) for row in w]
    flat = [each for row in w for each in row]
    columns: List[Any] = []
    for each in flat:
        columns += [", " if columns else "", name(each.name)]
    A, W, x_, y_k, w_ij = name("A", (1, m)), name("W", (m, n)), name("x", (n, 1)), name("y_k"), name("w_ij")
    a_i, x_j = name("a_i"), name("x_j")
    by_x = jacobian(y, x, "y", numbers=False)
    first = Part("i) dy/dx", [
        *[Line(equation(name(f"y{k + 1}"), formula_of(each))) for k, each in enumerate(y)],
        Line("Row k, column j: the derivative of ", y_k, " by ", x_j, "."), Line(matrix(by_x.terms), level=1),
        Line("That is W itself: ", equation(partial(name("y"), name("x")), W))])
    by_w = jacobian(y, flat, "y", numbers=False)
    second = Part("ii) dy_k/dw_ij", [
        *[Line(name(f"y{k + 1}"), " by ", *columns, ":   ", *_spaced(row)) for k, row in enumerate(by_w.terms)],
        Line(y_k, " contains row k of W only: ",
             equation(partial(y_k, w_ij), choice(name("k"), "==", name("i"), x_j, 0)))])
    products = jacobian([_dot(a, y)], flat, "(A y)", numbers=False).terms[0]
    third = Part("iii) A dy/dw_ij for A of shape (1, m)", [
        Line(equation(A @ partial(name("y", (m,)), w_ij), sum_over("k", name("a_k") * partial(y_k, w_ij))),
             " is the derivative of A y = ", sum_of([name(f"a{k + 1}") * name(f"y{k + 1}") for k in range(m)]), "."),
        Line("by ", *columns, ":   ", *_spaced(products)),
        Line("Only k = i is left: ", equation(A @ partial(name("y", (m,)), w_ij), a_i * x_j), ". As a matrix, a column "
             "times a row: ", A.T @ x_.T, f", of shape ({m}, {n}); by broadcasting, ", A.T * name("x"), ".")])
    return Document([first, second, third])


def formula_of(node: Node) -> Term:
    """Return a node as one formula in its leaves."""
    return in_leaves(Derivation(node))[node]


def _spaced(terms: Sequence[Term]) -> List[Any]:
    """Return terms in a row."""
    return [piece for k, term in enumerate(terms) for piece in (["   "] if k else []) + [term]]


def _dot(row: List[Node], column: List[Node]) -> Node:
    total = row[0] * column[0]
    for one, other in zip(row[1:], column[1:]):
        total = total + one * other
    return total
