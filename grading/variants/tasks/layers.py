"""Layers: a 3x3 convolution with a 2x2 kernel, and BatchNorm on three numbers."""
from __future__ import annotations

from grading.variants.seeds import Dice
from grading.variants.task import Numbers, Slip, Task
from grading.variants.tasks.expressions import sum_of
from lib import graph
from lib.graph.draw import Drawing
from lib.graph.draw.network import Column, draw_units
from lib.graph.draw.scene import Box, Scene, Text
from lib.graph.node import Node, constant, variable


def convolution_graph(**numbers: float) -> Node:
    """Return L = sum of g_ij y_ij, where y is the 3x3 image x under the 2x2 kernel k with the bias b."""
    v = {name: constant(value, name=name) if name[0] == "g" else variable(value, name=name)
         for name, value in numbers.items()}
    y = {}
    for i in (1, 2):
        for j in (1, 2):
            products = [v[f"k{a}{c}"] * v[f"x{i + a - 1}{j + c - 1}"] for a in (1, 2) for c in (1, 2)]
            y[i, j] = (sum_of(products) + v["b"]).named(f"y{i}{j}")
    return sum_of([v[f"g{i}{j}"] * y[i, j] for i in (1, 2) for j in (1, 2)]).named("L")


def draw_convolution(dice: Dice) -> Numbers:
    x = {f"x{i}{j}": dice.half(-3, 3) for i in (1, 2, 3) for j in (1, 2, 3)}
    k = dict(zip(("k11", "k12", "k21", "k22"), dice.quarters(4, -2, 2)))
    g = dict(zip(("g11", "g12", "g21", "g22"), dice.quarters(4, -2, 2)))
    return {**x, **k, "b": dice.half(-2, 2), **g}


def convolution_scheme() -> Drawing:
    """Return a drawing of the image, the kernel on its first place, and the output."""
    scene = Scene(470.0, 190.0, "A 2x2 kernel on a 3x3 image")
    for letter, size, left, title, kind in (("x", 3, 50.0, "image", "constant"), ("k", 2, 230.0, "kernel", "variable"),
                                            ("y", 2, 370.0, "output", "operation")):
        scene.texts.append(Text(left + (size - 1) * 21, 16, title, "title"))
        for i in range(size):
            for j in range(size):
                name = f"{letter}{i + 1}{j + 1}"
                marked = letter == "x" and i < 2 and j < 2
                scene.boxes.append(Box(left + 42 * j, 54 + 42 * i, 40, 40, "variable" if marked else kind,
                                       ((name, "name"),), name))
    scene.texts += [Text(92, 180, "green: the first window", "legend"), Text(391, 180, "y11 of the first "
                                                                             "window", "legend")]
    return Drawing(scene, "")


