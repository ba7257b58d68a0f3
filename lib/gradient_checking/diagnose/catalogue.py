"""How the formulas of the library's own modules go wrong.

To add a wrong formula, add a line: the cause, what is wrong in words, and the formula of what is returned, a function
of a Trial's x, y, upstream gradient and so on. Nothing else needs to know of it.
"""
from __future__ import annotations

from functools import partial
from math import erf
from types import SimpleNamespace
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from lib.gradient_checking.diagnose.evidence import Trial
from lib.gradient_checking.diagnose.hypotheses import Hypothesis


def known_names(module: Any) -> List[str]:
    """Return the names of the library's classes that a module is made from."""
    return [cls.__name__ for cls in type(module).__mro__ if cls.__module__.startswith("lib.")]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def softmax(x: np.ndarray, axis: Any = -1) -> np.ndarray:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def density(x: np.ndarray) -> np.ndarray:
    return np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


Formula = Callable[[SimpleNamespace], Any]

# Wrong derivatives s of elementwise functions, in the place of dy/dx: x is the input, y the output, d = dy/dx.
SLOPES: Dict[str, List[Tuple[str, str, Formula]]] = {
    "Sigmoid": [
        ("output taken for input", "x (1 - x) is used, with the input x where the output y belongs",
         lambda t: t.x * (1 - t.x)),
        ("output taken for input", "y (1 - x) is used instead of y (1 - y)", lambda t: t.y * (1 - t.x)),
        ("output taken for input", "x (1 - y) is used instead of y (1 - y)", lambda t: t.x * (1 - t.y)),
        ("term missing", "y is used instead of y (1 - y): the factor 1 - y is missing", lambda t: t.y),
        ("term missing", "1 - y is used instead of y (1 - y): the factor y is missing", lambda t: 1 - t.y),
        ("another formula", "1 - y^2 is used, the derivative of tanh", lambda t: 1 - t.y ** 2),
        ("another formula", "y (1 + y) is used instead of y (1 - y)", lambda t: t.y * (1 + t.y)),
        ("another formula", "exp(-x) / (1 + exp(-x)) is used: the square in the denominator is missing",
         lambda t: 1 - t.y),
        ("another formula", "y (1 - y^2) is used: the square is one too many", lambda t: t.y * (1 - t.y ** 2)),
        ("another formula", "y^2 is used", lambda t: t.y ** 2)],
    "Tanh": [
        ("another formula", "1 - y is used instead of 1 - y^2: the square is missing", lambda t: 1 - t.y),
        ("output taken for input", "1 - x^2 is used, with the input x where the output y belongs",
         lambda t: 1 - t.x ** 2),
        ("another formula", "1 + y^2 is used instead of 1 - y^2", lambda t: 1 + t.y ** 2),
        ("another formula", "1 / cosh(x) is used: the square is missing", lambda t: 1 / np.cosh(t.x)),
        ("another formula", "y (1 - y) is used, the derivative of the sigmoid", lambda t: t.y * (1 - t.y)),
        ("another formula", "y^2 is used instead of 1 - y^2", lambda t: t.y ** 2),
        ("constant factor", "2 (1 - y^2) is used", lambda t: 2 * (1 - t.y ** 2))],
    "Softplus": [
        ("another formula", "1 / (1 + exp(x)) is used: the sign in the exponent is wrong", lambda t: sigmoid(-t.x)),
        ("another formula", "the derivative of ReLU is used", lambda t: t.x > 0),
        ("another formula", "exp(x) is used: the denominator is missing", lambda t: np.exp(t.x)),
        ("another formula", "the second derivative s (1 - s) is used", lambda t: sigmoid(t.x) * sigmoid(-t.x)),
        ("output taken for input", "the sigmoid of the output is used", lambda t: sigmoid(t.y))],
    "GELU": [
        ("term missing", "only the distribution P(x) is used: x p(x), the other half of the product rule, is missing",
         lambda t: t.d - t.x * density(t.x)),
        ("term missing", "only x p(x) is used: P(x), the other half of the product rule, is missing",
         lambda t: t.x * density(t.x)),
        ("another formula", "exp(-x^2) stands for exp(-x^2 / 2) in the density",
         lambda t: t.d + t.x * density(t.x) * (np.exp(-t.x ** 2 / 2) - 1)),
        ("another formula", "the density lacks its 1 / sqrt(2 pi)",
         lambda t: t.d + t.x * density(t.x) * (np.sqrt(2 * np.pi) - 1)),
        ("another formula", "P(x) - x p(x) is used, with a wrong sign", lambda t: t.d - 2 * t.x * density(t.x)),
        ("another formula", "the derivative of ReLU is used", lambda t: t.x > 0),
        ("another formula", "the approximation x sigmoid(1.702 x) is differentiated", lambda t: sigmoid(
            1.702 * t.x) * (1 + 1.702 * t.x * sigmoid(-1.702 * t.x)))],
    "LeakyReLU": [
        ("mask missing where x < 0", "the derivative of ReLU is used: the slope for x < 0 is missing",
         lambda t: t.x > 0),
        ("mask missing where x < 0", "the slope stands with the wrong sign for x < 0",
         lambda t: np.where(t.x > 0, t.d, -t.d))],
    "ReLU": [
        ("another threshold", "the comparison is with 1 instead of 0", lambda t: t.x > 1),
        ("mask missing where x < 0", "the derivative of |x| is used", lambda t: np.sign(t.x)),
        ("mask missing where x < 0", "the mask asks for x != 0", lambda t: t.x != 0)],
    "Softmax": [
        ("softmax diagonal only", "y (1 - y) is used, the diagonal of the Jacobian alone", lambda t: t.y * (1 - t.y)),
        ("term missing", "y is used: the second term of the quotient rule is missing", lambda t: t.y),
        ("another formula", "y^2 is used", lambda t: t.y ** 2)],
    "Dropout": [
        ("constant factor", "the mask is there, but the division by 1 - p is missing", lambda t: t.d > 0),
        ("another formula", "the division by 1 - p is there twice", lambda t: t.d ** 2)],
}

