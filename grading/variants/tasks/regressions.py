"""Linear regression, logistic regression, and softmax with cross-entropy."""
from __future__ import annotations

from typing import Callable

from grading.variants.seeds import Dice
from grading.variants.task import Numbers, Slip, Task
from grading.variants.tasks.expressions import points, sum_of
from grading.variants.tasks.networks import step_slips
from lib import graph
from lib.graph.draw import Drawing
from lib.graph.draw.network import Column, draw_units
from lib.graph.node import Node, constant, variable


def linear_graph(w: float, b: float, **numbers: float) -> Node:
    """Return the mean squared error of a line on four points."""
    slope, offset = variable(w, name="w"), variable(b, name="b")
    v = {name: constant(value, name=name) for name, value in numbers.items()}
    errors = [(slope * v[f"x{i}"] + offset - v[f"y{i}"]).named(f"e{i}") for i in "1234"]
    return (sum_of([e ** 2 for e in errors]) / 4).named("L")


def draw_linear(dice: Dice) -> Numbers:
    return {"w": dice.half(-3, 3), "b": dice.half(-3, 3), **points(dice, 4, -2, 4, 6),
            "lr": dice.one_of((0.01, 0.05, 0.1))}


def line_scheme(*formulas: str) -> Callable[[], Drawing]:
    """Return the scheme of one weight and one bias that every point goes through."""
    return lambda: draw_units([Column(["x"], "input"), Column(["z" if len(formulas) > 1 else "y_hat"], "every point",
                                                              formulas, [["w"]], "b")])


LINEAR_REGRESSION = Task(
    "linear_regression", "Slope and offset of a linear regression", "A line ŷ = w x + b is fitted to four points by "
    "the mean squared error. Give the errors eᵢ = w xᵢ + b - yᵢ, the loss, its derivatives by the slope w and the "
    "offset b, and one step of gradient descent with the learning rate lr.", linear_graph, draw_linear,
    ("e1", "e2", "e3", "e4", "L", "dL/de1", "dL/de4", "dL/dw", "dL/db", "new w", "new b"),
    (Slip("e1", "y1 - w * x1 - b", "sign", "In which order are prediction and target subtracted here?"),
     Slip("e2", "w * x2 - y2", "formula", "Does the line have an offset?"),
     Slip("e3", "b * x3 + w - y3", "formula", "Which of w and b is multiplied by x?"),
     Slip("L", "it * 4", "mean", "Is the loss the sum of the squares, or their mean?"),
     Slip("L", "it / 2", "factor", "Is there another factor in front of the mean?"),
     Slip("L", "(abs(e1) + abs(e2) + abs(e3) + abs(e4)) / 4", "function", "Is it the squared or the absolute error?"),
     Slip("dL/de1", "2 * e1", "mean", "Is the loss the sum of the squares, or their mean?"),
     Slip("dL/de1", "e1 / 4", "factor", "What is the derivative of a square?"),
     Slip("dL/de1", "e1", "factor", "What is the derivative of a square, and what of a mean?"),
     Slip("dL/de4", "-it", "sign", "If e4 rises a little, does its square rise or fall?"),
     Slip("dL/dw", "(e1 + e2 + e3 + e4) / 2", "input", "What does the slope multiply in each prediction?"),
     Slip("dL/dw", "it * 4", "mean", "Is the loss the sum of the squares, or their mean?"),
     Slip("dL/dw", "it / 2", "factor", "What is the derivative of a square?"),
     Slip("dL/dw", "dL/de1 * x1", "paths", "The slope takes part in the prediction of each point."),
     Slip("dL/dw", "-it", "sign", "If the slope rises a little, do the predictions rise or fall?"),
     Slip("dL/db", "it * 4", "mean", "Is the loss the sum of the squares, or their mean?"),
     Slip("dL/db", "it / 2", "factor", "What is the derivative of a square?"),
     Slip("dL/db", "-it", "sign", "If the offset rises a little, do the predictions rise or fall?"),
     Slip("dL/db", "(e1 * x1 + e2 * x2 + e3 * x3 + e4 * x4) / 2", "input", "What does the offset multiply?"),
     *step_slips("w", "b")), None, line_scheme("y_hat = w x + b"),
    {"dL/de1": ("2 * e1 / 4",), "dL/de4": ("2 * e4 / 4",)})


