"""Networks on arrays: the sheet's MLP at one point, and the ticket network on a batch."""
from __future__ import annotations

from typing import Any

from exercises.pen_and_paper import mlp_regression, ticket_network
from grading.variants.seeds import Dice
from grading.variants.task import Numbers, Slip, Task
from lib.graph.draw.network import Column, draw_units


def draw_mlp(dice: Dice) -> Numbers:
    return {"x": [dice.half(-2, 2), dice.half(-2, 2)], "y": [dice.half(-2, 2)],
            "W1": [dice.quarters(2, -1.5, 1.5), dice.quarters(2, -1.5, 1.5)], "b1": dice.quarters(2, -1, 1),
            "W2": [[each] for each in dice.quarters(2, -2, 2)], "b2": [dice.quarter(-1, 1)]}


MLP_REGRESSION = Task(
    "mlp_regression", "The forward and backward quantities of an MLP",
    "The MLP computes z1 = W1ᵀx, z2 = z1 + b1, z3 = σ(z2), z4 = W2ᵀz3 and ŷ = z4 + b2 at one point x. Give the "
    "forward quantities and the derivatives of the loss l by all quantities. For a vector, x W1 is W1ᵀx; the last, "
    "lower index tells which entry is asked for.", mlp_regression, draw_mlp,
    ("z1[1]", "z1[2]", "z2[1]", "z3[1]", "z3[2]", "y_hat[1]", "l", "dl/dy_hat[1]", "dl/dy[1]", "dl/db2[1]",
     "dl/dW2[1,1]", "dl/dW2[2,1]", "dl/dz3[1]", "dl/dz3[2]", "dl/dz2[1]", "dl/dz2[2]", "dl/db1[2]", "dl/dW1[1,2]",
     "dl/dW1[2,1]",
     "dl/dx[1]", "dl/dx[2]"),
    (Slip("z1[1]", "W1 @ x", "transpose", "z1 = W1ᵀx: does one go along the rows or along the columns of W1?"),
     Slip("z1[2]", "W1 @ x", "transpose", "z1 = W1ᵀx: does one go along the rows or along the columns of W1?"),
     Slip("z3[1]", "relu(z2)", "function", "Which function is σ here?"),
     Slip("z3[1]", "tanh(z2)", "function", "Which function is σ here?"),
     Slip("y_hat[1]", "z3 @ W2", "formula", "Does the output have a bias?"),
     Slip("l", "it / 2", "factor", "Is there a factor in front of the square here?"),
     Slip("dl/dy_hat[1]", "-it", "sign", "If ŷ rises a little, does the loss rise or fall?"),
     Slip("dl/dy_hat[1]", "y_hat - y", "factor", "What is the derivative of a square?"),
     Slip("dl/dy[1]", "dl/dy_hat", "sign", "If y rises a little, does the loss rise or fall?"),
     Slip("dl/dW2[1,1]", "dl/dy_hat * z2[0]", "place", "What does W2 multiply: what arrives at a unit, or what it "
          "gives?"),
     Slip("dl/dW2[1,1]", "z3[0]", "upstream", "The chain rule has one more factor, from above."),
     Slip("dl/dz3[1]", "W2[0, 0]", "upstream", "The chain rule has one more factor, from above."),
     Slip("dl/dz2[1]", "dl/dz3", "local", "z3 = σ(z2): what is the derivative of σ?"),
     Slip("dl/dz2[1]", "dl/dz3 * z2 * (1 - z2)", "place", "In which number is the derivative of σ written: z2 or z3?"),
     Slip("dl/dz2[2]", "z3 * (1 - z3)", "upstream", "That is the slope alone. The chain rule has one more factor."),
     Slip("dl/dz2[2]", "dl/dz3", "local", "z3 = σ(z2): what is the derivative of σ?"),
     Slip("dl/dW1[1,2]", "x[1] * dl/dz2[0]", "transpose", "Which input does the entry in row 1 multiply, and to "
          "which unit does column 2 lead?"),
     Slip("dl/dW1[1,2]", "x[0] * dl/dz3[1]", "local", "Have you passed σ on the way back?"),
     Slip("dl/dW1[2,1]", "x[0] * dl/dz2[1]", "transpose", "Which input does the entry in row 2 multiply, and to "
          "which unit does column 1 lead?"),
     Slip("dl/dx[1]", "dl/dz2 @ W1", "transpose", "On the way back W1 stands the other way round: not W1ᵀ, but W1."),
     Slip("dl/dx[1]", "W1[0, 0] * dl/dz2[0]", "paths", "On how many paths does the first input reach the loss?"),
     Slip("dl/dx[2]", "dl/dz2 @ W1", "transpose", "On the way back W1 stands the other way round: not W1ᵀ, but W1.")),
    None, lambda: draw_units([
        Column(["x[1]", "x[2]"], "input"),
        Column(["z3[1]", "z3[2]"], "hidden units", ["z2 = W1ᵀ x + b1", "z3 = sigmoid(z2)"], None, "b1"),
        Column(["y_hat"], "output", ["y_hat = W2ᵀ z3 + b2"], [["W2[1,1]"], ["W2[2,1]"]], "b2")]),
    {"dl/dy[1]": ("-dl/dy_hat",),
     **{f"dl/dz2[{k}]": ("dl/dz3 * sigmoid(z2) * (1 - sigmoid(z2))",) for k in "12"}})


# ---------------------------------------------------------------------- the ticket network

