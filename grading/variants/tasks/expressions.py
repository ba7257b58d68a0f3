"""Expressions A, B and C, and the Jacobian of task 1.1."""
from __future__ import annotations

from functools import reduce
from operator import add
from typing import Sequence

from grading.variants.seeds import Dice
from grading.variants.task import Numbers, Slip, Task
from lib import graph
from lib.graph.node import Node, constant, variable

CHAIN = "The chain rule has one more factor, from above."


def expression_a_graph(a: float, b: float, p: float, q: float, r: float) -> Node:
    """Return A = exp(p a) / sqrt(b) * log(q a + r b), an intermediate variable for each operation."""
    a_, b_ = variable(a, name="a"), variable(b, name="b")
    p_, q_, r_ = (constant(value, name=name) for name, value in (("p", p), ("q", q), ("r", r)))
    t1, t2 = graph.exp(p_ * a_).named("t1"), graph.sqrt(b_).named("t2")
    t3 = (q_ * a_ + r_ * b_).named("t3")
    t4, t5 = graph.log(t3).named("t4"), (t1 / t2).named("t5")
    return (t5 * t4).named("A")


def draw_a(dice: Dice) -> Numbers:
    return {"a": dice.quarter(0.25, 3), "b": dice.quarter(0.25, 5), "p": dice.half(-1.5, 1.5), "q": dice.half(0.5, 4),
            "r": dice.half(0.5, 4)}


EXPRESSION_A = Task(
    "expression_a", "Expression A", "Compute A = exp(p a) / √b · log(q a + r b) and its derivatives by a and b, with "
    "the intermediate variables t1 to t5. p, q and r are constants; log is the natural logarithm.",
    expression_a_graph, draw_a,
    ("t1", "t2", "t3", "t4", "t5", "A", "dA/dt5", "dA/dt4", "dA/dt3", "dA/dt1", "dA/dt2", "dA/da", "dA/db"),
    (Slip("t4", "log10(t3)", "function", "log is the natural logarithm here."),
     Slip("A", "t5 + t4", "formula", "By which operation are t5 and t4 joined?"),
     Slip("dA/dt5", "1", "local", "A = t5 t4: what is its derivative by t5?"),
     Slip("dA/dt3", "1 / t3", "upstream", CHAIN),
     Slip("dA/dt3", "dA/dt4 / t4", "place", "log is applied to t3: at which number does one take its derivative?"),
     Slip("dA/dt1", "1 / t2", "upstream", CHAIN),
     Slip("dA/dt1", "dA/dt5", "local", "t5 = t1 / t2: what is its derivative by t1?"),
     Slip("dA/dt2", "-it", "sign", "If t2 rises, does t1 / t2 rise or fall?"),
     Slip("dA/dt2", "-dA/dt5 * t1 / t2", "local", "What is the derivative of 1/t by t?"),
     Slip("dA/dt2", "dA/dt5 * t1", "local", "t2 stands below the fraction stroke: what is the derivative of 1/t by t?"),
     Slip("dA/da", "dA/dt1 * p * t1", "paths", "In how many places does a stand in the expression?"),
     Slip("dA/da", "dA/dt3 * q", "paths", "In how many places does a stand in the expression?"),
     Slip("dA/da", "dA/dt1 * p + dA/dt3 * q", "local", "What is the derivative of exp?"),
     Slip("dA/db", "dA/dt3 * r", "paths", "In how many places does b stand in the expression?"),
     Slip("dA/db", "dA/dt2 / (2 * t2)", "paths", "In how many places does b stand in the expression?"),
     Slip("dA/db", "dA/dt2 / t2 + dA/dt3 * r", "factor", "What is the derivative of a square root?"),
     Slip("dA/db", "dA/dt2 * t2 / 2 + dA/dt3 * r", "local", "What is the derivative of a square root?")),
    ways={"dA/dt2": ("-dA/dt5 * t5 / t2",)})


def expression_b_graph(a: float, b: float, c: float) -> Node:
    """Return B = sqrt(s) + log(s) + s / (b c^2) for s = a + b + c^2, with the intermediate variables named."""
    a_, b_, c_ = variable(a, name="a"), variable(b, name="b"), variable(c, name="c")
    t1 = (c_ ** 2).named("t1")
    s = (a_ + b_ + t1).named("s")
    t2, t3, t4 = graph.sqrt(s).named("t2"), graph.log(s).named("t3"), (b_ * t1).named("t4")
    t5 = (s / t4).named("t5")
    return (t2 + t3 + t5).named("B")