FLIPPED = "A network's convolution doesn't turn the kernel round: which weight meets the upper left pixel?"
CONVOLUTION = Task(
    "convolution", "A 3x3 image under a 2x2 kernel", "The 2x2 kernel k slides over the 3x3 image x with stride 1 and "
    "without padding, as networks do it: without turning the kernel round. Each window gives one entry of y, with "
    "the bias b added. The loss L sums gᵢⱼ yᵢⱼ, so that ∂L/∂yᵢⱼ = gᵢⱼ. Give y, L and the derivatives asked for.",
    convolution_graph, draw_convolution,
    ("y11", "y12", "y21", "y22", "L", "dL/dk11", "dL/dk12", "dL/dk22", "dL/db", "dL/dx11", "dL/dx12", "dL/dx22",
     "dL/dx33"),
    (Slip("y11", "k22 * x11 + k21 * x12 + k12 * x21 + k11 * x22 + b", "transpose", FLIPPED),
     Slip("y11", "k11 * x11 + k12 * x12 + k21 * x21 + k22 * x22", "formula", "Does the convolution have a bias?"),
     Slip("y12", "k11 * x21 + k12 * x22 + k21 * x31 + k22 * x32 + b", "transpose",
          "Is the second index the row or the column?"),
     Slip("y22", "k11 * x11 + k12 * x12 + k21 * x21 + k22 * x22 + b", "formula", "Where does the window stand for "
          "this entry?"),
     Slip("y22", "k11 * x22 + k21 * x23 + k12 * x32 + k22 * x33 + b", "transpose",
          "The kernel isn't transposed: which weight meets which pixel?"),
     Slip("L", "y11 + y12 + y21 + y22", "upstream", "Each entry has its own factor g in the loss."),
     Slip("L", "it / 4", "mean", "Is the loss a sum or a mean?"),
     Slip("dL/dk11", "g11 * x11", "paths", "The weight is used at each place of the window."),
     Slip("dL/dk11", "x11 + x12 + x21 + x22", "upstream", "Each entry of y has its own derivative g."),
     Slip("dL/dk11", "it / 4", "mean", "Is the weight's gradient a sum or a mean over the places of the window?"),
     Slip("dL/dk12", "g11 * x21 + g12 * x22 + g21 * x31 + g22 * x32", "transpose",
          "Is the second index the row or the column?"),
     Slip("dL/dk12", "g11 * x12", "paths", "The weight is used at each place of the window."),
     Slip("dL/dk22", "g11 * x11 + g12 * x12 + g21 * x21 + g22 * x22", "formula", "Which pixels does this weight meet?"),
     Slip("dL/dk22", "g22 * x22 + g11 * x33 + g12 * x32 + g21 * x23", "transpose", FLIPPED),
     Slip("dL/db", "it / 4", "mean", "The bias is added at each place of the window: is its gradient a sum or a mean?"),
     Slip("dL/db", "g11", "paths", "The bias is added at each place of the window."),
     Slip("dL/dx11", "g11", "local", "Which weight meets this pixel?"),
     Slip("dL/dx11", "g11 * k22", "transpose", "Which weight meets the pixel in the corner, in the forward pass?"),
     Slip("dL/dx12", "g11 * k12", "paths", "Over how many windows does this pixel reach the loss?"),
     Slip("dL/dx12", "g11 * k11 + g12 * k12", "transpose", "Which weight does the pixel meet in which window?"),
     Slip("dL/dx22", "g11 * k11 + g12 * k12 + g21 * k21 + g22 * k22", "transpose",
          "Going back, the kernel stands the other way round: which weight does the pixel meet in which window?"),
     Slip("dL/dx22", "g22 * k11", "paths", "Over how many windows does the pixel in the middle reach the loss?"),
     Slip("dL/dx33", "g22 * k11", "transpose", "Which weight meets the pixel in the last corner, in the forward "
          "pass?")),
    lambda v: "a tie: two pixels in a corner are equal" if v.x11 == v.x22 or v.x12 == v.x21 else "", convolution_scheme)


def batch_norm_graph(**numbers: float) -> Node:
    """Return L = sum of g_i y_i for three numbers that are normalised, scaled by gamma and shifted by beta."""
    v = {name: constant(value, name=name) if name[0] == "g" and name != "gamma" else variable(value, name=name)
         for name, value in numbers.items()}
    mu = (sum_of([v[f"x{i}"] for i in "123"]) / 3).named("mu")
    centred = [(v[f"x{i}"] - mu).named(f"d{i}") for i in "123"]
    variance = (sum_of([d ** 2 for d in centred]) / 3).named("var")
    s = graph.sqrt(variance).named("s")
    n = [(d / s).named(f"n{i}") for i, d in zip("123", centred)]
    y = [(v["gamma"] * each + v["beta"]).named(f"y{i}") for i, each in zip("123", n)]
    return sum_of([v[f"g{i}"] * each for i, each in zip("123", y)]).named("L")


def draw_batch_norm(dice: Dice) -> Numbers:
    x, g = sorted(dice.quarters(3, -2, 4)), dice.quarters(3, -4, 4)
    return {**{f"x{i}": value for i, value in zip("123", x)}, "gamma": dice.one_of((0.25, 0.5, 1.5, 2.0, 2.5, 3.0)),
            "beta": dice.quarter(-1, 1), **{f"g{i}": value for i, value in zip("123", g)}}


