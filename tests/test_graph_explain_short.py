"""The short form: a page at most, in the names of textbooks, with known solutions; each a problem that tutors set."""
from __future__ import annotations

import re

import numpy as np
import pytest

from lib.activations import ReLU, Softmax
from lib.convolutions import Conv2d
from lib.graph import constant, expanded, log, log_softmax, maximum, relu, sigmoid, softmax, sqrt, tanh, variable
from lib.graph.explain import explain
from lib.graph.explain.derivation import derivation_of
from lib.graph.explain.short import ShortForm
from lib.graph.notation import name
from lib.graph.operations.convolution import Convolution
from exercises.pen_and_paper import expression_a, expression_b, expression_c, skip_network
from lib.layers.attention import MultiHeadSelfAttention, SelfAttention
from lib.layers.losses import BinaryCrossEntropyLoss
from lib.layers.normalization import BatchNorm1d, BatchNorm2d, LayerNorm
from lib.layers.pooling import AvgPool2d, MaxPool2d
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential
from lib.validation import InputError

PAGE = 60  # lines


def two_by_two(naming):
    """Return the loss of the well-known network of 2-2-2 sigmoid units, with all, some or no computed nodes named."""
    numbers = dict(w1=.15, w2=.20, w3=.25, w4=.30, w5=.40, w6=.45, w7=.50, w8=.55, b1=.35, b2=.60)
    v = {name: variable(value, name=name) for name, value in numbers.items()}
    v.update({name: constant(value, name=name) for name, value in dict(i1=.05, i2=.10, t1=.01, t2=.99).items()})

    def unit(name, a, x, b, y, c):
        net = v[a] * x + v[b] * y + v[c]
        out = sigmoid(net.named(f"net_{name}") if naming == "all" else net)
        return out if naming == "none" else out.named(name)

    h1, h2 = unit("h1", "w1", v["i1"], "w2", v["i2"], "b1"), unit("h2", "w3", v["i1"], "w4", v["i2"], "b1")
    o1, o2 = unit("o1", "w5", h1, "w6", h2, "b2"), unit("o2", "w7", h1, "w8", h2, "b2")
    errors = [0.5 * (v["t1"] - o1) ** 2, 0.5 * (v["t2"] - o2) ** 2]
    if naming == "all":
        errors = [error.named(f"E{k + 1}") for k, error in enumerate(errors)]
    return (errors[0] + errors[1]).named("E")


def lines(explanation):
    return [line.text for part in explanation.parts() for line in part.lines]


@pytest.mark.parametrize("naming", ["all", "units", "none"])
def test_the_well_known_network_takes_about_thirty_lines(naming):
    said = str(explain(two_by_two(naming)))
    assert len(said.splitlines()) <= 33
    for number in ("0.59327", "0.596884", "0.751365", "0.772928", "0.298371", "0.138499", "0.082167", "0.0826676",
                   "-0.0226025", "-0.0227402", "0.000438568", "0.000877135", "0.000497713", "0.000995425"):
        assert number in said
    assert len(str(explain(two_by_two(naming), detail="every edge")).splitlines()) > 200


def test_unnamed_nodes_are_folded_into_named_ones():
    said = lines(explain(two_by_two("units")))
    assert ("delta_o1 = (o1 - t1) * o1 * (1 - o1) = (0.751365 - 0.01) * 0.751365 * (1 - 0.751365) = 0.138499") in said
    assert "delta_h1 = (delta_o1 * w5 + delta_o2 * w7) * h1 * (1 - h1)" in said
    assert "dE/dw5 = delta_o1 * h1 = 0.138499 * 0.59327 = 0.082167" in said
    assert "h1 = sigmoid(w1 * i1 + w2 * i2 + b1) = sigmoid(0.15 * 0.05 + 0.2 * 0.1 + 0.35) = 0.59327" in said


def test_named_nodes_keep_their_lines():
    said = lines(explain(two_by_two("all")))
    assert "dE/do1 = o1 - t1 = 0.751365 - 0.01 = 0.741365" in said
    assert "dE/dnet_o1 = dE/do1 * o1 * (1 - o1) = 0.741365 * 0.751365 * (1 - 0.751365) = 0.138499" in said
    assert not any(line.startswith("dE/dE") for line in said)  # factors of 1 vanish


