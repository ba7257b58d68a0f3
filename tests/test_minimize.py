"""Training by SciPy's optimisers over one flat vector, and that vector itself."""
from __future__ import annotations

import numpy as np
import pytest

from lib.activations import Sigmoid
from lib.layers.activations import Tanh
from lib.data.regression import load_regression_data
from lib.optimization.minimize import flat_data, flatten, set_flat_data, unflatten
from lib.losses import CrossEntropyLoss
from lib.layers.losses import MeanSquaredError
from lib.optimization.minimize import loss_and_gradient, minimize
from lib.network import Linear, Sequential

pytest.importorskip("scipy", reason="minimize hands the loss to SciPy")


def mlp(hidden, seed=0):
    rng = np.random.default_rng(seed)
    return Sequential(Linear(1, hidden, rng=rng), Sigmoid(), Linear(hidden, 1, rng=rng))


def line_data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((30, 2))
    return x, x @ np.array([[2.0], [-1.0]]) + 0.5 + 0.1 * rng.standard_normal((30, 1))


# ------------------------------------------------------------------ the flat vector

def test_flatten_and_back():
    arrays = [np.arange(6.0).reshape(2, 3), np.array([7.0]), np.zeros((0, 2)), np.array(8.0)]
    vector = flatten(arrays)
    assert vector.tolist() == [0, 1, 2, 3, 4, 5, 7, 8]
    for array, piece in zip(arrays, unflatten(vector, like=arrays)):
        assert np.array_equal(array, piece) and array.shape == piece.shape and np.shares_memory(piece, vector) == (
            array.size > 0)


def test_parameters_as_a_vector():
    model = mlp(3)
    arrays = [param.data for param in model.parameters()]
    vector = flat_data(model.parameters())
    set_flat_data(model.parameters(), 2 * vector)
    assert np.array_equal(flat_data(model.parameters()), 2 * vector)
    assert all(param.data is array for param, array in zip(model.parameters(), arrays))


@pytest.mark.parametrize("size", [9, 11])
def test_a_vector_of_another_size_changes_nothing(size):
    model = mlp(3)
    before = flat_data(model.parameters())
    with pytest.raises(ValueError, match="vector of 10 entries"):
        set_flat_data(model.parameters(), np.ones(size))
    assert np.array_equal(flat_data(model.parameters()), before)


def test_gradient_of_the_vector_is_that_of_finite_differences():
    x, y, _, _ = load_regression_data()
    model = mlp(2)
    params = model.parameters()
    objective = loss_and_gradient(model, MeanSquaredError(), x, y, params)
    vector = np.random.default_rng(1).standard_normal(7)
    _, gradient = objective(vector)
    assert np.array_equal(gradient, objective(vector)[1])  # gradients don't add up from call to call
    step = 1e-6 * np.eye(7)
    numeric = [(objective(vector + h)[0] - objective(vector - h)[0]) / 2e-6 for h in step]
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-8)


# ------------------------------------------------------------------ minimize

@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG"])
def test_finds_the_least_squares_line(method):
    x, y = line_data()
    model = Linear(2, 1)
    result = minimize(model, MeanSquaredError(), x, y, method=method)
    expected, residual, _, _ = np.linalg.lstsq(np.column_stack([x, np.ones(30)]), y, rcond=None)
    tolerance = 1e-3 if method == "L-BFGS-B" else 1e-5
    np.testing.assert_allclose(flat_data(model.parameters()), expected[:, 0], atol=tolerance)
    assert result.loss == pytest.approx(residual[0] / 30, rel=1e-5)
    assert result.converged == [True] and result.num_iterations[0] > 0 and result.best_start == 0


def test_two_hidden_units_reach_the_known_minimum_from_some_start():
    x, y, _, _ = load_regression_data()
    model = mlp(2)
    result = minimize(model, MeanSquaredError(), x, y, n_starts=4, rng=np.random.default_rng(0))
    assert len(result.losses) == len(result.converged) == len(result.messages) == 4
    assert result.loss == min(result.losses) == pytest.approx(0.0796, abs=1e-4)
    assert max(result.losses) > 0.2  # other starts end in other minima
    assert float(MeanSquaredError()(model(x), y)) == pytest.approx(result.loss, rel=1e-12)  # the best was kept


