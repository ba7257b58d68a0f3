"""Dropout, the L1 and L2 penalties, and the cross-entropy with a penalty."""
import numpy as np
import pytest

from lib.gradient_checking.discovery import examples_of
from lib.activations import ReLU
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential
from lib.network_base import Parameter
from lib.regularizers import Dropout, L1Regularization, L2Regularization, RegularizedCrossEntropy
from tests.finite_differences import assert_backward_is_right, numeric_gradient

PENALTIES = [L1Regularization, L2Regularization]


@pytest.mark.parametrize("number", range(2))
def test_dropout_finite_differences(rng, number):
    module, inputs = examples_of(Dropout, rng)[number]
    assert_backward_is_right(module, inputs)
    module.check_gradients(inputs)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_dropout_deletes_the_right_share_and_keeps_the_mean(p):
    x = np.ones((400, 100))
    y = Dropout(p)(x)
    assert set(np.unique(y.round(9))) == {0.0, round(1 / (1 - p), 9)}
    assert abs((y == 0).mean() - p) < 0.01  # 4 standard deviations at 40,000 draws
    assert abs(y.mean() - 1) < 0.05


def test_dropout_sends_the_gradient_through_the_same_mask(rng):
    dropout = Dropout(0.3)
    x = rng.uniform(1, 2, (20, 30))
    y = dropout(x)
    grad = rng.standard_normal(x.shape)
    np.testing.assert_allclose(dropout.backward(grad), grad * (y / x))


def test_dropout_is_off_in_evaluation_mode_and_has_no_backward_there(rng):
    model = Sequential(Linear(4, 5), Dropout(0.5))
    dropout = model.modules[1]
    x, grad = rng.standard_normal((3, 4)), rng.standard_normal((3, 5))
    model.eval()
    np.testing.assert_array_equal(model(x), model.modules[0](x))
    with pytest.raises(ValueError, match="evaluation mode"):
        dropout.backward(grad)
    model.train()
    with pytest.raises(ValueError, match="evaluation mode"):  # that of the last forward
        dropout.backward(grad)
    assert (model(x) == 0).any()
    dropout.eval()
    with pytest.raises(ValueError, match="evaluation mode"):
        dropout.backward(grad)


def test_the_mask_is_numpys_binomial_times_the_scale(rng):
    x = rng.standard_normal((6, 7))
    np.random.seed(3)
    y = Dropout(0.3)(x)
    np.random.seed(3)
    mask = np.random.binomial(1, 1 - 0.3, x.shape) / (1 - 0.3)
    np.testing.assert_allclose(y, x * mask)


def test_masks_differ_from_call_to_call_unless_the_seed_is_fixed(rng):
    x = rng.uniform(1, 2, (10, 10))
    free, fixed = Dropout(0.5), Dropout(0.5, fix_seed=True)
    assert (free(x) != free(x)).any()
    np.testing.assert_array_equal(fixed(x), fixed(x))


