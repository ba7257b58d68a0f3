"""Networks of single units: skip connections, and two layers with sigmoid, tanh and ReLU."""
from __future__ import annotations

from typing import Any, Callable, List

from exercises.pen_and_paper import skip_network, skip_scheme
from grading.variants.seeds import Dice
from grading.variants.task import Numbers, Slip, Task
from lib import graph
from lib.graph.draw import Drawing
from lib.graph.draw.network import Column, Skip, draw_units
from lib.graph.node import Node, constant, variable

RATES = (0.1, 0.25, 0.5)


def step_slips(*weights: str) -> List[Slip]:
    """Return what goes wrong with a step of gradient descent."""
    found = []
    for weight in weights:
        found += [Slip(f"new {weight}", f"{weight} + lr * dL/d{weight}", "direction",
                       "That step goes uphill. In which direction does the loss fall?"),
                  Slip(f"new {weight}", f"{weight} - dL/d{weight}", "rate", "How long is the step? Look at the "
                       "learning rate.")]
    return found


# ---------------------------------------------------------------------- skip connections

def skip_connection_graph(x: float, y: float, w0: float, w1: float, w2: float, v1: float, v2: float,
                          ws: float) -> Node:
    """Return the sheet's network with a skip connection, with a second unit beside unit 1."""
    w = {name: variable(value, name=name) for name, value in
         {"w0": w0, "w1": w1, "w2": w2, "v1": v1, "v2": v2, "ws": ws}.items()}
    h0 = graph.relu((w["w0"] * constant(x, name="x")).named("z0")).named("h0")
    h1 = graph.relu((w["w1"] * h0).named("z1")).named("h1")
    h2 = graph.relu((w["w2"] * h0).named("z2")).named("h2")
    y_hat = (w["v1"] * h1 + w["v2"] * h2 + w["ws"] * h0).named("y_hat")
    return graph.abs(constant(y, name="y") - y_hat).named("L")


def skip_connection_scheme() -> Drawing:
    return draw_units([Column(["x"], "input"), Column(["0"], "unit 0", ["h0 = relu(w0 x)"], [["w0"]]),
                       Column(["1", "2"], "units 1, 2", ["h1 = relu(w1 h0)", "h2 = relu(w2 h0)"], [["w1", "w2"]]),
                       Column(["y_hat"], "output", ["v1 h1 + v2 h2 + ws h0"], [["v1"], ["v2"]])], [Skip(1, 3, "ws")])


def draw_skip_connection(dice: Dice) -> Numbers:
    sign = dice.one_of((1, -1))
    w0 = sign * dice.quarter(0.5, 2)
    return {"x": sign * dice.half(0.5, 3), "y": dice.half(-4, 4), "w0": w0, "w1": dice.quarter(0.25, 2),
            "w2": -dice.quarter(0.25, 2), "v1": dice.quarter(-2, 2), "v2": dice.quarter(-2, 2),
            "ws": dice.quarter(-2, 2), "lr": dice.one_of(RATES)}


