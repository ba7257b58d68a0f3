"""Numbers at their edges: infinite logits, float32 whose square overflows, NaN that isn't lost, masks and dates."""
import numpy as np
import pytest

from lib.layers.activations import LeakyReLU
from lib.layers.embedding import Embedding
from lib.layers.losses import BinaryCrossEntropyLoss, L1Loss, MeanSquaredError
from lib.layers.normalization import BatchNorm1d, LayerNorm
from lib.losses import CrossEntropyLoss, MSELoss
from lib.network import Linear
from lib.network_base import Parameter
from lib.regularizers import L1Regularization, L2Regularization
from lib.utilities import one_hot_encoding

INF = np.inf


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("logits, label, loss, softmax", [
    ([-INF, 0.0, 0.0], 1, np.log(2), [0, 0.5, 0.5]), ([0.0, -INF, -INF], 0, 0, [1, 0, 0]),
    ([-INF, 0.0, 1.0], 0, INF, [0, 1 / (1 + np.e), np.e / (1 + np.e)]), ([INF, 0.0, 5.0], 0, 0, [1, 0, 0]),
    ([INF, 0.0, 5.0], 2, INF, [1, 0, 0]), ([INF, INF, 5.0], 0, np.log(2), [0.5, 0.5, 0])])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_infinite_logits_have_the_loss_of_their_limit(dtype, logits, label, loss, softmax):
    loss_fn, labels = CrossEntropyLoss(), np.eye(3)[[label]]
    assert loss_fn(np.array([logits], dtype), labels) == pytest.approx(loss, rel=1e-6)
    grad = loss_fn.backward()
    np.testing.assert_allclose(grad, [softmax] - labels, rtol=1e-6)
    assert grad.dtype == dtype


@pytest.mark.parametrize("z, y, loss", [(INF, 1.0, 0), (-INF, 0.0, 0), (INF, 0.0, INF), (-INF, 1.0, INF),
                                        (INF, 0.5, INF)])
def test_infinite_logits_of_a_yes_no_question(z, y, loss):
    loss_fn = BinaryCrossEntropyLoss()
    assert loss_fn(np.array([z, 0.0]), np.array([y, 1.0])) == pytest.approx((loss + np.log(2)) / 2)
    assert np.isfinite(loss_fn.backward()).all()


@pytest.mark.parametrize("loss_fn", [MSELoss(), MeanSquaredError(), L1Loss()], ids=repr)
def test_float32_whose_square_overflows(loss_fn):
    preds, labels = np.array([[1e30, 2.0]], np.float32), np.array([[-1e30, 1.0]], np.float32)
    difference = np.abs(preds.astype(np.longdouble) - labels)
    expected = {MSELoss: (difference ** 2).sum() / 2, MeanSquaredError: (difference ** 2).mean(),
                L1Loss: difference.sum()}[type(loss_fn)]
    assert loss_fn(preds, labels) == pytest.approx(float(expected), rel=1e-6)
    assert np.isfinite(loss_fn.backward()).all() and loss_fn.backward().dtype == np.float32


@pytest.mark.parametrize("loss_fn, expected", [(MSELoss(), 1.8e77), (MeanSquaredError(), 3.6e77), (L1Loss(), 6e38)],
                         ids=repr)
@pytest.mark.filterwarnings("error")
def test_float32_whose_difference_overflows(loss_fn, expected):
    preds, labels = np.array([[3e38]], np.float32), np.array([[-3e38]], np.float32)
    assert loss_fn(preds, labels) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("penalty, expected", [
    (L2Regularization(1e-200, [Parameter([1e160])]), 5e119), (L2Regularization(0, [Parameter([1e200])]), 0),
    (L1Regularization(1e-3, [Parameter(np.full(4, 1e308))]), 4e305)], ids=repr)
@pytest.mark.filterwarnings("error")
def test_a_penalty_whose_sum_without_lambda_overflows(penalty, expected):
    assert penalty() == pytest.approx(expected)