@pytest.mark.parametrize("f, said", [
    (lambda a: (np.pad(a, 1) ** 2).sum(), "dL/da = dL/dt1[1:4] ="),
    (lambda a: (np.flip(a) * [1.0, 2.0, 4.0]).sum(), "L = sum(a[[2, 1, 0]] * c1) ="),
    (lambda a: (np.diag(a) ** 2).sum(), "dL/da = dL/dt1[[0, 1, 2], [0, 1, 2]] ="),
    (lambda a: np.where(a > 1, a ** 2, a).sum(), "dL/da = 2 * where([0, 1, 1], 1, 0) * a + where([0, 1, 1], 0, 1)"),
    (lambda a: np.trace(a.reshape(3, 1) @ a.reshape(1, 3)), "L = trace(a.reshape(3, 1) @ a.reshape(1, 3)) = 14"),
    (lambda a: np.trace(np.outer(a, a)), "dL/da = "),
    (np.prod, "dL/da = the product of the entries that an entry of a is multiplied with "),
    (lambda a: a[0].T * 2, "L = a[0] * 2 ="), (lambda a: a.reshape(3, 1).T.sum() * 2, "dL/da = 2 * ones((3,)) ="),
    (lambda a: np.minimum(a[1], 3).reshape(1, 1).sum() * 2, "dL/dt1 = 2 * (1 if t1 <= 3 else 0) = "),
    (lambda a: (a[:1] * 3).reshape(()) * 2, "L = (a[:1] * 3).reshape(()) * 2 ="),
    (lambda a: (a @ a).reshape(1, 1).sum() * 2, "dL/da = 4 * a = [4, 8, 12]"),
])
def test_what_only_moves_entries_is_read_as_it_is_written_in_python(f, said):
    text = str(explain(f(variable([1.0, 2.0, 3.0], name="a")).named("L")))
    assert any(line.strip().startswith(said) for line in text.splitlines()), text


def test_a_single_number_that_is_only_moved_has_the_derivative_1():
    x = variable(2.0, name="x")
    by_hand = explain((np.squeeze(x) ** 2).named("L"))
    assert "dL/dt1 * dt1/dx = 2 * t1 = 4 * 1 = 4" in str(by_hand.paths("x"))


def test_a_choice_between_single_numbers_is_explained():
    x = variable(-2.0, name="x")
    text = str(explain(np.where(x > 0, x, x ** 3).named("L"), learning_rate=1))
    assert "L = where(0, x, x ** 3) = where(0, -2, (-2) ** 3) = -8" in text
    assert "dL/dx = 3 * where(0, 0, 1) * x ** 2 + where(0, 1, 0) = 3 * where(0, 0, 1) * (-2) ** 2 + where" in text
    assert "the choices of where are those of before" in text
    assert "choices" not in str(explain(relu(x).named("L"), learning_rate=1))


def test_one_parameter_alone():
    part = explain(two_by_two("units")).of("w5")
    said = [line.text for line in part.lines]
    assert said[-1] == "dE/dw5 = delta_o1 * h1 = 0.138499 * 0.59327 = 0.082167"
    assert len(said) < 10 and not any("w7" in line for line in said)
    assert "doesn't depend" in str(explain(two_by_two("units")).of("i1"))
    with pytest.raises(InputError, match="no node called"):
        explain(two_by_two("units")).of("w9")
    with pytest.raises(InputError, match="every edge"):
        explain(two_by_two("units"), detail="long")


def test_single_formulas_show_themselves():
    by_hand = explain(expression_a(1.0, 2.0))
    assert repr(by_hand.formula()) == "A = exp(a) / sqrt(b) * log(a + b) = 2.11166"
    by_a = "exp(a) / (sqrt(b) * (a + b)) + log(a + b) * exp(a) / sqrt(b)"
    assert repr(by_hand.derivative("a")) == f"dA/da = {by_a} = 2.75236"
    for line in (by_hand.formula(), by_hand.derivative("b")):
        assert line._repr_latex_().startswith("$") and r"\frac" in line._repr_markdown_()


