"""One step of SGD, of momentum and of Adam."""
from __future__ import annotations

from typing import Any

from grading.variants.seeds import Dice
from grading.variants.task import Numbers, Slip, Task
from lib import graph
from lib.graph.draw import Drawing
from lib.graph.draw.network import Column, draw_units
from lib.graph.node import Node, constant, variable

LOSS = "The loss of a weight w at one example is L = (w x - y)², so g, its derivative by w, is 2 (w x - y) x. "


def _constants(numbers: Numbers) -> Any:
    return {name: (variable if name == "w" else constant)(value, name=name) for name, value in numbers.items()}


def _gradient(v: Any) -> Node:
    e = (v["w"] * v["x"] - v["y"]).named("e")
    return (2 * e * v["x"]).named("g")


def weight_scheme() -> Drawing:
    return draw_units([Column(["x"], "input"), Column(["w x"], "prediction", ["compared with y"], [["w"]])])


def _draw(dice: Dice) -> Numbers:
    return {"w": dice.quarter(-3, 3), "x": dice.half(-3, 3), "y": dice.half(-5, 5)}


GRADIENT_SLIPS = (
    Slip("e", "y - w * x", "sign", "In which order are prediction and target subtracted here?"),
    Slip("g", "2 * e", "input", "What does the weight multiply?"),
    Slip("g", "e * x", "factor", "What is the derivative of a square?"),
    Slip("g", "-it", "sign", "If the error is positive and x too, does the loss rise or fall with w?"),
    Slip("g", "e ** 2 * x", "local", "What is the derivative of a square?"))


def sgd_graph(**numbers: float) -> Node:
    """Return the weight after two steps of SGD."""
    v = _constants(numbers)
    w1 = (v["w"] - v["eta"] * _gradient(v)).named("w1")
    e1 = (w1 * v["x"] - v["y"]).named("e1")
    g1 = (2 * e1 * v["x"]).named("g1")
    return (w1 - v["eta"] * g1).named("w2")


SGD = Task(
    "sgd_step", "A step of SGD, and one more", LOSS + "Do two steps with the learning rate η: w1 after the first, w2 "
    "after the second.", sgd_graph, lambda dice: {**_draw(dice), "eta": dice.one_of((0.01, 0.02, 0.05, 0.1))},
    ("e", "g", "w1", "e1", "g1", "w2"),
    (*GRADIENT_SLIPS,
     Slip("w1", "w + eta * g", "direction", "That step goes uphill. In which direction does the loss fall?"),
     Slip("w1", "w - g", "rate", "How long is the step? Look at the learning rate."),
     Slip("w1", "-eta * g", "formula", "That is the step. What is it added to?"),
     Slip("e1", "e", "early", "The error has changed: the weight isn't the old one any more."),
     Slip("g1", "2 * e1", "input", "What does the weight multiply?"),
     Slip("g1", "g", "early", "The gradient has changed: the weight isn't the old one any more."),
     Slip("w2", "w - eta * g1", "state", "From where does the second step start?"),
     Slip("w2", "w1 + eta * g1", "direction", "That step goes uphill. In which direction does the loss fall?"),
     Slip("w2", "w1 - g1", "rate", "How long is the step? Look at the learning rate.")), None, weight_scheme)


def momentum_graph(**numbers: float) -> Node:
    """Return the weight after one step of SGD with momentum, v = mu v0 - eta g."""
    v = _constants(numbers)
    velocity = (v["mu"] * v["v0"] - v["eta"] * _gradient(v)).named("v")
    return (v["w"] + velocity).named("w1")


MOMENTUM = Task(
    "momentum_step", "A step of SGD with momentum", LOSS + "Momentum keeps a velocity v = μ v0 - η g, where v0 is "
    "that of the step before, and adds it to the weight.", momentum_graph,
    lambda dice: {**_draw(dice), "v0": dice.quarter(-2, 2), "mu": dice.one_of((0.5, 0.75, 0.8, 0.9)),
                  "eta": dice.one_of((0.01, 0.02, 0.05, 0.1))},
    ("e", "g", "v", "w1"),
    (*GRADIENT_SLIPS,
     Slip("v", "-eta * g", "state", "What is left of the velocity of the step before?"),
     Slip("v", "v0 - eta * g", "factor", "How much of the old velocity is kept?"),
     Slip("v", "mu * v0 + eta * g", "direction", "Does the gradient pull the weight up the hill, or down?"),
     Slip("v", "mu * v0 - g", "rate", "How much does the gradient count? Look at the learning rate."),
     Slip("v", "mu * v0 - (1 - mu) * eta * g", "formula", "That is an average; this velocity is a sum."),
     Slip("v", "eta * (mu * v0 - g)", "rate", "Does the learning rate stand before the old velocity, too?"),
     Slip("w1", "w - v", "sign", "The sign is in the velocity already."),
     Slip("w1", "w - eta * g", "state", "That is a step of plain SGD."),
     Slip("w1", "w + eta * v", "rate", "The learning rate is in the velocity already.")), None, weight_scheme)