def logistic_graph(w: float, b: float, **numbers: float) -> Node:
    """Return the mean cross-entropy of a logistic regression on three points; a label is 1 or 0."""
    slope, offset = variable(w, name="w"), variable(b, name="b")
    v = {name: constant(value, name=name) for name, value in numbers.items()}
    losses = []
    for i in "123":
        p = graph.sigmoid((slope * v[f"x{i}"] + offset).named(f"z{i}")).named(f"p{i}")
        losses.append((-(v[f"y{i}"] * graph.log(p) + (1 - v[f"y{i}"]) * graph.log(1 - p))).named(f"l{i}"))
    return (sum_of(losses) / 3).named("L")


def draw_logistic(dice: Dice) -> Numbers:
    x = sorted(dice.quarters(3, -2, 2))
    labels = dice.one_of(((0, 1, 1), (1, 0, 0), (0, 0, 1), (1, 1, 0), (0, 1, 0), (1, 0, 1)))
    return {"w": dice.quarter(-1.5, 1.5), "b": dice.quarter(-1, 1),
            **{name: value for i, (x_i, y_i) in enumerate(zip(x, labels), 1)
               for name, value in ((f"x{i}", x_i), (f"y{i}", float(y_i)))}, "lr": dice.one_of((0.25, 0.5, 2.0))}


TOWARDS = "A slip in the sign: if z rises a little, does the loss of this label rise or fall?"
LOGISTIC_REGRESSION = Task(
    "logistic_regression", "The gradient of a logistic regression", "zᵢ = w xᵢ + b, pᵢ = σ(zᵢ) is the probability of "
    "label 1, and L is the mean of the cross-entropies: -log pᵢ for a label 1, -log(1 - pᵢ) for a label 0 (natural "
    "logarithm). Give these, the gradient, and one step of gradient descent with the learning rate "
    "lr.", logistic_graph, draw_logistic,
    ("z1", "z2", "p1", "p2", "p3", "L", "dL/dz1", "dL/dz2", "dL/dz3", "dL/dw", "dL/db", "new w", "new b"),
    (Slip("z1", "w * x1", "formula", "Is there an offset?"),
     Slip("p1", "sigmoid(-z1)", "sign", "σ(z) = 1 / (1 + exp(-z)): does it rise or fall with z?"),
     Slip("p2", "it * (1 - it)", "function", "That is the slope of σ. Its value is asked for."),
     Slip("L", "it * 3", "mean", "Is the loss the sum over the points, or their mean?"),
     Slip("L", "-(y1 * log(p1) + y2 * log(p2) + y3 * log(p3)) / 3", "formula", "What do the points of label 0 add?"),
     Slip("L", "it / log(10)", "function", "log is the natural logarithm here."),
     Slip("L", "-it", "sign", "The logarithm of a probability is negative: what stands in front of it?"),
     Slip("dL/dz1", "p1 - y1", "mean", "Is the loss the sum over the points, or their mean?"),
     Slip("dL/dz1", "(y1 - p1) / 3", "sign", TOWARDS),
     Slip("dL/dz1", "(p1 - y1) * p1 * (1 - p1) / 3", "local", "The derivative of σ is counted twice: p - y holds it "
          "already."),
     Slip("dL/dz2", "(y2 - p2) / 3", "sign", TOWARDS),
     Slip("dL/dz2", "(z2 - y2) / 3", "place", "What is compared with the label: z, or the probability?"),
     Slip("dL/dz3", "(p3 - (1 - y3)) / 3", "formula", "Which label does this point have?"),
     Slip("dL/dw", "dL/dz1 + dL/dz2 + dL/dz3", "input", "What does w multiply?"),
     Slip("dL/dw", "it * 3", "mean", "Is the loss the sum over the points, or their mean?"),
     Slip("dL/dw", "it / 3", "mean", "The mean is taken already: is the division by the number of points counted "
          "twice?"),
     Slip("dL/dw", "dL/dz1 * x1", "paths", "w takes part in each point."),
     Slip("dL/db", "dL/dz1 * x1 + dL/dz2 * x2 + dL/dz3 * x3", "input", "What does b multiply?"),
     Slip("dL/db", "it * 3", "mean", "Is the loss the sum over the points, or their mean?"),
     Slip("dL/db", "it / 3", "mean", "The mean is taken already: is the division by the number of points counted "
          "twice?"),
     *step_slips("w", "b")), None, line_scheme("z = w x + b", "p = sigmoid(z)"))