def test_a_mean_whose_sum_overflows():
    preds = np.full((8, 1), 1.2e154)
    assert MeanSquaredError()(preds, np.zeros((8, 1))) == pytest.approx(1.44e308)
    assert MSELoss()(preds, np.zeros((8, 1))) == pytest.approx(0.72e308)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("height", [0, 700, -700, 3e4, -6e4, 1e17, -1e30])
def test_the_height_of_logits_changes_neither_loss_nor_gradient(dtype, height):
    """A large number swallows the logarithm of a sum: two equal logits had the loss 0 in place of ln 2."""
    if abs(height) > float(np.finfo(dtype).max):
        return
    loss_fn, labels = CrossEntropyLoss(), np.array([[1, 0, 0], [0, 0, 1]])
    logits = np.full((2, 3), height, dtype)
    tolerance = 10 * float(np.finfo(dtype).eps)
    assert loss_fn(logits, labels) == pytest.approx(np.log(3), rel=tolerance)
    np.testing.assert_allclose(loss_fn.backward(), (1 / 3 - labels) / 2, atol=tolerance)


def test_a_loss_of_nothing_is_no_minus_zero():
    assert str(float(CrossEntropyLoss()(np.array([[900.0, 0.0]]), np.array([[1, 0]])))) == "0.0"


def test_logits_of_float32_that_are_far_apart():
    loss_fn = CrossEntropyLoss()
    with np.errstate(over="ignore"):
        assert loss_fn(np.array([[3e38, -3e38]], np.float32), np.array([[0, 1]])) == pytest.approx(6e38, rel=1e-6)
    np.testing.assert_array_equal(loss_fn.backward(), [[1, -1]])


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")  # of the running variance
@pytest.mark.parametrize("layer, axis", [(BatchNorm1d(3), 0), (LayerNorm(3), 1)])
def test_normalising_large_float32(layer, axis):
    x = (1e25 * np.array([[1, 2, 3], [5, 9, 1]])).astype(np.float32)
    exact = x.astype(np.longdouble)
    expected = (exact - exact.mean(axis, keepdims=True)) / exact.std(axis, keepdims=True)
    y = layer.astype(np.float32)(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, expected.astype(float), rtol=1e-5)


@pytest.mark.parametrize("loss_fn", [MSELoss(), MeanSquaredError(), L1Loss(), BinaryCrossEntropyLoss(),
                                     CrossEntropyLoss()], ids=repr)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_nan_is_not_lost(loss_fn):
    preds = np.array([[np.nan, 1.0], [0.5, 2.0]])
    assert np.isnan(loss_fn(preds, np.eye(2)))
    assert np.isnan(loss_fn.backward()[0, 0]) and np.isfinite(loss_fn.backward()[1]).all()


MASKED = np.ma.masked_array([[1.0, 2.0], [3.0, 4.0]], mask=[[True, False], [False, False]])


@pytest.mark.parametrize("call", [
    lambda x: Linear(2, 2)(x), lambda x: MSELoss()(x, np.ones((2, 2))), lambda x: MSELoss()(np.ones((2, 2)), x),
    lambda x: CrossEntropyLoss()(np.ones((2, 2)), x), Parameter, lambda x: one_hot_encoding(x[0].astype(int), 5),
    lambda x: Embedding(5, 2)(x.astype(int))])
def test_a_mask_is_not_dropped(call):
    with pytest.raises(ValueError, match="masked array"):
        call(MASKED)


@pytest.mark.parametrize("values", [np.array([["2020-01-01"]], "datetime64[D]"), np.array([[5]], "timedelta64[s]"),
                                    np.array([["1.5"]]), [["1.5"]]])
def test_dates_and_texts_are_no_numbers(values):
    with pytest.raises(ValueError, match="array of numbers"):
        Linear(1, 1)(values)


@pytest.mark.parametrize("slope", [np.nan, INF])
def test_a_slope_is_finite(slope):
    with pytest.raises(ValueError, match="slope"):
        LeakyReLU(slope)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