def adam_graph(**numbers: float) -> Node:
    """Return the weight after step t of Adam, from the averages m0 and v0 of the step before."""
    v = _constants(numbers)
    g = _gradient(v)
    m = (v["beta1"] * v["m0"] + (1 - v["beta1"]) * g).named("m")
    s = (v["beta2"] * v["v0"] + (1 - v["beta2"]) * g ** 2).named("v")
    m_hat = (m / (1 - v["beta1"] ** v["t"]).named("c1")).named("m_hat")
    v_hat = (s / (1 - v["beta2"] ** v["t"]).named("c2")).named("v_hat")
    step = (v["eta"] * m_hat / graph.sqrt(v_hat)).named("step")
    return (v["w"] - step).named("w1")


ADAM = Task(
    "adam_step", "A step of Adam", LOSS + "Adam keeps m = β1 m0 + (1 - β1) g and v = β2 v0 + (1 - β2) g², corrects "
    "both for their start in step t, m̂ = m / c1 with c1 = 1 - β1ᵗ and v̂ = v / c2 with c2 = 1 - β2ᵗ, and goes a "
    "step of η m̂ / √v̂ (its tiny epsilon is left out).", adam_graph,
    lambda dice: {**_draw(dice), "m0": dice.quarter(-3, 3), "v0": dice.quarter(0.25, 6),
                  "beta1": dice.one_of((0.5, 0.75, 0.8, 0.9)), "beta2": dice.one_of((0.5, 0.8, 0.9)),
                  "t": float(dice.whole(2, 4)), "eta": dice.one_of((0.1, 0.25, 0.5, 1.0))},
    ("e", "g", "m", "v", "m_hat", "v_hat", "step", "w1"),
    (*GRADIENT_SLIPS,
     Slip("m", "beta1 * m0 + g", "factor", "By which factor does the new gradient count?"),
     Slip("m", "(1 - beta1) * m0 + beta1 * g", "formula", "Which of the two counts β1, the old average or the new "
          "gradient?"),
     Slip("m", "(1 - beta1) * g", "state", "What is left of the average of the step before?"),
     Slip("v", "beta2 * v0 + (1 - beta2) * g", "formula", "v averages the squares of the gradients."),
     Slip("v", "beta2 * v0 + g ** 2", "factor", "By which factor does the new square count?"),
     Slip("v", "(1 - beta2) * g ** 2", "state", "What is left of the average of the step before?"),
     Slip("m_hat", "m", "formula", "Where is the correction for the start?"),
     Slip("m_hat", "m / (1 - beta1)", "formula", "Which step is it? Look at the exponent in the correction."),
     Slip("m_hat", "m * (1 - beta1 ** t)", "formula", "Does the correction make the average larger or smaller?"),
     Slip("v_hat", "v", "formula", "Where is the correction for the start?"),
     Slip("v_hat", "v / (1 - beta2)", "formula", "Which step is it? Look at the exponent in the correction."),
     Slip("v_hat", "v / (1 - beta1 ** t)", "formula", "Which β belongs to v?"),
     Slip("step", "eta * m_hat / v_hat", "local", "What does one divide by: v̂, or its root?"),
     Slip("step", "eta * m / sqrt(v)", "state", "Which averages does the step take, the corrected ones?"),
     Slip("step", "eta * g / sqrt(v_hat)", "state", "Which number stands above: the gradient, or its average?"),
     Slip("w1", "w + step", "direction", "That step goes uphill. In which direction does the loss fall?"),
     Slip("w1", "w - eta * g", "state", "That is a step of plain SGD.")), None, weight_scheme,
    {"m_hat": ("m / (1 - beta1 ** t)",), "v_hat": ("v / (1 - beta2 ** t)",)})