# Wrong gradients of modules whose entries depend on each other: u is the upstream gradient, e the expected gradient.
GRADIENTS: Dict[str, List[Tuple[str, str, Formula]]] = {
    "Softmax": [
        ("wrong axis", "the sum runs over the batch instead of the classes",
         lambda t: t.y * (t.u - (t.u * t.y).sum(axis=0, keepdims=True))),
        ("wrong axis", "the sum runs over everything instead of the classes of each example",
         lambda t: t.y * (t.u - (t.u * t.y).sum())),
        ("wrong axis", "keepdims is missing: each example gets the sums of all examples",
         lambda t: t.y * (t.u - (t.u * t.y).sum(axis=1))),
        ("term missing", "the factor y in front is missing", lambda t: t.u - (t.u * t.y).sum(axis=-1, keepdims=True)),
        ("term missing", "the factor y inside the sum is missing",
         lambda t: t.y * (t.u - t.u.sum(axis=-1, keepdims=True))),
        ("term missing", "only the second term, -y sum(grad y), is there",
         lambda t: -t.y * (t.u * t.y).sum(axis=-1, keepdims=True)),
        ("another formula", "the formula of softmax and cross-entropy in one, y - grad, is used", lambda t: t.y - t.u),
        ("wrong sign", "the second term has a plus", lambda t: t.y * (t.u + (t.u * t.y).sum(axis=-1, keepdims=True)))],
    "LogSoftmax": [
        ("another formula", "the log-probabilities stand where the probabilities belong",
         lambda t: t.u - t.y * t.u.sum(axis=-1, keepdims=True)),
        ("term missing", "only the first term is there: it is the upstream gradient", lambda t: t.u)],
    "BatchNorm": [
        ("statistics taken as constants", "neither the path through the mean nor that through the variance is there",
         lambda t: t.g * t.s),
        ("statistics taken as constants", "the path through the variance is missing",
         lambda t: (t.g - t.mean(t.g)) * t.s),
        ("statistics taken as constants", "the path through the mean is missing",
         lambda t: (t.g - t.xhat * t.mean(t.g * t.xhat)) * t.s),
        ("term missing", "the factor gamma is missing", lambda t: t.formula(t.u)),
        ("term missing", "the division by the standard deviation is missing", lambda t: t.e / t.s),
        ("constant factor", "the division by the standard deviation is there twice", lambda t: t.e * t.s),
        ("wrong sign", "the path through the mean has the wrong sign", lambda t: t.e + 2 * t.mean(t.g) * t.s),
        ("wrong axis", "the means are taken over the batch alone, or over another axis", lambda t: t.over(0)),
        ("wrong axis", "the means are taken over another axis", lambda t: t.over(1))],
    "CrossEntropyLoss": [
        ("term missing", "the labels aren't subtracted", lambda t: t.p / t.n),
        ("term missing", "the softmax is missing: only the labels are there", lambda t: -t.labels / t.n),
        ("output taken for input", "the log-probabilities stand where the probabilities belong",
         lambda t: (np.log(t.p) - t.labels) / t.n),
        ("another formula", "the derivative is taken by the probabilities, not by the logits",
         lambda t: -t.labels / t.p / t.n),
        ("another formula", "the derivative is taken by the probabilities, and 1/N is missing",
         lambda t: -t.labels / t.p),
        ("output taken for input", "the logits stand where their softmax belongs", lambda t: (t.x - t.labels) / t.n),
        ("output taken for input", "the softmax is taken of the softmax", lambda t: (softmax(t.p) - t.labels) / t.n),
        ("wrong axis", "the softmax is taken over the batch", lambda t: (softmax(t.x, 0) - t.labels) / t.n),
        ("wrong axis", "the softmax is taken over everything", lambda t: (softmax(t.x, None) - t.labels) / t.n),
        ("term missing", "only the true class counts", lambda t: (t.p - t.labels) * t.labels / t.n),
        ("another formula", "the predicted class stands where its probabilities belong",
         lambda t: ((t.p == t.p.max(axis=-1, keepdims=True)) - t.labels) / t.n),
        ("another formula", "1 is subtracted for every class, not for the true one alone", lambda t: (t.p - 1) / t.n),
        ("only one sample", "the labels of the first example are subtracted from all",
         lambda t: (t.p - t.labels[:1]) / t.n),
        ("another formula", "softmax's own derivative is multiplied once more", lambda t: t.e * t.p * (1 - t.p)),
        ("output taken for input", "the sigmoid stands where the softmax belongs",
         lambda t: (sigmoid(t.x) - t.labels) / t.n)],
    "MSELoss": [
        ("term missing", "the labels aren't subtracted", lambda t: t.x / t.n),
        ("absolute value of the upstream gradient", "the absolute value of the difference is taken",
         lambda t: np.abs(t.e)),
        ("another formula", "the loss isn't differentiated: the squares stand there",
         lambda t: (t.x - t.labels) ** 2 / t.n),
        ("another formula", "the loss isn't differentiated: half the squares stand there",
         lambda t: (t.x - t.labels) ** 2 / 2 / t.n),
        ("another formula", "the signs of the differences stand there", lambda t: np.sign(t.x - t.labels) / t.n)],
    "L1Loss": [
        ("another formula", "the difference stands where its sign belongs", lambda t: (t.x - t.labels) / t.n),
        ("mask missing where x < 0", "0 stands where the prediction is too low, instead of -1",
         lambda t: (t.x > t.labels) / t.n),
        ("another formula", "1 stands everywhere: the sign is missing", lambda t: np.ones(t.x.shape) / t.n),
        ("another formula", "the absolute difference stands there", lambda t: np.abs(t.x - t.labels) / t.n)],
    "BinaryCrossEntropyLoss": [
        ("another formula", "the derivative is taken by the probability; that of the sigmoid is missing",
         lambda t: t.e / (t.s * (1 - t.s))),
        ("output taken for input", "the logits stand where the sigmoid belongs", lambda t: (t.x - t.labels) / t.n),
        ("output taken for input", "the sigmoid is taken of the sigmoid", lambda t: (sigmoid(t.s) - t.labels) / t.n),
        ("term missing", "only the term of the label 1 is there", lambda t: t.labels * (t.s - 1) / t.n),
        ("term missing", "only the term of the label 0 is there", lambda t: (1 - t.labels) * t.s / t.n),
        ("term missing", "the labels aren't subtracted", lambda t: t.s / t.n),
        ("another formula", "the sigmoid's derivative is multiplied once more", lambda t: t.e * t.s * (1 - t.s))],
    "MaxPool2d": [
        ("another formula", "every pixel of a window gets the gradient, not the greatest alone", lambda t: t.spread(1)),
        ("another formula", "the gradient is shared among the pixels of a window, as by average pooling",
         lambda t: t.spread(0)),
        ("single entries wrong", "the gradient goes to the first pixel of each window", lambda t: t.corner())],
    "AvgPool2d": [
        ("single entries wrong", "the whole gradient goes to the first pixel of each window", lambda t: t.corner())],
    "L1Regularization": [
        ("another formula", "the absolute values stand where the signs belong", lambda t: t.lambd * np.abs(t.value)),
        ("another formula", "lambda stands for each weight: the sign is missing",
         lambda t: t.lambd * np.ones(t.value.shape)),
        ("another formula", "the weights stand where their signs belong", lambda t: t.lambd * t.value)],
    "L2Regularization": [
        ("another formula", "the signs stand there, as for the L1 penalty", lambda t: t.lambd * np.sign(t.value)),
        ("another formula", "the squares stand there", lambda t: t.lambd * t.value ** 2)],
}
GRADIENTS["LayerNorm"] = GRADIENTS["BatchNorm"]
GRADIENTS["MeanSquaredError"] = [(cause, words, lambda t, f=formula: f(t) * 2 / t.k)  # type: ignore[misc]
                                 for cause, words, formula in GRADIENTS["MSELoss"]]


