"""The derivatives of linear and of logistic regression, derived step by step as a sheet asks to show them.

>>> from exercises.regression_derivations import logistic_regression_gradient
>>> print(logistic_regression_gradient().parts()[0].lines[-1])
dL/dw = 1 / B * (sum_i (p_i - y_i) * x_i)
"""
from __future__ import annotations

from lib.graph.explain.document import Document, Line, Part
from lib.graph.notation import call, equation, name, number, partial, sum_over


def linear_regression_derivatives() -> Document:
    """Return the two derivatives of L = 1/N sum_i (w0 + w1 x_i - y_i)^2, one step a line."""
    L, N, w0, w1, x, y, e = (name(text) for text in ("L", "N", "w0", "w1", "x_i", "y_i", "e_i"))
    error = w0 + w1 * x - y
    return Document([Part("The derivatives of linear regression", [
        Line("With the error of one point, ", equation(e, error), ", the loss is ",
             equation(L, 1 / N * sum_over("i", e ** 2)), "."),
        Line("Each error is squared on its own, so ", equation(partial(L, e), 2 / N * e), "."),
        Line("An error depends on the parameters by ", equation(partial(e, w0), number(1)), " and ",
             equation(partial(e, w1), x), "."),
        Line("Every error depends on both parameters, so the chain rule adds up over all points:"),
        Line(equation(partial(L, w0), sum_over("i", partial(L, e) * partial(e, w0)), 2 / N * sum_over("i", error)),
             level=1),
        Line(equation(partial(L, w1), sum_over("i", partial(L, e) * partial(e, w1)),
                      2 / N * sum_over("i", error * x)), level=1)])])


def logistic_regression_gradient() -> Document:
    """Return the gradient of the mean cross-entropy of sigma(w^T x_i), which is the mean of (p_i - y_i) x_i."""
    L, B, w, x, y, p, z, loss = (name(text) for text in ("L", "B", "w", "x_i", "y_i", "p_i", "z_i", "L_i"))
    return Document([Part("The gradient of logistic regression", [
        Line("For one example: ", equation(z, name("w", (1, 1)).T @ name("x_i", (1, 1))), ", ",
             equation(p, call("sigmoid", z)), ", ",
             equation(loss, -y * call("log", p) - (1 - y) * call("log", 1 - p)), "; over the batch ",
             equation(L, 1 / B * sum_over("i", loss)), "."),
        Line("The loss by the probability: ", equation(partial(loss, p), -y / p + (1 - y) / (1 - p))),
        Line("On one denominator: ", equation(partial(loss, p), (-y * (1 - p) + (1 - y) * p) / (p * (1 - p)),
                                              (p - y) / (p * (1 - p))), level=1),
        Line("The logistic function: ", equation(partial(p, z), p * (1 - p))),
        Line("Their product cancels the denominator: ",
             equation(partial(loss, z), partial(loss, p) * partial(p, z), p - y)),
        Line("The inner product: ", equation(partial(z, w), x)),
        Line("So one example gives ", equation(partial(loss, w), (p - y) * x), ", and the batch the mean of these:"),
        Line(equation(partial(L, w), 1 / B * sum_over("i", (p - y) * x)), level=1)])])