def test_each_gradient_is_that_of_the_engine():
    for loss in (two_by_two("units"), skip_network(), expression_a(), expression_b(), expression_c()):
        by_hand = explain(loss)
        loss.backward()
        short = ShortForm(by_hand.derivation)
        for node in by_hand.derivation.parameters():
            assert node in short.gradients
            last = by_hand.of(node).lines[-1].text.split(" = ")[-1]
            assert float(last) == pytest.approx(float(node.grad), rel=1e-5)


# ---------------------------------------------------------------------- ten textbook problems, with their solutions

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(5, 3)), np.eye(2)[[0, 1, 1, 0, 1]]


def linear_regression():
    """dL/dw0 = 2/N sum e, dL/dw1 = 2/N sum e x."""
    w0, w1 = variable(1.0, name="w0"), variable(2.0, name="w1")
    x, y = constant([1.0, 2.0, 3.0], name="x"), constant([2.0, 6.0, 6.0], name="y")
    e = (w0 + w1 * x - y).named("e")
    return (e ** 2).mean().named("L"), ["dL/de = 2/3 * e", "dL/dw0 = sum(dL/de)", "dL/dw1 = sum(dL/de * x)"]


def logistic_regression():
    """The gradient is the mean of (p - y) x."""
    w, x, y = variable([0.5, -0.2, 0.1], name="w"), constant(X, name="x"), constant(Y[:, 0], name="y")
    p = sigmoid(x @ w).named("p")
    loss = (-y * log(p) - (1 - y) * log(1 - p)).mean().named("L")
    return loss, ["dL/dw = x.T @ ((p - y) / 5)"]


def softmax_regression():
    """Softmax and cross-entropy: p - y."""
    W, b = variable(np.ones((3, 2)), name="W"), variable(np.zeros(2), name="b")
    p = softmax(constant(X, name="x") @ W + b).named("p")
    loss = -(constant(Y, name="y") * log(p)).sum() / 5
    return loss.named("L"), ["delta_p = (p - y) / 5", "dL/dW = x.T @ delta_p", "dL/db = sum(delta_p, axis=0)"]


def softmax_of_logits():
    """The same from the logarithm of softmax, averaged over the rows."""
    s, y = variable(X[:, :2], name="s"), constant(Y, name="y")
    loss = -(y * log_softmax(s)).sum(axis=1).mean()
    return loss.named("L"), ["dL/ds = (softmax(s, axis=-1) - y) / 5"]


def hidden_layer():
    """A ReLU layer and the squared error, in matrix form."""
    x, y = constant(X, name="x"), constant(X[:, :1], name="y")
    W1, b1 = variable(RNG.normal(size=(3, 4)), name="W1"), variable(np.zeros(4), name="b1")
    W2, b2 = variable(RNG.normal(size=(4, 1)), name="W2"), variable(np.zeros(1), name="b2")
    z = (x @ W1 + b1).named("z")
    h = relu(z).named("h")
    y_hat = (h @ W2 + b2).named("y_hat")
    return ((y_hat - y) ** 2).mean().named("L"), [
        "dL/dy_hat = 2/5 * (y_hat - y)", "dL/dW2 = h.T @ dL/dy_hat", "dL/db2 = sum(dL/dy_hat, axis=0)",
        "dL/dh = dL/dy_hat @ W2.T", "dL/dz = dL/dh * (z > 0)", "dL/dW1 = x.T @ dL/dz", "dL/db1 = sum(dL/dz, axis=0)"]


def recurrent_network():
    """Back-propagation through time, two steps of a tanh unit: dh2/dh1 = (1 - h2^2) u."""
    u, w, y = variable(0.5, name="u"), variable(0.8, name="w"), constant(1.0, name="y")
    h1 = tanh(w * constant(1.0, name="x1")).named("h1")
    h2 = tanh(u * h1 + w * constant(-0.5, name="x2")).named("h2")
    return (0.5 * (h2 - y) ** 2).named("L"), [
        "delta_h2 = (h2 - y) * (1 - h2 ** 2)", "dL/du = delta_h2 * h1",
        "dL/dh1 = delta_h2 * u", "dL/dw = dL/dh1 * (1 - h1 ** 2) * x1 + delta_h2 * x2"]


