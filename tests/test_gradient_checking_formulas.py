"""The diagnosis's wrong formulas are what their words say: each gives the numbers of the same mistake written here."""
import numpy as np
import pytest

from lib.activations import ReLU, Sigmoid, Softmax
from lib.gradient_checking.diagnose import catalogue, formulas, hypotheses, labels
from lib.gradient_checking.diagnose.evidence import Trial
from lib.gradient_checking.measure.workbench import Workbench
from lib.layers.activations import GELU, LeakyReLU, Softplus, Tanh
from lib.layers.losses import BinaryCrossEntropyLoss, L1Loss, Loss, MeanSquaredError
from lib.layers.normalization import BatchNorm1d, LayerNorm
from lib.layers.pooling import AvgPool2d, MaxPool2d
from lib.losses import CrossEntropyLoss, MSELoss
from lib.network import Linear
from lib.network_base import Module, Parameter
from lib.regularizers import Dropout, L1Regularization, L2Regularization

# what stands in the place of dy/dx, one after the other as in the catalogue
SLOPES = {
    Sigmoid: "x - x ** 2; y - x * y; x - x * y; y; 1 - y; 1 - y * y; y + y * y; exp(-x) / (1 + exp(-x));"
             "y - y ** 3; y * y",
    Tanh: "1 - y; 1 - x * x; 1 + y * y; 2 / (exp(x) + exp(-x)); y - y * y; y * y; 2 - 2 * y * y",
    Softplus: "1 / (1 + exp(x)); x >= 0; exp(x); exp(x) / (1 + exp(x)) ** 2; 1 / (1 + exp(-y))",
    GELU: "y / x; d - y / x; y / x + x * exp(-x * x) / sqrt(2 * pi); y / x + x * exp(-x * x / 2); 2 * y / x - d;"
          "x >= 0; 1 / (1 + exp(-1.702 * x)) + 1.702 * x * exp(-1.702 * x) / (1 + exp(-1.702 * x)) ** 2",
    LeakyReLU: "x >= 0; d * sign(x)",
    ReLU: "x >= 1; sign(x); x == x",
    Softmax: "y - y * y; y; y * y",
    Dropout: "d != 0; d * d"}


def trial_of(module, *inputs, index=0):
    """Return the right gradient beside what a module gives."""
    with Workbench(module, inputs) as bench:
        return Trial(bench, bench.start, index, len(inputs) > 1 or not hasattr(module, "eps") and index > 0)


def numbers_of(trial):
    return dict({name: getattr(np, name) for name in ("exp", "sqrt", "sign", "pi", "log", "ones_like")}, x=trial.x,
                y=trial.y, u=trial.upstreams[0], e=trial.expected[0], d=trial.diagonal)


def assert_each_is(kinds, formulas, trial, **names):
    """Check the catalogue's formulas of a module, in their order, against those that are given as text."""
    texts = [text.strip() for text in formulas.split(";")]
    assert len(texts) == len(kinds)
    for (_, words, formula), text in zip(kinds, texts):
        found = 1.0 * np.asarray(formula(catalogue.quantities(trial, 0)))
        wanted = eval(text, dict(numbers_of(trial), **names))
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9, err_msg=f"{words}: {text}")


@pytest.mark.parametrize("cls", SLOPES, ids=lambda cls: cls.__name__)
def test_wrong_derivatives(rng, cls):
    module = cls(0.4) if cls in (Dropout, LeakyReLU) else cls()
    trial = trial_of(module, np.array([[-2.1, -0.7, 0.3, 1.6], [0.9, -0.2, 1.2, -1.3], [0.5, 2.2, -0.4, 0.1]]))
    assert_each_is(catalogue.SLOPES[cls.__name__], SLOPES[cls], trial)


# The same for modules whose entries depend on each other; q is a helper that each test gives.
GRADIENTS = {
    "Softmax": "y * u - y * (u * y).sum(0); y * (u - (u * y).sum()); y * u - y * (u * y).sum(1); u - q;"
               "y * u - y * u.sum(1)[:, None]; -y * q; y - u; y * u + y * q",
    "CrossEntropyLoss": "p / 3; -t / 3; (log(p) - t) / 3; -t / p / 3; -t / p; (x - t) / 3; (q(p.T).T - t) / 3;"
                        "(q(x) - t) / 3; (exp(x) / exp(x).sum() - t) / 3; e * t;"
                        "((p >= p.max(1)[:, None]) - t) / 3; (p - 1) / 3; (p - t[0]) / 3;"
                        "e * p * (1 - p); (1 / (1 + exp(-x)) - t) / 3",
    "MSELoss": "x / 3; abs(e); 3 * e * e; 1.5 * e * e; sign(e) / 3",
    "L1Loss": "(x - t) / 3; (x > t) / 3; 1 / 3 + 0 * x; abs(x - t) / 3",
    "BinaryCrossEntropyLoss": "e / q / (1 - q); (x - t) / 3; (1 / (1 + exp(-q)) - t) / 3; e * t; e * (1 - t); q / 3;"
                              "e * q * (1 - q)",
    "L1Regularization": "0.3 * abs(w); 0.3 + 0 * w; 0.3 * w",
    "L2Regularization": "0.3 * sign(w); 0.3 * w * w"}
