"""All LaTeX that explanations write is read by KaTeX and by MathJax, whatever the quantities are called.

These tests need Node.js and npm's `katex` and `mathjax-full` (npm install katex mathjax-full, then
NODE_PATH=.../node_modules); .ci/run has all of them.
"""
from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest

from lib import graph
from lib.graph import Operation, constant, variable
from lib.graph.explain import explain, jacobian
from lib.graph.node import apply
from lib.graph.notation import LATEX, Term
from lib.graph.notation.latex import name_latex
from exercises.pen_and_paper import (expression_b, linear_map_derivatives, mlp_regression, sigmoid_derivative,
                                     skip_network, ticket_network)

NAMES = ["x", "w0", "beta", "theta_0", "hidden_state", "w_hat", "a & b", "100 %", "x#1", "a^2", "{x}", "$y$", "a\\b",
         "x~", "f'", "x''", "net_h1", "W_in", "dL/dw", "x[0]", "<img>", "größe", "θ", "重み", "x_1_2", "_", "hat",
         "y_hat_hat", "lambda", "|x|", "a`b", "\"q\"", "x;y", "1e5", "-3", "two words", "Omega_max", "αβ", "Ω", "ά",
         "✨"]
READERS = {
    # a letter that its fonts lack is the browser's to draw
    "katex": """
const katex = require('katex');
const strict = code => ['unknownSymbol', 'symbolNotInFont'].includes(code) ? 'ignore' : 'error';
const read = formula => katex.renderToString(formula, {strict, throwOnError: true});
""",
    # without its package "noundefined", a command that it doesn't know is an error
    "mathjax-full": """
const path = 'mathjax-full/js/', {mathjax} = require(path + 'mathjax.js'), {TeX} = require(path + 'input/tex.js');
const {STATE} = require(path + 'core/MathItem.js');
require(path + 'input/tex/ams/AmsConfiguration.js');
const {RegisterHTMLHandler} = require(path + 'handlers/html.js');
RegisterHTMLHandler(require(path + 'adaptors/liteAdaptor.js').liteAdaptor());
const InputJax = new TeX({packages: ['base', 'ams'], formatError: (jax, error) => { throw error; }});
const page = mathjax.document('', {InputJax}), read = formula => page.convert(formula, {end: STATE.CONVERT});
"""}
SCRIPT = """
try { require.resolve('%s/package.json'); } catch (error) { console.log('none'); process.exit(0); }
%s
const formulas = JSON.parse(require('fs').readFileSync(0, 'utf8')), wrong = [];
for (const formula of formulas) {
    try { read(formula); } catch (error) { wrong.push(formula + '   ' + error.message); }
}
console.log(JSON.stringify(wrong));
"""


def run_node(reader, formulas):
    """Return what the script prints: the formulas that can't be read, or "none" without the reader."""
    script = SCRIPT % (reader, READERS[reader])
    result = subprocess.run([shutil.which("node"), "-e", script], input=json.dumps(sorted(set(formulas))),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, encoding="utf-8")
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.fixture(scope="module", params=READERS)
def not_read(request):
    """Return a function of formulas that returns those that can't be read; or skip, with what is lacking."""
    if shutil.which("node") is None:
        pytest.skip("KaTeX and MathJax run in Node.js, which isn't installed here")
    if run_node(request.param, []) == "none":
        pytest.skip(f"npm install {request.param}, then NODE_PATH=.../node_modules: it isn't installed here")
    return lambda formulas: json.loads(run_node(request.param, formulas))


def test_a_wrong_formula_is_noticed(not_read):
    assert len(not_read(["x^2", "x_1_2", r"\unknown x", r"\frac{1}{2"])) == 3


def formulas_of(document):
    """Yield every formula of an explanation, each line as a whole, and each part as one aligned formula."""
    for part in document.parts():
        yield part._repr_latex_().strip("$")
        for line in part.lines:
            yield line.latex
            yield from (LATEX.write(piece) for piece in line.pieces if isinstance(piece, Term))


def everything(loss):
    for detail in ("short", "every edge"):
        yield from formulas_of(explain(loss, learning_rate=0.1, detail=detail))
    yield explain(loss).formulas()._repr_latex_().strip("$")


@pytest.mark.slow
def test_every_name_in_every_operation(not_read):
    formulas = [name_latex(name) for name in NAMES]
    for cls in Operation.all():
        for operation, inputs in cls.examples(np.random.default_rng(0))[:2]:
            for k in range(0, len(NAMES), 4):
                nodes = [variable(x, name=NAMES[(k + i) % len(NAMES)]) for i, x in enumerate(inputs)]
                y = apply(operation, *nodes).named(NAMES[(k + 3) % len(NAMES)])
                loss = (y * y).sum().named("L")
                formulas += everything(loss) if k == 0 else formulas_of(explain(loss))
    assert not_read(formulas) == []


def test_the_tasks_of_the_sheets(not_read):
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=(3, 1)), rng.normal(size=1)
    formulas = []
    for loss in (skip_network(), expression_b(), mlp_regression([1.0, 2.0], [0.5], *weights),
                 ticket_network(rng.normal(size=(5, 2)), rng.normal(size=(5, 1)), *weights)):
        formulas += everything(loss)
    for document in (sigmoid_derivative(), linear_map_derivatives()):
        formulas += formulas_of(document)
    x = [variable(1.0, name="x_1"), variable(2.0, name="hidden_state")]
    formulas += formulas_of(jacobian([graph.exp(x[0]) * x[1], x[0] / x[1]], x))
    assert not_read(formulas) == []


def test_large_and_strange_numbers(not_read):
    x = variable(np.array([1e-12, 1e300, -2.5e-7]), name="x")
    y = (x * constant(np.array([np.inf, 2.0, 1e9]), name="c") + 1e-9).named("y")
    with np.errstate(all="ignore"):
        formulas = list(formulas_of(explain(graph.tanh(y).sum().named("L"), detail="every edge")))
    assert not_read(formulas) == []


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