def least_squares_with_weight_decay():
    """The gradient of |X w - y|^2 / 2 + lambda / 2 |w|^2 is X^T (X w - y) + lambda w."""
    w, x, y = variable([1.0, 2.0, 3.0], name="w"), constant(X, name="X"), constant(X[:, 0], name="y")
    r = (x @ w - y).named("r")
    return (0.5 * (r ** 2).sum() + 0.05 * (w ** 2).sum()).named("L"), ["dL/dr = r", "dL/dw = X.T @ dL/dr + 0.1 * w"]


def svm():
    """The hinge loss: minus y x where the margin is below 1."""
    w, x, y = variable([0.3, 0.1, 0.2], name="w"), constant(X, name="x"), constant([1.0, -1, 1, 1, -1], name="y")
    m = (1 - y * (x @ w)).named("m")
    return maximum(m, 0).sum().named("L"), ["dL/dm = where(m > 0, 1, 0)", "dL/dw = x.T @ (-dL/dm * y)"]


def gaussian_likelihood():
    """-log N(x | mu, s^2): by mu, (mu - x) / s^2; by s, 1/s - (x - mu)^2 / s^3."""
    mu, s, x = variable(1.0, name="mu"), variable(2.0, name="s"), constant(4.0, name="x")
    d = (x - mu).named("d")
    return (log(s) + d ** 2 / (2 * s ** 2)).named("L"), [
        "dL/dt4 = -d ** 2 / t4 ** 2 = -3 ** 2 / 8 ** 2 = -0.140625",
        "dL/ds = 1 / s + 4 * dL/dt4 * s = 1 / 2 + 4 * (-0.140625) * 2 = -0.625",
        "dL/dd = 2 * d / t4 = 2 * 3 / 8 = 0.75", "dL/dmu = -dL/dd = -0.75"]


def l1_with_a_skip_connection():
    """The main sheet's task: 0.75, 0.25, 0.25, 0.5."""
    return skip_network(), ["dL/dh0 = dL/dz1 * w1 + dL/dy_hat * ws = 0.5 * 0.5 + 1 * 0.5 = 0.75",
                            "dL/dw0 = dL/dz0 * x = 0.75 * 1 = 0.75"]


PROBLEMS = [linear_regression, logistic_regression, softmax_regression, softmax_of_logits, hidden_layer,
            recurrent_network, least_squares_with_weight_decay, svm, gaussian_likelihood, l1_with_a_skip_connection]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.__name__)
def test_a_textbook_problem(problem):
    loss, solution = problem()
    said = str(explain(loss))
    assert len(said.splitlines()) <= PAGE / 2
    for formula in solution:
        assert any(line.strip().startswith(formula) for line in said.splitlines()), formula
    for node in explain(loss).derivation.parameters():
        assert f"dL/d{node.name} = " in said


# ---------------------------------------------------------------------- modules that are one node

def said_of(module, *inputs):
    """Return the short form of the sum of squares of a module's output, and its explanation."""
    explanation = explain((module(*inputs).named("y") ** 2).sum().named("L"))
    return str(explanation), explanation


def test_a_network_of_modules_has_its_formulas():
    np.random.seed(0)
    model = Sequential(Linear(3, 4), ReLU(), Linear(4, 2))
    said = str(explain(CrossEntropyLoss()(model(constant(X, name="x")), constant(Y, name="labels")).named("L")))
    for formula in ("t2 = x @ W1 + b1", "t3 = relu(t2)", "dL/dt5 = (softmax(t5, axis=-1) - labels) / 5",
                    "dL/dW2 = t3.T @ dL/dt5", "dL/dt2 = dL/dt3 * (t2 > 0)", "dL/db1 = sum(dL/dt2, axis=0)"):
        assert formula in said