BATCH_NORM = Task(
    "batch_norm", "BatchNorm on three numbers", "A batch of three numbers is normalised: their mean μ, dᵢ = xᵢ - μ, "
    "the variance (the mean of the dᵢ², without an epsilon), s its root, nᵢ = dᵢ / s, then yᵢ = γ nᵢ + β. The loss L "
    "sums gᵢ yᵢ, so that ∂L/∂yᵢ = gᵢ. Give the derivatives by all that comes "
    "before.", batch_norm_graph, draw_batch_norm,
    ("mu", "var", "s", "n1", "n2", "n3", "y1", "y2", "dL/dgamma", "dL/dbeta", "dL/dn1", "dL/dn2", "dL/dn3", "dL/ds",
     "dL/dvar", "dL/dd1", "dL/dmu", "dL/dx1"),
    (Slip("mu", "x1 + x2 + x3", "mean", "Is it the sum or the mean of the three?"),
     Slip("var", "it * 3 / 2", "formula", "BatchNorm divides by the number of examples: which number have you taken?"),
     Slip("var", "it * 3", "mean", "Is the variance a sum or a mean?"),
     Slip("var", "(x1 ** 2 + x2 ** 2 + x3 ** 2) / 3", "formula", "Are the numbers centred before they are squared?"),
     Slip("n1", "(x1 - mu) / var", "formula", "What does one divide by: the variance, or its root?"),
     Slip("n2", "x2 / s", "formula", "Is the mean subtracted?"),
     Slip("y1", "n1", "formula", "After it comes a scale and a shift."),
     Slip("y2", "gamma * n2", "formula", "After the scale comes a shift."),
     Slip("dL/dgamma", "g1 + g2 + g3", "input", "What does γ multiply?"),
     Slip("dL/dgamma", "g1 * y1 + g2 * y2 + (gamma * n3 + beta) * g3", "place", "γ multiplies nᵢ, not yᵢ."),
     Slip("dL/dgamma", "it / 3", "mean", "γ takes part in each number: is its gradient a sum or a mean?"),
     Slip("dL/dbeta", "it / 3", "mean", "β takes part in each number: is its gradient a sum or a mean?"),
     Slip("dL/dbeta", "gamma * (g1 + g2 + g3)", "formula", "Does β pass γ on its way?"),
     Slip("dL/dn1", "g1", "local", "What does nᵢ pass on its way to yᵢ?"),
     Slip("dL/dn2", "g2 * n2", "input", "y2 = γ n2 + β: what is its derivative by n2?"),
     Slip("dL/ds", "-it", "sign", "If s grows, do the nᵢ grow?"),
     Slip("dL/ds", "it * s", "local", "What is the derivative of 1/s by s?"),
     Slip("dL/dvar", "dL/ds * s / 2", "local", "What is the derivative of a square root?"),
     Slip("dL/dvar", "dL/ds / s", "factor", "What is the derivative of a square root?"),
     Slip("dL/dd1", "dL/dn1 / s", "constant", "s isn't a constant: it depends on d1 as well."),
     Slip("dL/dd1", "dL/dn1 / s + dL/dvar * 2 * (x1 - mu)", "mean", "The variance is a mean: what is its derivative "
          "by d1?"),
     Slip("dL/dx1", "dL/dd1", "constant", "The mean isn't a constant: it depends on x1 as well."),
     Slip("dL/dx1", "dL/dd1 + dL/dmu", "mean", "The mean depends on x1 by how much?"),
     Slip("dL/dx1", "dL/dn1 / s", "constant", "The mean and the variance depend on x1 as well.")), None,
    lambda: draw_units([Column(["x1", "x2", "x3"], "batch"),
                        Column(["n1", "n2", "n3"], "normalised", ["by the mean and s of all three"]),
                        Column(["y1", "y2", "y3"], "scaled and shifted", ["y = gamma n + beta"])]),
    {"dL/ds": ("-(dL/dn1 * n1 + dL/dn2 * n2 + dL/dn3 * n3) / s",), "dL/dmu": ("-(dL/dn1 + dL/dn2 + dL/dn3) / s",),
     "dL/dx1": ("gamma / (3 * s) * (3 * g1 - dL/dbeta - n1 * dL/dgamma)",)})