def test_the_first_start_is_from_the_models_own_parameters():
    x, y = line_data()
    model = Linear(2, 1)
    minimize(model, MeanSquaredError(), x, y)
    assert minimize(model, MeanSquaredError(), x, y).num_iterations[0] <= 1


def test_starts_are_drawn_by_the_initializer_asked_for():
    x, y = line_data()
    drawn = []

    def initializer(shape, rng):
        drawn.append(shape)
        return rng.standard_normal(shape)

    result = minimize(Sequential(Linear(2, 2), Tanh(), Linear(2, 1)), MeanSquaredError(), x, y, n_starts=3,
                      initializer=initializer, rng=np.random.default_rng(0), options={"maxiter": 2})
    assert drawn == [(2, 2), (2, 1)] * 2
    assert len(set(result.losses)) == 3 and max(result.num_iterations) <= 2 and not any(result.converged)


def test_repeatable():
    x, y, _, _ = load_regression_data()
    results = [minimize(mlp(2), MeanSquaredError(), x, y, n_starts=3, rng=np.random.default_rng(1),
                        options={"maxiter": 20}) for _ in range(2)]
    assert results[0] == results[1]


def test_classification_too():
    x = np.array([[0.0], [1.0], [2.0], [3.0]])
    labels = np.array([[1, 0], [0, 1], [1, 0], [0, 1]])  # not separable, so the minimum is finite
    result = minimize(Linear(1, 2), CrossEntropyLoss(), x, labels)
    assert 0 < result.loss < np.log(2)


def test_a_start_that_fails_doesnt_spoil_the_others():
    x, y = line_data()
    model = Linear(2, 1)
    result = minimize(model, MeanSquaredError(), x, y, n_starts=2,
                      initializer=lambda shape, rng: np.full(shape, np.nan))
    assert np.isnan(result.losses[1]) and result.best_start == 0
    assert np.isfinite(flat_data(model.parameters())).all()


class FailsLater(MeanSquaredError):
    """A loss that is interrupted after some calls."""
    calls = 0

    def forward(self, preds, labels):
        self.calls += 1
        if self.calls > 20:
            raise KeyboardInterrupt
        return super().forward(preds, labels)


def test_an_interrupt_keeps_the_best_so_far():
    x, y = line_data()
    model = Linear(2, 1)
    before = float(MeanSquaredError()(model(x), y))
    with pytest.raises(KeyboardInterrupt):
        minimize(model, FailsLater(), x, y, n_starts=10)
    assert float(MeanSquaredError()(model(x), y)) < 0.1 * before


def test_errors_are_sentences_and_change_nothing():
    x, y = line_data()
    model = Linear(2, 1)
    before = flat_data(model.parameters())
    with pytest.raises(ValueError, match="'bfsg'"):
        minimize(model, MeanSquaredError(), x, y, method="bfsg")
    with pytest.raises(ValueError, match="finite loss"):
        minimize(model, MeanSquaredError(), x, y * np.nan)
    with pytest.raises(ValueError, match="no parameters"):
        minimize(Tanh(), MeanSquaredError(), x, x)
    with pytest.raises(ValueError, match="n_starts"):
        minimize(model, MeanSquaredError(), x, y, n_starts=0)
    assert np.array_equal(flat_data(model.parameters()), before)


@pytest.mark.slow
@pytest.mark.parametrize("hidden, expected", [(1, 0.373), (2, 0.0796), (3, 0.0073)])
def test_ten_starts_reach_the_sheets_errors(hidden, expected):
    x, y, _, _ = load_regression_data()
    result = minimize(mlp(hidden), MeanSquaredError(), x, y, n_starts=10, rng=np.random.default_rng(0))
    assert result.loss == pytest.approx(expected, rel=0.01)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