@pytest.mark.parametrize("stride, padding", [(1, 0), (1, 1), (2, 1)])
def test_a_convolution_is_a_sum_over_positions(stride, padding):
    np.random.seed(0)
    x = variable(RNG.normal(size=(2, 2, 5, 4)), name="x")
    said, _ = said_of(Conv2d(2, 3, 2, stride=stride, padding=padding), x)
    with expanded():
        assert said_of(Conv2d(2, 3, 2, stride=stride, padding=padding), x)[0].count("\n") == said.count("\n")
    row = {(1, 0): "i+p,j+q", (1, 1): "i+p-1,j+q-1", (2, 1): "2*i+p-1,2*j+q-1"}[stride, padding]
    settings = {(1, 0): "", (1, 1): ", padding=(1, 1)", (2, 1): ", stride=(2, 2), padding=(1, 1)"}[stride, padding]
    assert f"y = conv2d(x, conv_filter{settings}) + conv_bias" in said
    assert f"where conv2d(x, conv_filter{settings})[n,k,i,j] = sum_c,p,q conv_filter[k,c,p,q] * x[n,c,{row}]" in said
    assert f"dL/dconv_filter = sum_n,i,j dL/dy[n,k,i,j] * x[n,c,{row}]" in said
    assert ("rotated by 180 degrees" in said) == (stride == 1)


@pytest.mark.parametrize("shape", [(3, 1), (3,), (2, 3), (1, 1)])
@pytest.mark.parametrize("size", [1.0, 800.0])
def test_the_binary_cross_entropy_is_p_minus_y(shape, size):
    y = constant(RNG.integers(0, 2, shape).astype(float), name="y")
    z = variable(size * (0.5 - y.value) * RNG.uniform(0.1, 1, shape), name="z")
    loss = BinaryCrossEntropyLoss()(z, y).named("L")
    n = "" if shape[0] == 1 else f" / {shape[0]}"
    text, p_minus_y = str(explain(loss)), "sigmoid(z) - y"
    assert f"L = sum(-y * log(sigmoid(z)) - (1 - y) * log(1 - sigmoid(z))){n} = " in text
    assert f"dL/dz = {f'({p_minus_y}){n}' if n else p_minus_y}" in text and "p - y)" in text
    with expanded():
        written = BinaryCrossEntropyLoss()(z, y)
    assert written.operation.name != "BinaryCrossEntropyLoss"
    written.backward()
    assert written.item() == pytest.approx(loss.item()) and np.isfinite(z.grad).all()


@pytest.mark.parametrize("module, formula, flow", [
    (MaxPool2d(2), "max_pool2d(x, size=(2, 2))", "each dL/dy[n,c,i,j], added where the greatest x[n,c,2*i+p,2*j+q] of"),
    (MaxPool2d(3, stride=1, padding=1), "max_pool2d(x, size=(3, 3), stride=(1, 1), padding=(1, 1))",
     "each dL/dy[n,c,i,j], added where the greatest x[n,c,i+p-1,j+q-1] of its window stands; 0 elsewhere"),
    (AvgPool2d(2, stride=(1, 2)), "mean_pool2d(x, size=(2, 2), stride=(1, 2))",
     "each dL/dy[n,c,i,j] / 4, added at all x[n,c,i+p,2*j+q] of its window")])
def test_pooling_is_the_greatest_or_the_mean_pixel_of_each_window(module, formula, flow):
    images = np.maximum(RNG.normal(size=(2, 2, 5, 4)), 0)  # with ties: the first zero of a window gets the gradient
    x = variable(images, name="x")
    said, by_hand = said_of(module, x)
    assert f"y = {formula}" in said and f"where {formula}[n,c,i,j] = " in said and f"dL/dx = {flow}" in said
    y = module(images)
    expected = module.backward(2 * y)
    np.testing.assert_allclose(by_hand.derivation.gradients[x], expected)
    with expanded():
        (module(x) ** 2).sum().backward()
    np.testing.assert_allclose(x.grad, expected)


def by_indices(term, arrays, sizes, at):
    """Return what a sum over indices comes to; entries outside of an array are zeros."""
    if term.kind == "sum_over":
        letters, inner = term.parts
        return sum(by_indices(inner, arrays, sizes, dict(at, **dict(zip(letters, place))))
                   for place in np.ndindex(*[sizes[letter] for letter in letters]))
    if term.kind == "product":
        return np.prod([by_indices(part, arrays, sizes, at) for part in term.parts])
    array, place = arrays[term.parts[0]], tuple(eval(each, dict(at)) for each in term.parts[1])
    return array[place] if all(0 <= k < size for k, size in zip(place, array.shape)) else 0.0