EXPRESSION_B = Task(
    "expression_b", "Expression B", "Compute B = √(a + b + c²) + log(a + b + c²) + (a + b + c²) / (b c²) and its "
    "derivatives, the expression s = a + b + c² only once. log is the natural logarithm.",
    expression_b_graph,
    lambda dice: {"a": dice.quarter(0.25, 12), "b": dice.quarter(0.25, 9), "c": dice.quarter(-3, 3)},
    ("t1", "s", "t2", "t3", "t4", "t5", "B", "dB/dt5", "dB/dt4", "dB/ds", "dB/dt1", "dB/da", "dB/db", "dB/dc"),
    (Slip("t3", "log10(s)", "function", "log is the natural logarithm here."),
     Slip("t1", "2 * c", "formula", "c² is the square of c."),
     Slip("B", "t2 + t3", "formula", "Three terms are added."),
     Slip("dB/dt4", "-it", "sign", "If t4 rises, does s / t4 rise or fall?"),
     Slip("dB/dt4", "-s / t4", "local", "What is the derivative of 1/t by t?"),
     Slip("dB/ds", "1 / (2 * t2)", "paths", "On how many paths does s reach B?"),
     Slip("dB/ds", "1 / (2 * t2) + 1 / s", "paths", "On how many paths does s reach B?"),
     Slip("dB/ds", "1 / t2 + 1 / s + 1 / t4", "factor", "What is the derivative of a square root?"),
     Slip("dB/ds", "1 / (2 * t2) + 1 / t3 + 1 / t4", "place", "log is applied to s: where does one take its "
          "derivative?"),
     Slip("dB/dt1", "dB/ds", "paths", "t1 = c² stands in two places."),
     Slip("dB/dt1", "dB/dt4 * b", "paths", "t1 = c² stands in two places."),
     Slip("dB/db", "dB/ds", "paths", "b stands in two places."),
     Slip("dB/db", "dB/dt4 * t1", "paths", "b stands in two places."),
     Slip("dB/dc", "dB/dt1 * c", "factor", "What is the derivative of a square?"),
     Slip("dB/dc", "2 * c", "upstream", CHAIN)),
    ways={"dB/dt4": ("-t5 / t4",)})


def points(dice: Dice, n: int, low: float, high: float, height: float) -> Numbers:
    """Return n points x1, y1, x2, y2, ... from left to right."""
    places = sorted(dice.quarters(n, low, high))
    return {name: value for i, x in enumerate(places, 1)
            for name, value in ((f"x{i}", x), (f"y{i}", dice.half(-height, height)))}


def sum_of(nodes: Sequence[Node]) -> Node:
    """Return the sum of nodes; Python's own begins with a 0, which would stand in the graph."""
    return reduce(add, nodes)


def c_graph(w0: float, w1: float, **numbers: float) -> Node:
    """Return expression C with its three residuals as intermediate variables."""
    offset, slope = variable(w0, name="w0"), variable(w1, name="w1")
    v = {name: constant(value, name=name) for name, value in numbers.items()}
    r = [(offset + slope * v[f"x{i}"] - v[f"y{i}"]).named(f"r{i}") for i in "123"]
    return (r[0] ** 2 + r[1] ** 2 + r[2] ** 2).named("C")


EXPRESSION_C = Task(
    "expression_c", "Expression C", "Compute C = Σ (w0 + w1 xᵢ - yᵢ)², the residuals rᵢ first, and the derivatives "
    "of C by them and by w0 and w1.", c_graph,
    lambda dice: {"w0": dice.half(-3, 3), "w1": dice.half(-3, 3), **points(dice, 3, -3, 4, 6)},
    ("r1", "r2", "r3", "C", "dC/dr1", "dC/dr2", "dC/dr3", "dC/dw0", "dC/dw1"),
    (Slip("r1", "y1 - w0 - w1 * x1", "sign", "In which order are prediction and target subtracted here?"),
     Slip("r2", "w1 + w0 * x2 - y2", "formula", "Which of w0 and w1 is multiplied by x?"),
     Slip("C", "it / 3", "mean", "Is C the sum of the squares, or their mean?"),
     Slip("C", "it / 2", "factor", "Is there a factor in front of the sum?"),
     Slip("C", "abs(r1) + abs(r2) + abs(r3)", "function", "Is it the squared or the absolute error?"),
     Slip("C", "(r1 + r2 + r3) ** 2", "formula", "Is the sum squared, or are the squares summed?"),
     Slip("dC/dr1", "r1", "factor", "What is the derivative of a square?"),
     Slip("dC/dr2", "r2 ** 2", "local", "What is the derivative of a square?"),
     Slip("dC/dr3", "-it", "sign", "If r3 rises a little, does its square rise or fall?"),
     Slip("dC/dw0", "dC/dr1 * x1 + dC/dr2 * x2 + dC/dr3 * x3", "input", "What does w0 multiply?"),
     Slip("dC/dw0", "it / 3", "mean", "Is C the sum of the squares, or their mean?"),
     Slip("dC/dw1", "dC/dr1 + dC/dr2 + dC/dr3", "input", "What does w1 multiply?"),
     Slip("dC/dw1", "it / 3", "mean", "Is C the sum of the squares, or their mean?"),
     Slip("dC/dw1", "dC/dr1 * x1", "paths", "On how many paths does w1 reach C?"),
     Slip("dC/dw1", "(dC/dr1 + dC/dr2 + dC/dr3) * (x1 + x2 + x3)", "formula",
          "Each residual goes with its own x: first multiply, then add.")))


