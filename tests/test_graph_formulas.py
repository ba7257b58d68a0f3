"""Every printed formula, evaluated as written, gives the printed number: over random graphs of numbers and batches."""
from __future__ import annotations

import ast
import re

import numpy as np
import pytest

from lib import graph
from lib.graph import Operation, constant, variable
from lib.graph.explain import explain
from lib.graph.explain.document import Part
from lib.graph.explain.short import ShortForm
from lib.graph.node import apply
from lib.graph.notation import TEXT, Term

SCALAR = (graph.exp, graph.log1p, graph.sqrt, graph.sin, graph.cos, graph.tanh, graph.sigmoid, graph.relu, graph.abs)


class Scope(dict):
    """What a printed formula may use: its quantities, NumPy's functions, and the operations' own where it has none."""

    def __missing__(self, function):
        if hasattr(np, function):
            return getattr(np, function)
        cls = next(each for each in Operation.all() if each.name == function)
        return lambda *inputs, **settings: cls(**settings).forward(*[np.asarray(x, float) for x in inputs])


class Arrays(ast.NodeTransformer):
    """Makes arrays of the lists in which numbers are printed."""

    def visit_List(self, node):
        return ast.Call(ast.Name("asarray", ast.Load()), [node], [])


class Printed:
    """The formulas of an explanation, and what the names in them stand for."""

    def __init__(self, explanation):
        derivation = explanation.derivation
        self.scope = Scope({TEXT.write(derivation.names.term(node)): node.value for node in derivation.order
                            if re.fullmatch(r"\w+", derivation.names.text[node])})
        self.partials = {}
        self.scope.update({term.parts[0]: derivation.gradients[node]
                           for node, term in ShortForm(derivation).deltas.items()})
        for node, value in derivation.gradients.items():
            self._add(derivation.names.derivative(node), value)
        self.count = 0

    def _add(self, text, value):
        name = f"_g{len(self.partials)}"
        self.partials[text] = name
        self.scope[name] = value

    def number(self, text):
        """Return what a formula gives; None where it contains local derivatives between arrays, which have no value."""
        for partial in sorted(self.partials, key=len, reverse=True):
            text = re.sub(re.escape(partial) + r"(?![\w|])", self.partials[partial], text)
        if re.search(r"\bd\w+/d\w+", text) or " if i == j" in text:
            return None
        self.count += 1
        tree = ast.fix_missing_locations(Arrays().visit(ast.parse(text, mode="eval")))
        with np.errstate(all="ignore"):
            return np.asarray(eval(compile(tree, text, "eval"), {"__builtins__": {}}, self.scope), float)

    def check(self, line, rtol=3e-5):
        """Assert that all members of the equations in a line are equal."""
        for piece in line.pieces:
            if isinstance(piece, Term) and piece.kind == "equation" and not re.search(r"\[[bij1]", TEXT.write(piece)):
                values = [(TEXT.whole(part), self.number(TEXT.whole(part))) for part in piece.parts
                          if "new " not in TEXT.write(part) and "path" not in TEXT.write(part)]
                values = [(text, value) for text, value in values if value is not None]
                last = values[-1][1] if values else None
                smallest = 1e-12 + 1e-5 * bool(np.ndim(last)) * np.max(np.abs(last), initial=0) if values else 0
                for text, value in values[:-1]:
                    np.testing.assert_allclose(value, last, rtol=rtol, atol=smallest, err_msg=line.text)
                    assert np.shape(value) == np.shape(last), line.text


def random_scalar_graph(rng):
    leaves = [variable(rng.uniform(-2, 2), name=f"w{k}") for k in range(3)] + [constant(rng.uniform(-2, 2), name="x"),
                                                                               constant(float(rng.integers(1, 4)))]
    nodes = list(leaves)
    for k in range(rng.integers(4, 12)):
        one, other = (nodes[i] for i in rng.integers(0, len(nodes), 2))
        kind = rng.integers(0, 8)
        new = (one + other, one - other, one * other, one / (abs(other) + 0.5), one ** 2, -one,
               graph.maximum(one, other), graph.log1p(one * one) if rng.random() < 0.5 else one ** 3)[kind]
        if rng.random() < 0.4:
            function = SCALAR[rng.integers(0, len(SCALAR))]
            new = function(abs(new) + 0.1 if function in (graph.log1p, graph.sqrt) else graph.tanh(new))
        if rng.random() < 0.3:
            new = new.named(f"z{k}")
        nodes.append(new)
    return (nodes[-1] + nodes[-2] * leaves[0]).named("L")


