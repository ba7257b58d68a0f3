"""The notation: what each operation says of itself is what it computes, in every form in which it can be written."""
from __future__ import annotations

import numpy as np
import pytest

from lib.graph import Operation, variable
from lib.graph.explain import explain
from lib.graph.explain.derivation import Derivation
from lib.graph.explain.flows import flow
from lib.graph.node import apply
from lib.graph.notation import (LATEX, TEXT, Notation, array, call, choice, equation, name, number, ones, outer,
                                partial, words)
from lib.graph.notation.latex import name_latex, text_latex
from lib.graph.notation.simplify import plus, times

CASES = [pytest.param(operation, inputs, id=f"{type(operation).__name__}-{k}")
         for cls in Operation.all() for k, (operation, inputs) in enumerate(cls.examples(np.random.default_rng(3)))]
FORMS = [form for form in (TEXT, LATEX)] + [cls() for cls in Notation.__subclasses__()
                                            if cls not in (type(TEXT), type(LATEX))]


class Scope(dict):
    """What a printed formula may use: its quantities, NumPy's functions, and the operations' own where it has none."""

    def __missing__(self, function):
        if hasattr(np, function):
            return getattr(np, function)
        cls = next(each for each in Operation.all() if each.name == function)
        return lambda *inputs, **settings: cls(**settings).forward(*map(np.asarray, inputs))


def evaluated(term, values):
    """Return the number that a formula gives when it is run as it is printed."""
    return np.asarray(eval(TEXT.write(term), {"__builtins__": {}}, Scope(values)), float)


def named(operation, inputs):
    """Return the output node of an operation on named variables."""
    return apply(operation, *[variable(x, name="abcdef"[k]) for k, x in enumerate(inputs)]).named("y")


@pytest.mark.parametrize("operation, inputs", CASES)
def test_what_an_operation_says_evaluates_to_what_it_computes(operation, inputs):
    y = named(operation, inputs)
    values = {node.name: node.value for node in y.parents}
    formula = Derivation(y).names.formula(y)
    if "with" not in TEXT.write(formula):  # scatter is said in words
        np.testing.assert_allclose(evaluated(formula, values), y.value, rtol=1e-12)
        assert formula.shape in (None, y.shape)
    G = np.random.default_rng(5).uniform(0.5, 1.5, y.shape)
    y.backward(G)
    derivation = Derivation(y)
    for edge in derivation.edges:
        term = flow(derivation, edge, name("G", y.shape))
        if not {"with", "every", "each"} & set(TEXT.write(term).split()):  # said in words or by indices
            result = evaluated(term, dict(values, y=y.value, G=G))
            np.testing.assert_allclose(result, edge.parent.grad, rtol=1e-12, err_msg=TEXT.write(term))
            assert np.shape(result) == edge.parent.shape == term.shape


@pytest.mark.parametrize("operation, inputs", [case for case in CASES if case.values[0].elementwise])
def test_the_derivative_evaluates_to_what_backward_computes(operation, inputs):
    y = named(operation, inputs)
    names = [Derivation(y).names.term(node) for node in (y,) + y.parents]
    values = {node.name: node.value for node in (y,) + y.parents}
    for i in range(len(inputs)):
        expected = operation.backward(i, np.ones(y.shape), y.value, *[node.value for node in y.parents])
        result = evaluated(operation.derivative(i, *names), values) * np.ones(y.shape)
        np.testing.assert_allclose(result, expected * np.ones(y.shape), rtol=1e-12)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: type(form).__name__)
@pytest.mark.parametrize("operation, inputs", CASES)
def test_every_form_writes_every_operation(operation, inputs, form):
    y = named(operation, inputs)
    names = [Derivation(y).names.term(node) for node in (y,) + y.parents]
    assert operation.shape_rule and form.write(operation.formula(*names[1:]))
    for i in range(len(inputs)):
        assert form.write(operation.derivative(i, *names))
        assert form.write(operation.flow(i, name("G", y.shape), *names))
    assert form.write(Derivation(y).names.formula(y))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: type(form).__name__)
def test_every_form_writes_numbers_with_as_many_digits_as_asked(form):
    assert "0.12345679" in str(form.write(number(0.123456789, 8))).replace("\N{MIDDLE DOT}", "")
    assert "0.12345679" in str(form.write(array(np.array([0.123456789, 1.0]), 8)))