def jacobian_graph(x1: float, x2: float, x3: float, p: float, q: float, a1: float, a2: float) -> Node:
    """Return L = a1 f1 + a2 f2, the row (a1, a2) times f = (exp(p x1) sin(x3), sqrt(x2 + q x3))."""
    x = [variable(value, name=name) for name, value in (("x1", x1), ("x2", x2), ("x3", x3))]
    t1 = graph.exp(constant(p, name="p") * x[0]).named("t1")
    f1 = (t1 * graph.sin(x[2])).named("f1")
    f2 = graph.sqrt(x[1] + constant(q, name="q") * x[2]).named("f2")
    return (constant(a1, name="a1") * f1 + constant(a2, name="a2") * f2).named("L")


JACOBIAN = Task(
    "jacobian", "A Jacobian", "f(x) = (exp(p x1) sin(x3), √(x2 + q x3)) takes three numbers to two. Give f, all six "
    "entries of its matrix of partial derivatives, and the derivatives of L = a1 f1 + a2 f2, the row (a1, a2) times "
    "that matrix. Angles are in radians.", jacobian_graph,
    lambda dice: {"x1": dice.quarter(-2, 2), "x2": dice.quarter(0.25, 6), "x3": dice.quarter(0.25, 3),
                  "p": dice.half(-2, 2), "q": dice.half(0.5, 3), "a1": dice.half(-3, 3), "a2": dice.half(-3, 3)},
    ("f1", "f2", "L", "df1/dx1", "df1/dx2", "df1/dx3", "df2/dx1", "df2/dx2", "df2/dx3", "dL/dx1", "dL/dx2", "dL/dx3"),
    (Slip("f1", "exp(p * x1) * sin(x3 * pi / 180)", "function", "Is your calculator set to radians?"),
     Slip("f1", "exp(p * x1) * cos(x3)", "function", "Sine or cosine?"),
     Slip("df1/dx1", "f1", "local", "What is the derivative of the exponent p x1 by x1?"),
     Slip("df1/dx1", "p * exp(p * x1) * cos(x3)", "formula", "sin(x3) doesn't depend on x1: what happens to a "
          "constant factor?"),
     Slip("df1/dx2", "exp(p * x1) * sin(x3)", "formula", "Does f1 depend on x2 at all?"),
     Slip("df1/dx3", "-exp(p * x1) * cos(x3)", "sign", "What is the derivative of the sine?"),
     Slip("df1/dx3", "f1", "local", "What is the derivative of the sine?"),
     Slip("df1/dx3", "exp(p * x1) * cos(x3 * pi / 180)", "function", "Is your calculator set to radians?"),
     Slip("df2/dx1", "1 / (2 * f2)", "formula", "Does f2 depend on x1 at all?"),
     Slip("df2/dx2", "1 / f2", "factor", "What is the derivative of a square root?"),
     Slip("df2/dx2", "f2 / 2", "local", "What is the derivative of a square root?"),
     Slip("df2/dx3", "1 / (2 * f2)", "local", "What is the derivative of x2 + q x3 by x3?",),
     Slip("df2/dx3", "q / f2", "factor", "What is the derivative of a square root?"),
     Slip("dL/dx1", "df1/dx1", "upstream", "The row (a1, a2) stands in front of the matrix."),
     Slip("dL/dx3", "a1 * df1/dx3", "paths", "On how many paths does x3 reach L?"),
     Slip("dL/dx3", "a2 * df2/dx3", "paths", "On how many paths does x3 reach L?"),
     Slip("dL/dx3", "df1/dx3 + df2/dx3", "upstream", "The row (a1, a2) stands in front of the matrix.")),
    ways={"f1": ("exp(p * x1) * sin(x3)",), "df1/dx1": ("p * f1", "p * exp(p * x1) * sin(x3)"),
          "df1/dx3": ("exp(p * x1) * cos(x3)",), "df2/dx2": ("1 / (2 * f2)", "1 / (2 * sqrt(x2 + q * x3))"),
          "df2/dx3": ("q * df2/dx2", "q / (2 * f2)"),
          **{f"dL/dx{k}": (f"a1 * df1/dx{k} + a2 * df2/dx{k}",) for k in "123"}})