@pytest.mark.parametrize("stride, padding", [(1, 0), (1, (1, 0)), ((2, 1), (0, 1))])
def test_the_sums_over_positions_give_the_convolution_and_its_gradients(stride, padding):
    operation = Convolution(stride, padding)
    x, W = RNG.normal(size=(1, 2, 3, 4)), RNG.normal(size=(2, 2, 2, 2))
    out = operation.forward(x, W)
    grad = RNG.normal(size=out.shape)
    terms = dict(x=x, W=W, G=grad)
    a, b, g = (name(each, array.shape) for each, array in terms.items())
    arrays, sizes = dict(zip((a, b, g), terms.values())), dict(zip("nkijcpq", out.shape + W.shape[1:]))
    flows = [operation.flow(i, g, name("y", out.shape), a, b) for i in (0, 1)]
    said = [("nkij", operation.definition(a, b).parts[1], out), ("kcpq", flows[1].parts[0], operation.backward(
        1, grad, out, x, W))]
    said += [("ncij", flows[0].parts[0], operation.backward(0, grad, out, x, W))] if stride == 1 else []
    for letters, term, expected in said:
        for place in np.ndindex(expected.shape):
            assert by_indices(term, arrays, sizes, dict(zip(letters, place))) == pytest.approx(expected[place])


def test_a_step_is_as_short_as_the_derivation():
    said = str(explain(two_by_two("some"), learning_rate=0.5))
    step = said[said.index("One step of gradient descent"):]
    assert len(step.splitlines()) == 19 and "new w5 = w5 - 0.5 * dE/dw5 = 0.4 - 0.5 * 0.082167 = 0.358916" in step
    assert "h1 = sigmoid(0.149781 * 0.05 + 0.199561 * 0.1 + 0.340637" in step and "E was 0.298371" in step


def test_a_gradient_of_nothing_but_rounding_is_zero():
    x = variable([0.1, 0.2, 0.6], name="x")
    mu = x.mean().named("mu")
    x_hat = ((x - mu) / sqrt(((x - mu) ** 2).mean())).named("x_hat")
    said = str(explain((x_hat * constant([1.0, 0.0, -1.0], name="c")).sum().named("L")))
    assert "e-1" not in said and re.search("dL/dmu = .* = 0$", said, re.MULTILINE)


def test_a_node_without_a_name_is_found_though_modules_are_written_out_and_parts_are_shared():
    np.random.seed(0)
    hidden = Linear(3, 2)(constant(X, name="x"))
    twice = hidden * 2
    loss = (Linear(2, 1)(twice) ** 2).mean().named("L")
    loss.backward()
    for node in (hidden, twice):
        for said in (explain(loss).of(node), explain(loss).paths(node), explain(loss, reuse=False).of(node)):
            assert str(node.shape) in str(said)
        derivation = derivation_of(loss, reuse=True, written_out=True)
        np.testing.assert_allclose(derivation.gradients[derivation.node(node)], node.grad)


def test_values_that_were_changed_after_the_forward_pass_are_not_explained_with_the_old_results():
    layer, x, w = Linear(3, 2), variable(X, name="x"), variable([1.0, 2.0], name="w")
    loss, other = (layer(x) ** 2).sum().named("L"), (w * w).sum().named("L")
    by_hand = explain(loss)
    layer.W.data[...] += 1.0
    w.value *= 10
    for explained in (lambda: str(by_hand), lambda: by_hand.of("x"), lambda: explain(loss), lambda: explain(other)):
        with pytest.raises(InputError, match="were changed after the graph was computed"):
            explained()


def test_the_mean_of_a_batch_of_one_is_not_divided_by_one():
    scores = variable([[1.0, 2.0]], name="s")
    said = str(explain(CrossEntropyLoss()(scores, constant([[1.0, 0.0]], name="y")).named("L")))
    assert "/ 1" not in said and re.search(r"L = -sum\(y \* \w+\) = 1.31326$", said, re.MULTILINE)