def softmax_graph(**numbers: float) -> Node:
    """Return the mean cross-entropy of two examples with three classes: logits z and u, one-hot labels y and t."""
    v = {name: constant(value, name=name) if name[0] in "yt" else variable(value, name=name)
         for name, value in numbers.items()}
    losses = []
    for logit, total, label, probability in ("zSyp", "uTtq"):
        exps = [graph.exp(v[f"{logit}{k}"]) for k in "123"]
        summed = sum_of(exps).named(total)
        losses.append((-sum_of([v[f"{label}{k}"] * graph.log((each / summed).named(f"{probability}{k}"))
                                for k, each in zip("123", exps)])).named("l1" if total == "S" else "l2"))
    return ((losses[0] + losses[1]) / 2).named("L")


def draw_softmax(dice: Dice) -> Numbers:
    labels = [dice.below(3), dice.below(3)]
    numbers: Numbers = {}
    for logit, label, which in zip("zu", "yt", labels):
        numbers.update({f"{logit}{k}": value for k, value in zip("123", dice.quarters(3, -1.5, 1.5))})
        numbers.update({f"{label}{k}": float(k == "123"[which]) for k in "123"})
    return numbers


SOFTMAX_CROSS_ENTROPY = Task(
    "softmax_cross_entropy", "Softmax with cross-entropy", "Two examples have the logits z and u and the one-hot "
    "labels y and t. Give the softmax's sums S and T, the probabilities p and q, the mean cross-entropy L (natural "
    "logarithm), and the derivatives of L by the logits.",
    softmax_graph, draw_softmax,
    ("S", "T", "p1", "p2", "p3", "q1", "q2", "q3", "L", "dL/dz1", "dL/dz2", "dL/dz3", "dL/du1", "dL/du2", "dL/du3"),
    (Slip("S", "exp(z1 + z2 + z3)", "function", "Is it the exponential of a sum, or the sum of exponentials?"),
     Slip("p1", "S / exp(z1)", "formula", "What stands above the fraction stroke, and what below it?"),
     Slip("p2", "exp(z2)", "formula", "Do your three probabilities add up to 1?"),
     Slip("p3", "sigmoid(z3)", "function", "That is the sigmoid. Do your three probabilities add up to 1?"),
     Slip("q1", "exp(u1) / S", "formula", "Over which axis does softmax sum: over the classes, or over the examples?"),
     Slip("q1", "exp(u1)", "formula", "Do your three probabilities add up to 1?"),
     Slip("L", "it * 2", "mean", "Is the loss the sum over the examples, or their mean?"),
     Slip("L", "-it", "sign", "The logarithm of a probability is negative: what stands in front of it?"),
     Slip("L", "it / log(10)", "function", "log is the natural logarithm here."),
     Slip("L", "-(y1 * z1 + y2 * z2 + y3 * z3 + t1 * u1 + t2 * u2 + t3 * u3) / 2", "place", "The logarithm of what?"),
     Slip("L", "it / 3", "mean", "The mean is over the examples: is it over the classes, too?"),
     *[Slip(f"dL/dz{k}", rule.format(k=k), cause, hint) for k in "123" for rule, cause, hint in (
         ("p{k} - y{k}", "mean", "Is the loss the sum over the examples, or their mean?"),
         ("-it", "sign", "If this logit rises a little, does the loss rise or fall?"),
         ("(z{k} - y{k}) / 2", "place", "What is compared with the label: the logit, or the probability?"))],
     *[Slip(f"dL/du{k}", rule.format(k=k), cause, hint) for k in "123" for rule, cause, hint in (
         ("q{k} - t{k}", "mean", "Is the loss the sum over the examples, or their mean?"),
         ("-it", "sign", "If this logit rises a little, does the loss rise or fall?"),
         ("(q{k} - t{k}) * q{k} * (1 - q{k}) / 2", "local", "The softmax's derivative is in q - t already."))]),
    lambda v: "a number is too small to be told from 0" if min(v.p1, v.p2, v.p3, v.q1, v.q2, v.q3) < 0.02 else "",
    lambda: draw_units([Column(["z1", "z2", "z3"], "logits"),
                        Column(["p1", "p2", "p3"], "softmax", ["p = exp(z) / S"])]),
    {f"dL/d{z}{k}": (f"({p}{k} - {y}{k}) / 2",) for z, p, y in ("zpy", "uqt") for k in "123"})