X = np.array([[-2.1, -0.7, 0.3], [0.9, -0.2, 1.2], [0.5, 2.2, -0.4]])


def softmax_of_columns(x):
    return np.exp(x) / np.exp(x).sum(0)


def test_wrong_gradients_of_softmax():
    trial = trial_of(Softmax(), X)
    q = (trial.upstreams[0] * trial.y).sum(1)[:, None]
    assert_each_is(catalogue.GRADIENTS["Softmax"], GRADIENTS["Softmax"], trial, q=q)


@pytest.mark.parametrize("loss, targets", [
    (CrossEntropyLoss, np.eye(3)[[2, 0, 1]]), (MSELoss, np.eye(3)[[2, 0, 1]]), (L1Loss, np.full((3, 3), 0.4)),
    (BinaryCrossEntropyLoss, np.eye(3)[[2, 0, 1]])])
def test_wrong_gradients_of_losses(loss, targets):
    q = 1 / (1 + np.exp(-X)) if loss is BinaryCrossEntropyLoss else softmax_of_columns
    assert_each_is(catalogue.GRADIENTS[loss.__name__], GRADIENTS[loss.__name__], trial_of(loss(), X, targets),
                   t=targets, p=softmax_of_columns(X.T).T, q=q)


@pytest.mark.parametrize("norm", [BatchNorm1d, LayerNorm])
@pytest.mark.parametrize("training", [True, False])
def test_wrong_gradients_of_normalisations(norm, training):
    module = norm(3)
    module.gamma.data[...] = [1.5, -0.7, 2.0]
    module.training = training
    trial = trial_of(module, X)
    axis = 0 if norm is BatchNorm1d else 1

    def mean(a, over=axis):
        return a.mean(axis=over, keepdims=True)
    true_s = 1 / np.sqrt(mean((X - mean(X)) ** 2) + module.eps)
    s = 1 / np.sqrt(module.running_var + module.eps) if norm is BatchNorm1d and not training else true_s
    z, g = (X - mean(X)) * s, trial.upstreams[0] * module.gamma.data

    def right(g, over=axis):
        return s * (g - mean(g, over) - z * mean(z * g, over))
    assert_each_is(catalogue.GRADIENTS["BatchNorm"], "g * s; g * s - mean(g) * s; g * s - z * mean(z * g) * s;"
                   "right(u); e / s; e * s; e + 2 * s * mean(g); right(g, 0); right(g, 1)", trial, s=s, z=z, g=g,
                   mean=mean, right=right)


@pytest.mark.parametrize("penalty", [L1Regularization, L2Regularization])
def test_wrong_gradients_of_penalties(penalty):
    weights = Parameter(X[:, :2].copy())
    trial = trial_of(penalty(0.3, [weights]), index=1)
    assert_each_is(catalogue.GRADIENTS[penalty.__name__], GRADIENTS[penalty.__name__], trial, w=X[:, :2])


@pytest.mark.parametrize("pool", [MaxPool2d, AvgPool2d])
def test_wrong_gradients_of_pooling(rng, pool):
    trial = trial_of(pool(2), rng.standard_normal((1, 2, 4, 6)))
    whole = "kron(u, [[1, 1], [1, 1]]); kron(u, [[1, 1], [1, 1]]) / 4;" if pool is MaxPool2d else ""
    assert_each_is(catalogue.GRADIENTS[pool.__name__], whole + "kron(u, [[1, 0], [0, 0]])", trial, kron=np.kron)


def test_guesses_from_the_labels_alone():
    t = np.eye(3)[[2, 0, 1]]
    with Workbench(CrossEntropyLoss(), (X, t)) as bench:
        trial = Trial(bench, bench.start, 0, True)
        e, p = trial.expected[0], softmax_of_columns(X.T).T
        for guess, wanted in (
                ("without_labels", p / 3), ("labels_alone", -t / 3), ("one_class", e * t), ("twice", None),
                ("predictions_themselves", (X - t) / 3), ("by_inner", -t / p / 3), ("ones_for_labels", (p - 1) / 3),
                ("greatest", ((p >= p.max(axis=1)[:, None]) - t) / 3), ("first_labels", (p - t[0]) / 3),
                ("all_labels", (p - 1) / 3), ("once_more", e * p * (1 - p))):
            wanted = (softmax_of_columns(p.T).T - t) / 3 if wanted is None else wanted
            found = getattr(labels, guess)(trial, e, t, 3)
            np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9, err_msg=guess)
        assert labels.greatest(trial, e + 1, t, 3) is None  # that is no softmax


def test_the_derivative_across_the_label():
    targets = np.full((3, 3), 0.4)
    with Workbench(MSELoss(), (X, targets)) as bench:
        found = formulas.across_the_label(Trial(bench, bench.start, 0, True), 0)
    np.testing.assert_allclose(found, (targets - X) / 3, rtol=1e-6)