def random_batch_graph(rng):
    n, d, h = (int(size) for size in rng.integers(1, 4, 3))
    x = constant(rng.normal(size=(n, d)), name="x")
    y = x
    for k in range(rng.integers(1, 3)):
        W, b = variable(rng.normal(size=(y.shape[1], h)), name=f"W{k}"), variable(rng.normal(size=h), name=f"b{k}")
        y = y @ W + b
        y = (graph.relu, graph.tanh, graph.sigmoid, lambda a: -graph.tanh(a), lambda a: -abs(a), lambda a: a.T.T,
             lambda a: graph.softmax(a, axis=rng.integers(-1, 2)), lambda a: graph.log_softmax(a, axis=0),
             lambda a: a - a.mean(axis=0), lambda a: a / (a ** 2).sum(axis=1, keepdims=True),
             lambda a: a * a.max(axis=1).reshape(-1, 1), lambda a: graph.maximum(a, a.mean(axis=1, keepdims=True)),
             lambda a: (a.reshape(-1) * 2).reshape(a.shape), lambda a: graph.concatenate([a, a * a], axis=1)
             )[rng.integers(0, 14)](y)
    return ((y ** 2).mean(), y.sum(axis=0).max(), (y.mean(axis=1) ** 2).sum(), graph.exp(y / 4).max(axis=1).sum(),
            (y.T @ y).sum(), (y.sum(axis=1) @ y).mean(), graph.stack([y, y * 2]).mean(axis=(0, 2)).sum()
            )[rng.integers(0, 7)].named("L")


def check_all(loss, parts):
    by_hand = explain(loss, learning_rate=0.1)
    printed = Printed(by_hand)
    for part in parts(by_hand):
        for line in part.lines:
            printed.check(line)
    return printed.count


def everything(by_hand):
    yield from by_hand.parts()[:2]
    for node in by_hand.derivation.parameters():
        yield by_hand.of(node)
    yield by_hand.intermediates()
    yield by_hand.forward()
    yield by_hand.edges()
    yield by_hand.sums()
    yield by_hand.formulas()
    for node in by_hand.derivation.parameters():
        yield by_hand.paths(node)
    yield by_hand.matrices()
    yield Part("the new parameters", [line for line in by_hand.step(0.1).lines[1:] if not line.level])


SEEDS = list(range(15)) + [pytest.param(seed, marks=pytest.mark.slow) for seed in range(15, 200)]


@pytest.mark.parametrize("seed", SEEDS)
def test_formulas_of_numbers(seed):
    loss = random_scalar_graph(np.random.default_rng(seed))
    assert check_all(loss, everything) > 20


@pytest.mark.parametrize("seed", SEEDS)
def test_formulas_of_batches(seed):
    loss = random_batch_graph(np.random.default_rng(seed))
    assert check_all(loss, everything) > 10


@pytest.mark.parametrize("seed", range(20))
def test_one_formula_for_all(seed):
    """The whole graph, and its derivative, as one formula in the leaves."""
    loss = random_scalar_graph(np.random.default_rng(seed))
    by_hand = explain(loss)
    printed = Printed(by_hand)
    printed.check(by_hand.formula())
    for node in by_hand.derivation.parameters():
        try:
            printed.check(by_hand.derivative(node))
        except graph.node.InputError as error:
            assert "too long" in str(error)


def numbers_of(cls):
    """Return the examples of an operation on numbers alone: (operation, inputs)."""
    return [(operation, inputs) for operation, inputs in cls.examples(np.random.default_rng(0))
            if inputs and all(np.ndim(x) == 0 for x in inputs)]


@pytest.mark.parametrize("cls", [cls for cls in Operation.all() if numbers_of(cls)], ids=lambda cls: cls.__name__)
def test_formulas_of_each_operation(cls):
    """A new operation's derivative is what its formula says, where only its own example has it."""
    for operation, inputs in numbers_of(cls):
        out = apply(operation, *[variable(x, name=f"w{i}") for i, x in enumerate(inputs)])
        if out.ndim == 0:
            assert check_all((2 * out).named("L"), everything) > 0


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