def test_brackets_stand_where_they_are_needed_and_nowhere_else():
    a, b, c = map(name, "abc")
    for term, text in [(a - (b - c), "a - (b - c)"), (a + (b + c), "a + (b + c)"), (a * (b + c), "a * (b + c)"),
                       (-call("tanh", a), "-tanh(a)"), (1 - (-call("tanh", a)) ** 2, "1 - (-tanh(a)) ** 2"),
                       (a / (b * c), "a / (b * c)"), (a / b / c, "a / b / c"), ((a / b) ** 2, "(a / b) ** 2"),
                       (a ** b ** c, "a ** (b ** c)"), (number(-3) * number(-2), "-3 * (-2)"),
                       (a - number(-1), "a - (-1)"), (a + number(-1) * b, "a + (-1 * b)"), (-(a + b), "-(a + b)"),
                       (-(a * b), "-a * b"), ((a @ b) * c, "(a @ b) * c"), (a @ (b * c), "a @ (b * c)"),
                       ((a + b).T @ c, "(a + b).T @ c"), (a * choice(b, ">", 0), "a * (1 if b > 0 else 0)"),
                       (a - -b, "a - (-b)"), (number(1e-7) ** 2, "1e-07 ** 2")]:
        assert TEXT.write(term) == text
        values = {"a": 1.7, "b": 0.6, "c": -1.3}
        if "@" not in text:
            reference = eval(text.replace("tanh", "np.tanh"), {"np": np}, values)
            assert evaluated(term, values) == pytest.approx(reference)


def test_latex_has_one_script_for_each_base():
    w = name("w1", (2, 3))
    assert LATEX.write(w.T @ name("g", (2, 4))) == r"{w_{1}}^{\top} \, g"
    assert LATEX.write(name("x") ** 2) == "x^{2}" and LATEX.write(name("x1") ** 2) == "{x_{1}}^{2}"
    assert LATEX.write(call("exp", name("x")) ** 2) == r"\left(e^{x}\right)^{2}"
    assert LATEX.write((name("a") / name("b")) ** 2) == r"\left(\frac{a}{b}\right)^{2}"
    assert LATEX.write(name("A", (2,)) * name("B", (2,))) == r"A \odot B"
    assert LATEX.write(2 * name("A", (2,))) == r"2 \cdot A"


@pytest.mark.parametrize("text, latex", [
    ("w0", "w_{0}"), ("y_hat", r"\hat{y}"), ("theta_0", r"\theta_{0}"), ("beta", r"\beta"), ("ws", "w_{s}"),
    ("hidden_state", r"\text{hidden}_{\text{state}}"), ("a & b", r"\text{a }\&\text{ b}"), ("f'", "f'"),
    ("_hat", r"\_\text{hat}"), ("1e-05", r"1 \cdot 10^{-5}"), ("W_in", r"W_{\text{in}}")])
def test_names_in_latex(text, latex):
    assert name_latex(text) == latex


def test_special_characters_are_written_by_commands():
    written = text_latex("100 % of #1 {x_1} ~ $^\\")
    assert written == (r"\text{100 }\%\text{ of }\#\text{1 }\{\text{x}\_\text{1}\}\text{ }{\sim}\text{ }\$"
                       r"{\wedge}\backslash ")


def test_products_lose_what_cancels():
    o, t, w = name("o"), name("t"), name("w")
    assert TEXT.write(times(0.5, 2, t - o, -1, o * (1 - o))) == "(o - t) * o * (1 - o)"
    assert TEXT.write(times(o, -t / o)) == "-t"
    assert TEXT.write(times(o / 5, 2 * w)) == "2/5 * o * w"
    assert TEXT.write(times(1 / (2 * o), w)) == "w / (2 * o)"
    assert TEXT.write(times(0, w)) == "0" and TEXT.write(times()) == "1"
    assert TEXT.write(plus(number(0), -w, o)) == "-w + o"
    assert TEXT.write(times(ones((2, 3)), name("X", (2, 3)))) == "X"
    assert TEXT.write(times(ones((2, 3)), name("x", (3,)))) == "ones((2, 3)) * x"


def test_lines_are_words_and_formulas():
    line = words("the part for ", name("x_hat"), " is ", equation(partial(name("L"), name("W2")), number(0.5)))
    assert TEXT.write(line) == "the part for x_hat is dL/dW2 = 0.5"
    assert LATEX.write(line).startswith(r"\text{the part for }\hat{x}\text{ is }\frac{\partial L}")
    x = variable(2.0, name="x")
    shown = explain((x * x).named("L")).sums().lines[-1].markdown()
    assert shown.startswith(r"$\frac{\partial L}{\partial x} = ")
    assert TEXT.write(outer(name("a", (2,)), name("b", (3,)))) == "outer(a, b)" and TEXT.write(array([1.0])) == "[1]"


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