SKIP_CONNECTION = Task(
    "skip_connection", "A network with a skip connection",
    "Do the forward pass and the backward pass by hand, then one step of gradient descent with the learning rate lr.",
    skip_connection_graph, draw_skip_connection,
    ("h0", "z1", "h1", "z2", "h2", "y_hat", "L", "dL/dy_hat", "dL/dv1", "dL/dv2", "dL/dws", "dL/dz1", "dL/dz2",
     "dL/dw1", "dL/dw2", "dL/dh0", "dL/dw0", "new w0", "new ws"),
    (Slip("h2", "z2", "function", "Which numbers does ReLU let through?"),
     Slip("y_hat", "v1 * h1 + v2 * h2", "paths", "Count the arrows that lead into the output: one skips a layer."),
     Slip("L", "(y - y_hat) ** 2", "function", "That is the squared error. Which loss is asked for?"),
     Slip("dL/dy_hat", "-it", "sign", "If y_hat rises a little, does the loss rise or fall?"),
     Slip("dL/dws", "dL/dy_hat * x", "input", "What does the weight of the skip connection multiply in the forward "
          "pass?"),
     Slip("dL/dv1", "dL/dy_hat * h0", "input", "What does v1 multiply in the forward pass?"),
     Slip("dL/dz1", "dL/dy_hat", "local", "What is the derivative of y_hat by h1?"),
     Slip("dL/dz2", "dL/dy_hat * v2", "local", "What is the slope of ReLU at z2?"),
     Slip("dL/dh0", "dL/dz1 * w1 + dL/dz2 * w2", "paths", "How many paths lead from h0 to the loss? One skips a "
          "layer."),
     Slip("dL/dh0", "dL/dy_hat * ws", "paths", "How many paths lead from h0 to the loss? You have followed only the "
          "shortest."),
     Slip("dL/dh0", "dL/dz1 * w1 * ws + dL/dz2 * w2 * ws", "formula", "Along a path one multiplies. What does one do "
          "with several paths?"),
     Slip("dL/dh0", "dL/dz1 * v1 + dL/dz2 * v2 + dL/dy_hat * ws", "place",
          "Which weight lies between h0 and z1?"),
     Slip("dL/dw0", "dL/dh0", "input", "What does w0 multiply in the forward pass?"),
     Slip("dL/dw0", "dL/dh0 * h0", "input", "w0 multiplies the input of its unit, not its output."),
     Slip("dL/dw1", "dL/dz1 * x", "input", "What does w1 multiply in the forward pass?"),
     *step_slips("w0", "ws"),
     Slip("dL/dw2", "dL/dz2 * x", "input", "What does w2 multiply in the forward pass?",
          "where unit 2 isn't active, this is 0 whatever it is multiplied by"),
     Slip("dL/dh0", "dL/dz1 * w1 * step(h1) + dL/dz2 * w2 * step(h2) + dL/dy_hat * ws", "place",
          "At which number does one take the derivative of ReLU?",
          "ReLU is active at its output where it is active at its input")),
    None, skip_connection_scheme)


def draw_skip_chain(dice: Dice) -> Numbers:
    sign = dice.one_of((1, -1))
    w0 = sign * dice.quarter(0.25, 2)
    return {"x": sign * dice.half(0.5, 3), "y": dice.half(-6, 6), "w0": w0, "w1": dice.quarter(0.25, 2),
            "w2": dice.quarter(-2, 2), "ws": dice.quarter(-2, 2), "lr": dice.one_of(RATES)}


SKIP_CHAIN = Task(
    "skip_chain", "Three units in a row with a skip connection",
    "Do the forward pass and the backward pass by hand, then one step of gradient descent with the learning rate lr.",
    skip_network, draw_skip_chain,
    ("h0", "h1", "y_hat", "L", "dL/dy_hat", "dL/dw2", "dL/dws", "dL/dh1", "dL/dw1", "dL/dh0", "dL/dw0", "new w0",
     "new w1", "new w2", "new ws", "new h0", "new h1", "new y_hat", "new L"),
    (Slip("y_hat", "w2 * h1", "paths", "Count the arrows that lead into the output: one skips a unit."),
     Slip("L", "(y - y_hat) ** 2", "function", "That is the squared error. Which loss is asked for?"),
     Slip("dL/dy_hat", "-it", "sign", "If y_hat rises a little, does the loss rise or fall?"),
     Slip("dL/dws", "dL/dy_hat * x", "input", "What does the weight of the skip connection multiply?"),
     Slip("dL/dw1", "dL/dh1 * x", "input", "What does w1 multiply in the forward pass?"),
     Slip("dL/dw1", "dL/dh1 * h1", "input", "w1 multiplies the input of its unit, not its output."),
     Slip("dL/dh0", "dL/dh1 * w1", "paths", "How many paths lead from h0 to the loss? One skips a unit."),
     Slip("dL/dh0", "dL/dy_hat * ws", "paths", "How many paths lead from h0 to the loss? You have followed the "
          "shortest."),
     Slip("dL/dh0", "dL/dh1 * w1 * ws", "formula", "Along a path one multiplies. What does one do with several paths?"),
     Slip("dL/dw0", "dL/dh0", "input", "What does w0 multiply in the forward pass?"),
     Slip("dL/dw0", "dL/dh0 * h0", "input", "w0 multiplies the input of its unit, not its output."),
     *step_slips("w0", "w1"),
     Slip("new y_hat", "new w2 * new h1", "paths", "Count the arrows that lead into the output: one skips a unit."),
     Slip("dL/dh0", "dL/dh1 * w1 * step(h1) + dL/dy_hat * ws", "place", "At which number is the derivative of ReLU "
          "taken?",
          "ReLU is active at its output where it is active at its input"),
     Slip("dL/dw1", "dL/dh1 * h0", "local", "What is the slope of ReLU at z1?",
          "both units are active, as else the path would be cut that the task is about")),
    lambda v: "" if v.z0 > 0 and v.z1 > 0 else "a path is cut: a unit isn't active", lambda: skip_scheme(()))