def quantities(trial: Trial, k: int) -> SimpleNamespace:
    """Return what the formulas speak of, for one upstream gradient of a trial."""
    module, x, y, u, e = trial.bench.module, trial.x, trial.y, trial.upstreams[k], trial.expected[k]
    t = SimpleNamespace(x=x, y=y, u=u, e=e, d=trial.diagonal, value=trial.value, lambd=getattr(module, "lambd", 1.0),
                        param=trial.parameter)
    if len(trial.point.inputs) > 1:
        t.labels = np.asarray(trial.point.inputs[1], dtype=float)
        t.n, t.k = len(x), x.size / len(x)
        t.p, t.s = softmax(x), sigmoid(x)
    elif hasattr(module, "gamma") and hasattr(module, "eps"):
        _normalisation(t, module)
    elif hasattr(module, "kernel_size") and y.ndim == 4:
        t.spread, t.corner = lambda whole: _to_pixels(module, t, whole), lambda: _to_pixels(module, t, None)
    return t


def _normalisation(t: SimpleNamespace, module: Any) -> None:
    shape = getattr(module, "normalized_shape", None)
    axes = tuple(range(-len(shape), 0)) if shape else (0,) + tuple(range(2, t.x.ndim))
    gamma = t.param(module.gamma) if shape else t.param(module.gamma).reshape((1, -1) + (1,) * (t.x.ndim - 2))
    t.mean = lambda a, over=axes: a.mean(axis=over, keepdims=True)
    t.s = 1 / np.sqrt(t.x.var(axis=axes, keepdims=True) + module.eps)
    if not shape and not module.training:
        t.s = 1 / np.sqrt(module.running_var.reshape((1, -1) + (1,) * (t.x.ndim - 2)) + module.eps)
    t.xhat, t.g = (t.x - t.mean(t.x)) * t.s, t.u * gamma
    t.formula = lambda g: (g - t.mean(g) - t.xhat * t.mean(g * t.xhat)) * t.s
    t.over = lambda axis: (t.g - t.mean(t.g, axis) - t.xhat * t.mean(t.g * t.xhat, axis)) * t.s