@pytest.mark.parametrize("module", [
    ReLU(), Sigmoid(), Tanh(), Softmax(), Softplus(), GELU(), LeakyReLU(0.4), CrossEntropyLoss(), MSELoss(),
    MeanSquaredError(), BinaryCrossEntropyLoss(), L1Loss()], ids=str)
def test_a_module_is_recognised_by_what_it_computes(module):
    is_loss = isinstance(module, (CrossEntropyLoss, MSELoss, Loss))
    found = catalogue.looks_like([trial_of(module, *((X, np.eye(3)[[2, 0, 1]]) if is_loss else (X,)))])
    assert found == ([] if isinstance(module, (LeakyReLU, L1Loss)) else [type(module).__name__])


# ---------------------------------------------------------------------- what any module's gradient may look like

OF_ANY = {
    "relu": "inverted: u * (x < 0); complement: u * (x < 0); mask_on_gradient: u * (u > 0);"
            "mask_on_both: u * (x > 0) * (u > 0); swapped: x * (u > 0); only_positive: u * (u > 0) * (x > 0);"
            "ones: 1.0 * (x > 0); squared: u * u * (x > 0); multiplied_again: u * u * (x > 0); absolute: abs(e);"
            "absolute_result: abs(e); signs: sign(u) * (x > 0); first_derivative_for_all: u * (x[:1] > 0);"
            "mean_for_all: e.mean(0) + 0 * x; sum_for_all: e.sum(0) + 0 * x; total: e.sum() + 0 * x;"
            "first_for_all: e[0] + 0 * x; passed_on: None; transpose: e.T; sign: -e",
    "weights": "first_only: x[:1].T @ u[:1]; last_only: x[2:].T @ u[2:]; without_last: x[:2].T @ u[:2];"
               "without_first: x[1:].T @ u[1:]; first_for_all: None; inverted: None; passed_on: None;"
               "only_positive: x.T @ (u * (u > 0)); ones: x.T @ ones_like(u); squared: x.T @ u ** 2;"
               "signs: x.T @ sign(u); absolute: x.T @ abs(u); transpose: e.T; total: e.sum() + 0 * e;"
               "first_inputs_for_all: ones_like(x).T * x[:1].T @ u; input_missing: ones_like(x).T @ u; reshaped: None",
    "inputs": "first_jacobian_for_all: u @ w.T; passed_on: u; mask_on_gradient: None; complement: None; reshaped: None;"
              "first_only: e * [[1], [0], [0]]; last_only: e * [[0], [0], [1]]; multiplied_again: e * u;"
              "first_derivative_for_all: None; minus_upstream: e - u; plus_upstream: e + u; plus_one: e - u + 1"}


@pytest.mark.parametrize("name", OF_ANY)
def test_what_any_gradient_may_look_like(name):
    module = ReLU() if name == "relu" else Linear(3, 3)
    with Workbench(module, (X,)) as bench:
        trial = Trial(bench, bench.start, int(name == "weights"), False)
        assert formulas.minus_upstream(trial, 0, in_parts=True) is None  # it has no parts that a path could skip
        for k, u in enumerate(trial.upstreams):
            for text in OF_ANY[name].split(";"):
                hypothesis, wanted = text.split(":", 1)
                function = getattr(hypotheses, hypothesis.strip(), None) or getattr(formulas, hypothesis.strip())
                found = function(trial, k, *[False] * (hypothesis.strip() == "minus_upstream"))
                names = dict(numbers_of(trial), u=u, e=trial.expected[k], w=trial.point.tensor(int(name != "relu")))
                wanted = eval(wanted, names)
                if wanted is None:
                    assert found is None, text
                else:
                    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9, err_msg=text)


@pytest.mark.parametrize("which", ["first", "last", "one"])
def test_one_contribution_of_several(which):
    """y_j = x_j + 2 x_{j+1}: the inner numbers are used twice."""
    class Neighbours(Module):
        def forward(self, x):
            return x[:, :-1] + 2 * x[:, 1:]

        def backward(self, grad):  # where there are two, the second use of x_1 counts, and the first of x_2
            return np.stack([grad[:, 0], grad[:, 1], 2 * grad[:, 1], 2 * grad[:, 2]], axis=1)
    trial = trial_of(Neighbours(), np.array([[-2.1, -0.7, 0.3, 1.6], [0.9, -0.2, 1.2, -1.3]]))
    u = trial.upstreams[0].T
    wanted = {"first": [u[0], 2 * u[0], 2 * u[1], 2 * u[2]], "last": [u[0], u[1], u[2], 2 * u[2]],
              "one": [u[0], u[1], 2 * u[1], 2 * u[2]]}[which]
    np.testing.assert_allclose(formulas.one_contribution(which, None)(trial, 0), np.array(wanted).T, rtol=1e-6)
    assert formulas.one_contribution(which, None)(trial_of(ReLU(), X), 0) is None  # each is used once


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