# ---------------------------------------------------------------------- two layers of two units

def two_layers(activation: str) -> Callable[..., Node]:
    """Return the graph of a 2-2-2 network with squared error."""
    def network(**numbers: float) -> Node:
        v = {name: constant(value, name=name) if name[0] in "xt" else variable(value, name=name)
             for name, value in numbers.items()}
        h: List[Any] = []
        for j in "12":
            z = (v[f"w1{j}"] * v["x1"] + v[f"w2{j}"] * v["x2"] + v[f"b{j}"]).named(f"z{j}")
            h.append(getattr(graph, activation)(z).named(f"h{j}"))
        y = [(v[f"u1{k}"] * h[0] + v[f"u2{k}"] * h[1] + v[f"c{k}"]).named(f"y{k}") for k in "12"]
        return ((y[0] - v["t1"]) ** 2 + (y[1] - v["t2"]) ** 2).named("L")
    return network


def two_layers_scheme(activation: str) -> Callable[[], Drawing]:
    return lambda: draw_units([
        Column(["x1", "x2"], "inputs"),
        Column(["1", "2"], "hidden units", ["zj = w1j x1 + w2j x2 + bj", f"hj = {activation}(zj)"],
               [["w11", "w12"], ["w21", "w22"]]),
        Column(["y1", "y2"], "outputs", ["yk = u1k h1 + u2k h2 + ck"], [["u11", "u12"], ["u21", "u22"]])])


def draw_two_layers(dice: Dice) -> Numbers:
    x = dice.quarters(2, -2, 2)
    weights = dice.quarters(4, -2, 2)
    outer = dice.quarters(4, -2, 2)
    return {"x1": x[0], "x2": x[1], **dict(zip(("w11", "w12", "w21", "w22"), weights)), "b1": dice.quarter(-1, 1),
            "b2": dice.quarter(-1, 1), **dict(zip(("u11", "u12", "u21", "u22"), outer)), "c1": dice.quarter(-1, 1),
            "c2": dice.quarter(-1, 1), "t1": dice.half(-2, 2), "t2": dice.half(-2, 2), "lr": dice.one_of(RATES)}