def draw_ticket(dice: Dice) -> Numbers:
    rows = [[dice.whole(1, 3), dice.quarter(-2, 2), dice.below(2)] for _ in range(dice.one_of((4, 5)))]
    weights = [dice.quarters(4, -1.5, 1.5) for _ in range(3)]
    rows.sort(key=lambda row: -sum(x * w[0] for x, w in zip(row, weights)))  # unit 1 is most active in the first
    return {"x": [rows[0], rows[-1], *rows[1:-1]], "y": [[dice.half(-3, 3)] for _ in rows],
            "W1": weights, "b1": dice.quarters(4, -1, 1),
            "W2": [[each] for each in dice.quarters(4, -1.5, 1.5)], "b2": [dice.quarter(-1, 1)]}


def refuse_ticket(v: Any) -> str:
    active = v.z1 > 0
    if not active.any(axis=1).all():
        return "a dead network: in an example no unit is active"
    if not active[0, 0] or active[1, 0] or active[:, 0].sum() < 2:
        return "unit 1 isn't active in the first example and another, and idle in the second"
    return "" if len(set(v.x[:, 2])) > 1 else "a tie: all passengers have the same survival"


TICKET_NETWORK = Task(
    "ticket_network", "The ticket network: shapes, and one entry of each gradient",
    "A network of three inputs, four hidden ReLU units and one output works on a batch, a row for each example. Give "
    "the shapes, then the entries asked for: the last, lower index tells which row and "
    "column.", ticket_network, draw_ticket,
    ("rows of z1", "columns of z1", "rows of dL/dW1", "columns of dL/dW1", "rows of dL/dW2", "columns of dL/dW2",
     "z1[1,1]", "z1[2,1]", "h[2,1]", "y_hat[1,1]", "y_hat[2,1]", "dL/dy_hat[1,1]", "dL/dy_hat[2,1]", "dL/db2[1]",
     "dL/dW2[1,1]", "dL/dh[1,1]", "dL/dh[2,1]", "dL/dz1[1,1]", "dL/dz1[2,1]", "dL/db1[1]", "dL/dW1[1,1]"),
    (Slip("rows of z1", "3", "transpose", "What is a row of z1: an example, an input or a unit?"),
     Slip("columns of z1", "3", "formula", "What is left of the inner dimension of a matrix product?"),
     Slip("rows of dL/dW1", "4", "transpose", "A gradient has the shape of what it belongs to. Which shape has W1?"),
     Slip("columns of dL/dW1", "3", "transpose", "A gradient has the shape of what it belongs to. Which shape has W1?"),
     Slip("rows of dL/dW2", "1", "transpose", "A gradient has the shape of what it belongs to. Which shape has W2?"),
     Slip("columns of dL/dW2", "4", "transpose", "A gradient has the shape of what it belongs to. Which shape has W2?"),
     Slip("z1[1,1]", "x[0] @ W1[:, 0]", "formula", "Does the hidden layer have a bias?"),
     Slip("z1[2,1]", "x[1] @ W1[:, 0]", "formula", "Does the hidden layer have a bias?"),
     Slip("h[2,1]", "z1", "function", "Which numbers does ReLU let through?"),
     Slip("y_hat[1,1]", "z1 @ W2 + b2", "place", "What does a unit hand on: what arrives, or its activation?"),
     Slip("y_hat[2,1]", "h @ W2", "formula", "Does the output have a bias?"),
     Slip("dL/dy_hat[1,1]", "2 * (y_hat - y)", "mean", "Is the loss the sum over the batch, or its mean?"),
     Slip("dL/dy_hat[1,1]", "(y_hat - y) / sum(y_hat ** 0)", "factor", "What is the derivative of a square?"),
     Slip("dL/dy_hat[2,1]", "-it", "sign", "If the prediction rises a little, does the loss rise or fall?"),
     Slip("dL/db2[1]", "mean(dL/dy_hat)", "mean", "The bias takes part in each example: is its gradient a sum or a "
          "mean?"),
     Slip("dL/db2[1]", "dL/dy_hat[0, 0]", "paths", "The bias takes part in every example of the batch."),
     Slip("dL/dW2[1,1]", "h[0, 0] * dL/dy_hat[0, 0]", "paths", "The weight takes part in every example of the batch."),
     Slip("dL/dW2[1,1]", "z1.T @ dL/dy_hat", "place", "What does W2 multiply: what arrives at a unit, or its "
          "activation?"),
     Slip("dL/dh[1,1]", "W2[0, 0]", "upstream", "The chain rule has one more factor, from above."),
     Slip("dL/dz1[2,1]", "dL/dh", "local", "What is the slope of ReLU at z1[2,1]?"),
     Slip("dL/db1[1]", "mean(dL/dz1[:, 0])", "mean", "The bias takes part in each example: is its gradient a sum or "
          "a mean?"),
     Slip("dL/dW1[1,1]", "x.T @ dL/dh", "local", "Have you passed the ReLU on the way back?"),
     Slip("dL/dW1[1,1]", "x[0, 0]", "upstream", "The chain rule has one more factor, from above."),
     Slip("dL/dW1[1,1]", "x[0, 1] * dL/dz1[0, 0]", "transpose", "Which input does row 1 of W1 belong to?")),
    refuse_ticket, lambda: draw_units([
        Column(["class", "age", "survived"], "inputs", ["x, a row for each example"]),
        Column(["h1", "h2", "h3", "h4"], "hidden units", ["h = relu(x W1 + b1)"], None, "b1"),
        Column(["y_hat"], "price", ["y_hat = h W2 + b2"], None, "b2")]))
