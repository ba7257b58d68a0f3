"""Sheet 5, regularisation: what its files must do, whoever wrote them. Nothing beyond the sheet is asked for."""
from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from lib import experiments, plot, utilities
from lib.activations import ReLU
from lib.losses import CrossEntropyLoss
from lib.model_training import train
from lib.network import Linear, Sequential
from lib.network_base import Module, Parameter
from lib.optimizers import SGD
from lib.regularizers import Dropout, L1Regularization, L2Regularization, RegularizedCrossEntropy
from tests.digits import put_in_the_place_of_mnist, some_digits
from tests.drawings import drawing_of, pixels
from tests.finite_differences import numeric_gradient


def test_dropouts_mask_is_numpys_binomial_scaled(rng):
    x, grad = rng.standard_normal((4, 6)), rng.standard_normal((4, 6))
    for p_delete in (0.5, 0.2):
        dropout = Dropout(p_delete)
        np.random.seed(3)
        y = dropout(x)
        np.random.seed(3)
        mask = np.random.binomial(1, 1 - p_delete, x.shape) / (1 - p_delete)
        np.testing.assert_allclose(y, x * mask)
        np.testing.assert_allclose(dropout.backward(grad), grad * mask)
    assert Dropout().p_delete == 0.5


def test_with_fix_seed_each_training_forward_sets_the_seed_to_0(rng):
    x = rng.standard_normal((4, 6))
    np.random.seed(0)
    mask = np.random.binomial(1, 0.5, x.shape) / 0.5
    dropout = Dropout(0.5, fix_seed=True)
    for seed in (1, 2):
        np.random.seed(seed)
        np.testing.assert_allclose(dropout(x), x * mask)
    dropout.check_gradients((x,))


def test_dropout_in_evaluation_mode_is_the_identity_without_a_backward(rng):
    x = rng.standard_normal((4, 6))
    model = Sequential(Dropout(0.5)).eval()
    np.testing.assert_array_equal(model(x), x)
    with pytest.raises(ValueError):
        model.modules[0].backward(x)
    model.train()
    assert (model(x) == 0).any()


@pytest.mark.parametrize("penalty_class, value, slope", [
    (L1Regularization, lambda w: np.abs(w).sum(), np.sign),
    (L2Regularization, lambda w: 0.5 * (w ** 2).sum(), lambda w: w)])
def test_a_penalty_and_its_gradient(penalty_class, value, slope, rng):
    params = [Parameter(rng.standard_normal((3, 2))), Parameter(rng.standard_normal(4))]
    penalty = penalty_class(0.3, params)
    assert list(penalty.params) == params
    assert penalty.forward() == pytest.approx(0.3 * sum(value(param.data) for param in params))
    for param in params:
        param.grad = np.ones_like(param.data)
    assert penalty.backward() is None
    for param in params:
        np.testing.assert_allclose(param.grad, 1 + 0.3 * slope(param.data))
    assert penalty.backward(None) is None


@pytest.mark.parametrize("penalty_class", [L1Regularization, L2Regularization])
def test_the_checks_of_the_sheet_on_fresh_parameters(penalty_class):
    model = Sequential(Linear(3, 4), ReLU(), Linear(4, 2))
    penalty_class(0.1, model.parameters()).check_gradients_wrt_params((), 1e-6)


@pytest.mark.parametrize("penalty_class", [L1Regularization, L2Regularization])
def test_the_regularized_cross_entropy(penalty_class, rng):
    model = Sequential(Linear(3, 5), ReLU(), Linear(5, 2))
    for param in model.parameters():
        param.data = rng.standard_normal(param.data.shape)
    x, labels = rng.standard_normal((6, 3)), np.eye(2)[[0, 1, 1, 0, 1, 0]]
    penalty = penalty_class(0.1, model.parameters())
    loss_fn = RegularizedCrossEntropy(penalty)
    preds = model(x)
    assert loss_fn(preds, labels) == pytest.approx(CrossEntropyLoss()(preds, labels) + penalty.forward())
    for param in model.parameters():
        param.grad = np.zeros_like(param.data)
    model.backward(loss_fn.backward())
    for param in model.parameters():
        expected = numeric_gradient(lambda: loss_fn(model(x), labels), param.data)
        np.testing.assert_allclose(param.grad, expected, rtol=1e-6, atol=1e-8)


def test_train_prints_every_few_epochs(capsys, rng):
    x, y = rng.standard_normal((20, 3)), np.eye(2)[np.arange(20) % 2]
    printed = []
    for print_every in (1, 2):
        np.random.seed(0)
        model = Sequential(Linear(3, 4), Dropout(0.5), Linear(4, 2))
        optimizer = SGD(model.parameters(), lr=0.1)
        curves = train(model, CrossEntropyLoss(), optimizer, x, y, x, y, 6, 5, print_every=print_every)
        printed.append(len(capsys.readouterr().out.splitlines()))
        assert all(np.shape(curve) == (6,) for curve in curves)
    assert printed[0] == 2 * printed[1] > 0


def test_train_models_trains_with_regularisers_and_the_distribution_of_the_weights_is_drawn(monkeypatch, tmp_path):
    layers, regularizers = {}, set()  # each layer's weights as they began; the regularisers whose backward was called

    def recording(cls, method, note):
        right = getattr(cls, method)

        def record(self, *args):
            note(self)
            return right(self, *args)
        monkeypatch.setattr(cls, method, record)

    recording(Linear, "forward", lambda linear: layers.setdefault(linear, linear.W.data.copy()))
    for cls in (Dropout, L1Regularization, L2Regularization):
        recording(cls, "backward", lambda regularizer: regularizers.add(type(regularizer)))
    put_in_the_place_of_mnist(monkeypatch, some_digits())
    monkeypatch.chdir(tmp_path)
    experiments.train_models()
    assert regularizers & {L1Regularization, L2Regularization}, "no model was trained with a penalty on its weights"
    assert layers and all(np.any(linear.W.data != start) for linear, start in layers.items()), \
        "the weights of a layer have never changed"
    assert list(tmp_path.glob("results/*")), "nothing was saved by save_result"

    try:
        before = drawing_of(plot.plot_distribution)
    except FileNotFoundError:
        if is_of_the_library(experiments) == is_of_the_library(plot):
            raise
        pytest.skip("plot_distribution draws what a train_models by the same hand saves: the sheet gives it no name")
    assert len(set(before.bars)) > 3 or any(np.ptp(y) > 0 for _, y, _ in before.curves), "there is no distribution"
    for path in tmp_path.glob("results/*"):
        utilities.save_result(path.stem, other_weights(utilities.load_result(path.stem)))
    after = drawing_of(plot.plot_distribution)
    assert before.bars != after.bars or pixels(before) != pixels(after), "the picture doesn't show what was saved"


def is_of_the_library(module):
    """Return whether a file is lib's own, not a student's, which has no use for what lies beyond the sheets."""
    text = Path(module.__file__).read_text(encoding="utf-8")
    return re.search(r"lib\.(inspection\.figures|fitting)", text) is not None


def other_weights(result):
    """Return a saved result in which all arrays hold other numbers."""
    if isinstance(result, dict):
        return {name: other_weights(value) for name, value in result.items()}
    if isinstance(result, (list, tuple)):
        return type(result)(map(other_weights, result))
    if isinstance(result, np.ndarray) and result.dtype.kind == "f":
        return result ** 3 + 0.01 * np.arange(result.size).reshape(result.shape) / result.size
    if isinstance(result, (Module, Parameter)):
        for param in [result] if isinstance(result, Parameter) else result.parameters():
            param.data = other_weights(param.data)
    return result


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