def two_layers_task(activation: str, wrong: List[Slip], refuse: Callable[[Any], str], slope: str) -> Task:
    """Return the task on a 2-2-2 network with the slips that its activation has, and its slope from z or h."""
    active = activation == "relu"
    dead = "where unit 1 isn't active, this is 0 whatever it is multiplied by"
    return Task(
        f"network_{activation}", f"A 2-2-2 network with {activation if not active else 'ReLU'} and squared error",
        "Do the forward pass and the backward pass by hand, then one step of gradient descent with the learning rate "
        "lr on two of the weights.", two_layers(activation), draw_two_layers,
        ("z1", "z2", "h1", "h2", "y1", "y2", "L", "dL/dy1", "dL/dy2", "dL/du11", "dL/du21", "dL/dc1", "dL/dh1",
         "dL/dz1", "dL/dh2", "dL/dz2", "dL/dw11", "dL/dw22", "dL/db2", "new u21", "new w22"),
        (Slip("z1", "w11 * x1 + w12 * x2 + b1", "transpose", "Which weights lead into unit 1? Read the indices once "
              "more."),
         Slip("z2", "w12 * x1 + w22 * x2", "formula", "Does the unit have a bias?"),
         Slip("y1", "u11 * h1 + u12 * h2 + c1", "transpose", "Which weights lead into output 1? Read the indices "
              "again."),
         Slip("y2", "u12 * z1 + u22 * z2 + c2", "place", "What does a unit hand on: what arrives, or its activation?"),
         Slip("L", "it / 2", "factor", "Is there a factor in front of the squares here?"),
         Slip("L", "abs(y1 - t1) + abs(y2 - t2)", "function", "Is it the squared or the absolute error?"),
         Slip("dL/dy1", "y1 - t1", "factor", "What is the derivative of a square?"),
         Slip("dL/dy1", "-it", "sign", "If y1 rises a little, does the loss rise or fall?"),
         Slip("dL/dy2", "y2 - t2", "factor", "What is the derivative of a square?"),
         Slip("dL/dy2", "-it", "sign", "If y2 rises a little, does the loss rise or fall?"),
         Slip("dL/du11", "dL/dy1 * z1", "place", "What does u11 multiply in the forward pass?"),
         Slip("dL/du21", "h2", "upstream", "The chain rule has one more factor, from above."),
         Slip("dL/du21", "dL/dy2 * h2", "transpose", "To which output does u21 lead?"),
         Slip("dL/du21", "dL/dy1 * z2", "place", "What does u21 multiply in the forward pass?",
              "where unit 2 is active, h2 = z2" if active else ""),
         Slip("dL/dh1", "dL/dy1 * u11 + dL/dy2 * u21", "transpose", "Which weights lead away from unit 1? The way "
              "back uses rows where the way forward uses columns."),
         Slip("dL/dh1", "dL/dy1 * u11", "paths", "On how many paths does h1 reach the loss?"),
         Slip("dL/dh2", "dL/dy1 * u12 + dL/dy2 * u22", "transpose", "Which weights lead away from unit 2?"),
         Slip("dL/dh2", "dL/dy2 * u22", "paths", "On how many paths does h2 reach the loss?"),
         Slip("dL/dh2", "dL/dy1 * new u21 + dL/dy2 * u22", "early", "The backward pass takes the weights of the "
              "forward pass: update them only afterwards."),
         *wrong,
         Slip("dL/dw11", "dL/dz1 * x2", "input", "Which input does w11 multiply?", dead if active else ""),
         Slip("dL/dw22", "dL/dz2 * h2", "input", "w22 multiplies an input of the unit, not its output."),
         *step_slips("u21", "w22")),
        refuse, two_layers_scheme(activation), {f"dL/dz{k}": (f"dL/dh{k} * {slope.format(k=k)}",) for k in "12"})


def smooth_slips(local: str, at_argument: str, name: str) -> List[Slip]:
    """Return the slips in an activation's derivative, for both units; {k} is the unit."""
    return [slip for k in "12" for slip in (
        Slip(f"dL/dz{k}", f"dL/dh{k}", "local", f"h{k} = {name}(z{k}): what is its derivative?"),
        Slip(f"dL/dz{k}", local.format(k=k), "upstream", "That is the slope alone. The chain rule has one more "
             "factor."),
        Slip(f"dL/dz{k}", f"dL/dh{k} * ({at_argument.format(k=k)})", "place",
             f"In which number is the derivative of {name} written: in z{k} or in h{k}?"))]


def different(v: Any) -> str:
    """Refuse hidden units that can't be told apart."""
    return "a tie: both hidden units give the same" if abs(v.h1 - v.h2) < 0.05 else ""


NETWORK_SIGMOID = two_layers_task("sigmoid", smooth_slips("h{k} * (1 - h{k})", "z{k} * (1 - z{k})", "sigmoid"),
                                  different, "sigmoid(z{k}) * (1 - sigmoid(z{k}))")
NETWORK_TANH = two_layers_task("tanh", smooth_slips("1 - h{k} ** 2", "1 - z{k} ** 2", "tanh"), different,
                               "(1 - tanh(z{k}) ** 2)")
NETWORK_RELU = two_layers_task("relu", [
    Slip("h1", "z1", "function", "Which numbers does ReLU let through?"),
    Slip("dL/dz1", "dL/dh1", "local", "What is the slope of ReLU at z1?"),
    Slip("dL/dz2", "0", "local", "Is unit 2 active? What is the slope of ReLU there?"),
    Slip("dL/dz2", "dL/dh2 * step(h2)", "place", "At which number is the derivative of ReLU taken?",
         "ReLU is active at its output where it is active at its input")],
    lambda v: "" if v.z1 < 0 < v.z2 else "not unit 2 active and unit 1 not", "step(h{k})")