def _to_pixels(module: Any, t: SimpleNamespace, whole: Optional[int]) -> np.ndarray:
    """Return the gradient that goes to all pixels of a window (whole or shared), or to its first one (None)."""
    (kh, kw), (sh, sw), (ph, pw) = module.kernel_size, module.stride, module.padding
    height, width = t.x.shape[2:]
    dx = np.zeros(t.x.shape[:2] + (height + 2 * ph, width + 2 * pw))
    for r in range(t.y.shape[2]):
        for c in range(t.y.shape[3]):
            g = t.u[:, :, r:r + 1, c:c + 1]
            if whole is None:
                dx[:, :, r * sh:r * sh + 1, c * sw:c * sw + 1] += g
            else:
                dx[:, :, r * sh:r * sh + kh, c * sw:c * sw + kw] += g if whole else g / (kh * kw)
    return dx[:, :, ph:ph + height, pw:pw + width]


# Functions by which a module of another name is recognised: of the first input, and of the labels.
LOOKS: Dict[str, Callable[..., Any]] = {
    "ReLU": lambda x: np.maximum(x, 0), "Sigmoid": lambda x: sigmoid(x), "Tanh": lambda x: np.tanh(x),
    "Softmax": lambda x: softmax(x),
    "Softplus": lambda x: np.logaddexp(x, 0),
    "GELU": lambda x: x * (1 + np.vectorize(erf)(x / 2 ** 0.5)) / 2, "LogSoftmax": lambda x: np.log(softmax(x)),
    "CrossEntropyLoss": lambda x, labels: -np.sum(labels * np.log(softmax(x))) / len(x),
    "MSELoss": lambda x, labels: np.sum((x - labels) ** 2) / 2 / len(x),
    "MeanSquaredError": lambda x, labels: np.mean((x - labels) ** 2),
    "BinaryCrossEntropyLoss": lambda x, labels: np.sum(np.logaddexp(x, 0) - labels * x) / len(x)}