def test_an_infinite_gradient_is_infinite():
    x = variable(0.0, name="x")
    with np.errstate(divide="ignore"):
        said = str(explain((sqrt(x) + x).named("L")))
        rows = str(explain(sqrt(x + constant([0.0, 0.0], name="c")).sum().named("L")))
    assert re.search("dL/dx = .* = inf$", said, re.MULTILINE) and re.search("dL/dx = .* = inf$", rows, re.MULTILINE)


def test_batch_normalisation_has_the_names_of_its_paper():
    said, _ = said_of(BatchNorm1d(3), variable(X, name="x"))
    for formula in ("mu_B = mean(x, axis=0)", "sigma2_B = mean((x - mu_B) ** 2, axis=0)", "x_hat = (x - mu_B) / s",
                    "s = sqrt(sigma2_B + 1e-05)", "y = gamma * x_hat + beta", "dL/dx_hat = dL/dy * gamma",
                    "dL/dgamma = sum(dL/dy * x_hat, axis=0)", "dL/dsigma2_B = dL/ds / (2 * s)",
                    "dL/dx = dL/dmu_B / 5 + 2/5 * dL/dsigma2_B * (x - mu_B) + dL/dx_hat / s"):
        assert formula in said


@pytest.mark.parametrize("module, shape, names", [
    (BatchNorm2d(2), (3, 2, 2, 2), "mu_B sigma2_B x_hat gamma beta"),
    (LayerNorm(3), (2, 3), "mu sigma2 x_hat gamma beta"),
    (MultiHeadSelfAttention(4, 2), (2, 3, 4), "Q K V S A Y W_Q b_Q W_K W_V b_V W_O b_O"),
    (SelfAttention(3, causal=True), (1, 3, 3), "Q K V S A")])
def test_modules_are_written_in_the_names_of_their_papers_as_one_node_and_expanded(module, shape, names):
    x = variable(RNG.normal(size=shape), name="x")
    one_node, _ = said_of(module, x)
    with expanded():
        single, _ = said_of(module, x)
    assert one_node == single and "backward" not in single
    assert set(names.split()) <= set(re.findall(r"\w+", single))


def test_attention_has_the_names_of_its_paper():
    np.random.seed(0)
    said, by_hand = said_of(SelfAttention(4, 2), variable(RNG.normal(size=(2, 3, 4)), name="X"))
    for formula in ("A = softmax(S, axis=-1)", "dL/dS = A * (dL/dA - sum(dL/dA * A, axis=-1, keepdims=True))",
                    "dL/dQ = (dL/dS / sqrt(2)) @ K", "dL/dK = (swapaxes(dL/dS, -1, -2) / sqrt(2)) @ Q",
                    "dL/dX = dL/dQ @ W_Q.T + dL/dK @ W_K.T + dL/dV @ W_V.T"):
        assert formula in said
    assert r"{K}^{\top}" in by_hand.markdown()


class Halved(Linear):
    """A Linear whose backward forgets half of it."""

    def backward(self, grad):
        return super().backward(grad) / 2


class TurnedOver(Conv2d):
    """A Conv2d whose input's gradient is upside down."""

    def backward(self, grad):
        return super().backward(grad)[:, :, ::-1]


def test_modules_in_shapes_or_with_parameters_beyond_the_rules_do_it_themselves():
    np.random.seed(0)
    for module, shape in ((BatchNorm1d(3), (4, 3, 2)), (Softmax(), (2, 2, 3)),
                          (SelfAttention(4, 2, causal=True), (1, 3, 4))):
        said, _ = said_of(module, variable(RNG.normal(size=shape), name="x"))
        assert "dL/dx = " in said


def test_a_wrong_module_gets_no_formula_that_it_doesnt_compute():
    np.random.seed(0)
    said, _ = said_of(Halved(3, 2), variable(X, name="x"))
    assert "the part for x" in said and "@ W.T" not in said
    said, _ = said_of(TurnedOver(1, 1, 2), variable(RNG.normal(size=(1, 1, 3, 3)), name="x"))
    assert "rotated" not in said


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
