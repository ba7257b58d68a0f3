"""Sheet 5, regularisation: what its files must do, whoever wrote them. Nothing beyond the sheet is asked for."""
from __future__ import annotations

import numpy as np
import pytest

from lib.activations import ReLU
from lib.losses import CrossEntropyLoss
from lib.model_training import train
from lib.network import Linear, Sequential
from lib.network_base import Parameter
from lib.optimizers import SGD
from lib.regularizers import Dropout, L1Regularization, L2Regularization, RegularizedCrossEntropy
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


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