def looks_like(trials: Sequence[Trial]) -> List[str]:
    """Return the names of the library's classes that compute what a module computes."""
    found = []
    for name, function in LOOKS.items():
        try:
            if all(np.allclose(function(*[np.asarray(value, dtype=float) for value in trial.point.inputs]), trial.y,
                               rtol=max(1e-7, trial.sharpness), atol=1e-12) for trial in trials):
                found.append(name)
        except Exception:  # other inputs than such a function has
            continue
    return found


def wrong_formulas(trials: Sequence[Trial]) -> List[Hypothesis]:
    """Return a hypothesis for every known wrong formula of a tensor of what the module is, or looks like."""
    found: List[Hypothesis] = []
    module, index = trials[0].bench.module, trials[0].index
    for name in dict.fromkeys(known_names(module) + looks_like(trials)):
        for cause, words, formula in SLOPES.get(name, ()) if index == 0 else ():
            found.append(Hypothesis(cause, words, partial(_with_upstream, formula)))
            found.append(Hypothesis("upstream gradient ignored", words + ", and the upstream gradient is ignored",
                                    partial(_alone, formula)))
        found += [Hypothesis(cause, words, partial(_alone, formula))
                  for cause, words, formula in GRADIENTS.get(name, ())]
    return found


def _alone(formula: Formula, trial: Trial, k: int) -> Any:
    return 1.0 * formula(quantities(trial, k))


def _with_upstream(formula: Formula, trial: Trial, k: int) -> Any:
    return trial.upstreams[k] * formula(quantities(trial, k))