def test_masks_are_repeated_by_the_global_seed_and_by_a_generator(rng):
    x = rng.uniform(1, 2, (10, 10))
    np.random.seed(3)
    first = Dropout(0.5)(x)
    np.random.seed(3)
    np.testing.assert_array_equal(Dropout(0.5)(x), first)
    one, two = (Dropout(0.5, rng=np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one(x), two(x))


def test_a_fixed_seed_is_set_before_each_mask_while_training(rng):
    x = rng.standard_normal((4, 5))
    np.random.seed(0)
    mask = np.random.binomial(1, 0.5, x.shape) / 0.5
    after = np.random.random_sample()
    dropout = Dropout(0.5, fix_seed=True)
    for _ in range(2):
        np.testing.assert_array_equal(dropout(x), x * mask)
        assert np.random.random_sample() == after
    np.random.seed(3)
    expected = np.random.random_sample()
    np.random.seed(3)
    dropout.eval()(x)
    assert np.random.random_sample() == expected


def test_dropout_of_nothing_and_of_everything(rng):
    x = rng.standard_normal((3, 4))
    np.testing.assert_array_equal(Dropout(0.0)(x), x)
    everything = Dropout(1.0)
    np.testing.assert_array_equal(everything(x), np.zeros_like(x))
    np.testing.assert_array_equal(everything.backward(x), np.zeros_like(x))


def test_dropout_stays_float32(rng):
    dropout = Dropout(0.3)
    x = rng.standard_normal((3, 4)).astype(np.float32)
    assert dropout(x).dtype == dropout.backward(x).dtype == np.float32


@pytest.mark.parametrize("p", [-0.1, 1.5, None, float("nan")])
def test_dropout_refuses_what_is_no_probability(p):
    with pytest.raises(ValueError, match="Dropout expects p_delete"):
        Dropout(p)


def test_dropout_backward_needs_forward():
    with pytest.raises(AssertionError, match="before forward"):
        Dropout().backward(np.ones((2, 2)))


def test_penalties_of_known_numbers():
    params = [Parameter([[1.0, -2.0]]), Parameter([3.0, 0.0])]
    l1, l2 = L1Regularization(0.1, params), L2Regularization(0.1, params)
    assert l1() == pytest.approx(0.6) and isinstance(l1(), float)
    assert l2() == pytest.approx(0.7) and isinstance(l2(), float)
    l1.backward()
    np.testing.assert_allclose(params[0].grad, [[0.1, -0.1]])
    np.testing.assert_allclose(params[1].grad, [0.1, 0.0])
    l2.backward()  # adds to what is there
    np.testing.assert_allclose(params[0].grad, [[0.2, -0.3]])
    np.testing.assert_allclose(params[1].grad, [0.4, 0.0])
    l1.backward()
    np.testing.assert_allclose(params[0].grad, [[0.3, -0.4]])


@pytest.mark.parametrize("penalty_class", PENALTIES)
def test_penalty_finite_differences(rng, penalty_class):
    params = [Parameter(rng.standard_normal(shape), name="p") for shape in ((3, 2), (2,), ())]
    penalty = penalty_class(0.7, params)
    penalty.backward()
    for param in params:
        np.testing.assert_allclose(param.grad, numeric_gradient(penalty, param.data), rtol=1e-6, atol=1e-8)
    penalty.check_gradients_wrt_params((), 1e-6)


@pytest.mark.parametrize("penalty_class", PENALTIES)
def test_penalty_on_fresh_parameters_as_the_sheet_checks_it(penalty_class):
    model = Sequential(Linear(3, 4), ReLU(), Linear(4, 2))
    penalty = penalty_class(0.01, model.parameters())
    assert list(penalty.params) == list(model.parameters()) and penalty.backward() is None
    penalty.check_gradients_wrt_params((), 1e-6)


@pytest.mark.parametrize("penalty_class", PENALTIES)
def test_penalty_accepts_any_iterable_and_ignores_an_upstream_gradient(penalty_class):
    model = Linear(3, 2)
    penalty = penalty_class(0.5, (param for param in model.parameters()))
    assert penalty() == penalty() > 0
    penalty.backward()
    once = model.W.grad.copy()
    model._zero_grad()
    penalty.backward(np.float64(7))
    np.testing.assert_array_equal(model.W.grad, once)


@pytest.mark.parametrize("penalty_class", PENALTIES)
def test_a_parameter_that_stands_there_twice_counts_once(penalty_class):
    w = Parameter([2.0])
    once, twice = penalty_class(0.5, [w]), penalty_class(0.5, [w, w])
    assert once() == twice() > 0
    twice.backward()
    assert w.grad == pytest.approx([0.5 if penalty_class is L1Regularization else 1.0])


@pytest.mark.parametrize("penalty_class", PENALTIES)
def test_penalty_keeps_float32_and_survives_a_change_of_precision(penalty_class):
    model = Linear(3, 2)
    penalty = penalty_class(0.5, model.parameters())
    model.astype(np.float32)
    penalty.backward()
    assert model.W.grad.dtype == np.float32
    assert (model.W.grad != 0).all()


@pytest.mark.parametrize("penalty_class", PENALTIES)
def test_penalty_refuses_what_are_no_parameters(penalty_class):
    model = Linear(3, 2)
    with pytest.raises(ValueError, match=r"model.parameters\(\)"):
        penalty_class(0.1, model)
    with pytest.raises(ValueError, match="ndarray among them"):
        penalty_class(0.1, [model.W.data])
    with pytest.raises(ValueError, match="lambd"):
        penalty_class(-0.1, model.parameters())
    model.W.grad = None
    with pytest.raises(AssertionError, match="zero_grad"):
        penalty_class(0.1, model.parameters()).backward()


@pytest.mark.parametrize("penalty_class", PENALTIES)
def test_regularized_cross_entropy_is_the_sum(rng, penalty_class):
    model = Sequential(Linear(3, 4), ReLU(), Linear(4, 2))
    x, labels = rng.standard_normal((5, 3)), np.eye(2)[[0, 1, 1, 0, 1]]
    penalty, plain = penalty_class(0.1, model.parameters()), CrossEntropyLoss()
    loss = RegularizedCrossEntropy(regularization_loss=penalty)
    preds = model(x)
    assert loss(preds, labels) == pytest.approx(plain(preds, labels) + penalty(), rel=1e-12)
    assert isinstance(loss(preds, labels), float)
    np.testing.assert_array_equal(loss.backward(), plain.backward())


@pytest.mark.parametrize("penalty_class", PENALTIES)
def test_gradients_of_a_regularized_training_step(rng, penalty_class):
    model = Sequential(Linear(3, 4), ReLU(), Linear(4, 2))
    for param in model.parameters():
        param.data = rng.standard_normal(param.data.shape)
    x, labels = rng.standard_normal((5, 3)), np.eye(2)[[0, 1, 1, 0, 1]]
    loss = RegularizedCrossEntropy(penalty_class(0.1, model.parameters()))
    loss(model(x), labels)
    model.backward(loss.backward())
    for param in model.parameters():
        expected = numeric_gradient(lambda: loss(model(x), labels), param.data)
        np.testing.assert_allclose(param.grad, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("number", range(2))
def test_regularized_cross_entropy_finite_differences(rng, number):
    module, inputs = examples_of(RegularizedCrossEntropy, rng)[number]
    assert_backward_is_right(module, inputs)
    module.check_gradients(inputs)


def test_regularized_cross_entropy_expects_a_penalty():
    with pytest.raises(ValueError, match="L2Regularization"):
        RegularizedCrossEntropy(0.1)
    with pytest.raises(AssertionError, match="before forward"):
        RegularizedCrossEntropy(L2Regularization(0.1, Linear(2, 2).parameters())).backward()


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
