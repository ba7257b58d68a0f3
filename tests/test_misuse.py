"""What would be wrong in silence: two forwards and two backwards, modules at two places, shared arrays."""
import copy
import warnings

import numpy as np
import pytest

from lib.activations import ReLU, Sigmoid, Softmax
from lib.convolutions import Conv2d, Flatten, calculate_conv_output
from lib.data.batches import Batches, train_test_split
from lib.data.shapes import make_moons
from lib.fitting.checks import require_measures
from lib.fitting.fit import fit
from lib.gradient_checking.discovery import examples_of, module_classes
from lib.inspection.figures.curves import plot_history
from lib.inspection.prediction import predict
from lib.inspection.summary import summary
from lib.layers.activations import LeakyReLU, Tanh
from lib.layers.attention import SelfAttention
from lib.layers.embedding import Embedding
from lib.layers.initializers import initialize
from lib.layers.losses import BinaryCrossEntropyLoss
from lib.layers.residual import Residual
from lib.layers.weighted import WeightedLoss
from lib.losses import CrossEntropyLoss, MSELoss
from lib.lr_schedulers import PiecewiseConstantLR
from lib.model_evaluation import accuracy, evaluate
from lib.network import Linear, Sequential
from lib.network_base import Module, Parameter, is_loss
from lib.optimization.clipping import clip_grad_norm, clip_grad_value
from lib.optimization.minimize import flat_data, minimize
from lib.optimization.schedules import StepLR
from lib.optimizers import SGD, Adam
from lib.regularizers import Dropout, L2Regularization
from lib.saving.model_files import load, save
from lib.steps.many_networks import train_many
from lib.training import train
from lib.validation import InputError

SITUATIONS = [pytest.param(module, inputs, id=name) for name, cls in module_classes().items()
              for module, inputs in examples_of(cls, np.random.default_rng(0))[:1]
              if inputs and name not in ("Dummy", "Sequential")]


def classifier():
    return Sequential(Linear(4, 5), ReLU(), Linear(5, 3))


X, Y = np.random.default_rng(0).standard_normal((6, 4)), np.eye(3)[np.arange(6) % 3]
MASKED = np.ma.masked_array(0.1, mask=True)


@pytest.mark.parametrize("wrong", [
    lambda: Linear(2, 3, rng=5), lambda: Conv2d(1, 1, 3, rng="seed"), lambda: Embedding(3, 2, rng=0.5),
    lambda: Dropout(0.5, rng=1), lambda: Batches(X, Y, 2, rng=3), lambda: initialize(classifier(), "he", rng=0),
    lambda: make_moons(20, rng=7), lambda: minimize(classifier(), CrossEntropyLoss(), X, Y, rng=7),
    lambda: Linear(2, 3, bias="no"), lambda: Conv2d(1, 1, 3, bias="no"), lambda: SelfAttention(4, causal="no"),
    lambda: Dropout(0.5, fix_seed="no"), lambda: SGD(classifier().parameters(), momentum=0.9, nesterov="no"),
    lambda: Batches(X, Y, 2, shuffle="no"), lambda: Batches(X, Y, 2, drop_last=np.array([True, False])),
    lambda: minimize(classifier(), CrossEntropyLoss(), X, Y, compiled="no"),
    lambda: minimize(classifier(), CrossEntropyLoss(), 3.0, Y), lambda: minimize(classifier(), MSELoss(), X, Y, 3),
    lambda: minimize(classifier(), CrossEntropyLoss(), X, Y, options="fast"),
    lambda: train_many(classifier, CrossEntropyLoss(), X, Y, 1, 2, compiled="no"),
    lambda: train_many(classifier, CrossEntropyLoss(), X, Y, 1, 2, chunk_bytes="many"),
    lambda: train_many(classifier, CrossEntropyLoss(), X, Y, 1, 2.5),
    lambda: train_many(classifier, CrossEntropyLoss(), 1.0, Y, 1, 2),
    lambda: train_many(classifier, CrossEntropyLoss(), X, Y, 1, 2, hyperparams="momentum"),
    lambda: train(classifier(), CrossEntropyLoss(), None, X, Y, X, Y, 1, 2, compiled="no"),
    lambda: train_test_split(X, test_size="half"), lambda: train_test_split(X, seed="a"),
    lambda: train_test_split(list(np.ma.array(X))), lambda: predict(classifier(), 3.0), lambda: plot_history([1.0]),
    lambda: L2Regularization(0.1, 3.0), lambda: Flatten()(2.0), lambda: calculate_conv_output(5, 3),
    lambda: calculate_conv_output("ab", 3), lambda: Linear(4, 2)(10 ** 400), lambda: Linear(4, 2)(list(np.ma.array(X))),
    lambda: WeightedLoss(CrossEntropyLoss())(X, Y[:3]), lambda: WeightedLoss(CrossEntropyLoss(), 2.0),
    lambda: SGD(classifier().parameters(), lr=True), lambda: SGD(classifier().parameters(), lr=np.array([0.1])),
    lambda: SGD(classifier().parameters(), lr=0.1, weight_decay=MASKED),
    lambda: ReLU()(X * 1j), lambda: Linear(4, 2)(X + 0j), lambda: CrossEntropyLoss()(Y * 1j, Y),
    lambda: MSELoss()(Y, Y + 0j), lambda: LeakyReLU(True), lambda: LeakyReLU("0.1"), lambda: LeakyReLU(None),
    lambda: Residual(None), lambda: Residual(Linear), lambda: Residual([Linear(3, 3)]), lambda: Residual(ReLU(), 1),
    lambda: accuracy(Y, [[1, 2], [3]]), lambda: accuracy(Y.astype("datetime64[D]"), Y),
    lambda: accuracy(np.ma.masked_array(Y, mask=Y > 0), Y), lambda: accuracy(Y, Y * 1j),
    lambda: evaluate(X, None, classifier(), CrossEntropyLoss(), 2),
    lambda: evaluate(X, Y, classifier(), lambda preds, labels: 0.0, 2),
    lambda: evaluate(np.ma.masked_array(X, mask=X > 0), Y, classifier(), CrossEntropyLoss(), 2),
    lambda: PiecewiseConstantLR(SGD(classifier().parameters()), 3, 0.1),
    lambda: PiecewiseConstantLR(SGD(classifier().parameters()), [3], {0.1}),
    lambda: train(classifier(), CrossEntropyLoss(), SGD(classifier().parameters()), X, Y, X, Y, 1, 2, scheduler=0.1),
    lambda: StepLR(SGD(classifier().parameters()), 2, gamma=-0.1), lambda: evaluate(X, Y, [Linear], MSELoss(), 2),
    lambda: clip_grad_norm(None, 1.0), lambda: clip_grad_norm("Wb", 1.0), lambda: clip_grad_value(3, 1.0),
    lambda: save("model.npz", classifier()), lambda: save(Linear, "model.npz"), lambda: load([ReLU()], "model.npz"),
    lambda: initialize([Linear(2, 2)], "he"), lambda: initialize(classifier(), ReLU()), lambda: summary(None, (4,)),
    lambda: summary(classifier(), None), lambda: summary(classifier(), 1.5), lambda: predict(ReLU, X),
    lambda: predict(classifier(), np.ma.masked_array(X, mask=X > 0)), lambda: minimize([], CrossEntropyLoss(), X, Y),
    lambda: minimize(classifier(), None, X, Y), lambda: minimize(classifier(), CrossEntropyLoss(), None, Y),
    lambda: minimize(classifier(), CrossEntropyLoss(), X, Y * 1j),
    lambda: fit(classifier(), CrossEntropyLoss(), SGD(classifier().parameters()), X, Y, 1, early_stopping=3),
    lambda: require_measures(["error"], None, False), lambda: train_many(classifier(), None, X, Y, 1),
    lambda: train_many(classifier, CrossEntropyLoss, X, Y, 1), lambda: train_many(None, CrossEntropyLoss(), X, Y, 1),
    lambda: train_many(classifier, CrossEntropyLoss(), X, np.ma.masked_array(Y, mask=Y > 0), 1)])
def test_what_is_no_such_thing_gets_a_sentence(wrong):
    with pytest.raises(InputError, match="but got|got None|masked|(labels|data) first|expects parameters|trains none"):
        wrong()


def run_backward(module, output):
    return module.backward() if is_loss(module) else module.backward(np.ones(np.shape(output)))


@pytest.mark.parametrize("module, inputs", SITUATIONS)
def test_a_second_backward_after_two_forwards_is_refused(module, inputs):
    module = copy.deepcopy(module)
    for _ in range(2):  # forward, backward, backward
        output = module(*inputs)
        run_backward(module, output)
        run_backward(module, output)
    module(*inputs)
    output = module(*inputs)
    run_backward(module, output)  # forward, forward, backward
    with pytest.raises(RuntimeError, match="backward was called twice after several forward passes"):
        run_backward(module, output)
    run_backward(module, module.forward(*inputs))  # and all is well again


def test_siamese_networks(rng):
    shared = Sequential(Linear(3, 2), Tanh())
    left, right = shared(rng.standard_normal((4, 3))), shared(rng.standard_normal((4, 3)))
    shared.backward(left - right)
    with pytest.raises(RuntimeError, match="after each forward"):
        shared.backward(right - left)


@pytest.mark.parametrize("make", [
    lambda m, a: Sequential(Sequential(m, a), Linear(3, 3), a), lambda m, a: Sequential(m, Residual(m)),
    lambda m, a: Sequential(Residual(Sequential(m, a)), Sequential(a)), lambda m, a: Residual(m, shortcut=m),
    lambda m, a: Sequential(m, m)])
def test_the_same_object_at_two_places(rng, make):
    model = make(Linear(3, 3), Sigmoid())
    model(rng.standard_normal((2, 3)))
    with pytest.raises(RuntimeError, match="twice|several places"):
        model.backward(np.ones((2, 3)))


class Cube(Module):
    """A user's module without any check."""

    def forward(self, x):
        self.x = x
        return x ** 3

    def backward(self, grad):
        return grad * 3 * self.x ** 2


@pytest.mark.parametrize("train", [
    lambda model, x, y: fit(model, MSELoss(), SGD(model.parameters(), lr=0.1), x, y, epochs=1),
    lambda model, x, y: minimize(model, MSELoss(), x, y)], ids=["fit", "minimize"])
def test_who_trains_refuses_what_would_be_wrong(rng, train):
    x, y, cube = rng.standard_normal((6, 3)), rng.standard_normal((6, 3)), Cube()
    with pytest.raises(ValueError, match="same Cube object stands at several places"):
        train(Sequential(Sequential(Linear(3, 3), cube), Linear(3, 3), cube), x, y)
    with pytest.raises(ValueError, match=r"Forgetful.second.W as it is: Forgetful.parameters\(\) doesn't list it"):
        train(Forgetful(), x, y)
    with pytest.raises(ValueError, match="has no parameters|nothing to train"):
        train(Sequential(ReLU()), x, y)
    model = Forgetful()
    model.second.W.constant = model.second.b.constant = True  # said, not forgotten
    before = model.second.W.data.copy()
    train(model, x, y)
    np.testing.assert_array_equal(model.second.W.data, before)


class Forgetful(Module):
    """Two layers, of which parameters() lists one."""

    def __init__(self):
        self.first, self.second = Linear(3, 3), Linear(3, 3)

    def parameters(self):
        return self.first.parameters()

    def forward(self, x):
        return self.second(self.first(x))

    def backward(self, grad):
        return self.first.backward(self.second.backward(grad))


@pytest.mark.parametrize("optimizer", [SGD, Adam])
def test_an_optimiser_needs_parameters(optimizer):
    with pytest.raises(ValueError, match="no parameters"):
        optimizer([])


def test_a_shared_parameter_counts_once():
    shared = Parameter(np.array([3.0, 4.0]), name="W")
    shared.grad = np.array([3.0, 4.0])
    assert clip_grad_norm([shared, shared], 1.0) == pytest.approx(5)
    assert np.linalg.norm(shared.grad) == pytest.approx(1)
    clip_grad_value([shared, shared], 0.5)
    assert flat_data([shared, shared]).tolist() == [3, 4]


@pytest.mark.parametrize("scale", [1e30, 1e-30, 1e-44])
def test_the_norm_of_float32_neither_overflows_nor_vanishes(scale):
    param = Parameter(np.zeros(2, np.float32))
    param.grad = np.array([3, 4], np.float32) * np.float32(scale)
    expected = np.linalg.norm(param.grad.astype(np.longdouble))
    assert clip_grad_norm([param], np.float64(expected) / 2) == pytest.approx(float(expected), rel=1e-6)


def test_nan_and_infinity_in_a_gradient_are_told():
    param = Parameter(np.zeros(2))
    for bad in (np.nan, np.inf):
        param.grad = np.array([bad, 1.0])
        assert not np.isfinite(clip_grad_norm([param], 1.0)) and param.grad[1] == 1


# -------------------------------------------------------------------- whose array is it?


def test_two_models_given_the_same_array_do_not_influence_each_other():
    W0 = np.ones((2, 2))
    first, second = Linear(2, 2), Linear(2, 2)
    first.W.data = W0
    second.W.data = W0
    third = Parameter(W0)
    first.W.data -= 1
    assert W0.all() and second.W.data.all() and third.data.all() and not first.W.data.any()
    first.W.data = W0.T
    first.W.data[0, 0] = 7
    assert W0[0, 0] == 1


def test_a_parameters_own_array_is_shared():
    first, second = Linear(2, 3), Linear(3, 2)
    second.W.data = first.W.data.T  # tied
    first.W.data -= 1
    np.testing.assert_array_equal(second.W.data, first.W.data.T)
    own = first.W.data
    first.W.data = own
    assert first.W.data is own


def test_a_copy_of_a_model_shares_nothing_with_it_and_can_be_tied_in_itself():
    model = Sequential(Linear(2, 3), Linear(3, 2))
    twin = copy.deepcopy(model)
    twin.modules[0].W.data += 1
    assert not np.array_equal(twin.modules[0].W.data, model.modules[0].W.data)
    twin.modules[1].W.data = twin.modules[0].W.data.T
    twin.modules[0].W.data += 1
    np.testing.assert_array_equal(twin.modules[1].W.data, twin.modules[0].W.data.T)


def test_pieces_of_one_flat_vector_are_shared_with_it_but_one_piece_is_not_given_twice():
    flat = np.arange(10.0)
    W, b = Parameter(flat[:8].reshape(4, 2)), Parameter(flat[8:])
    W.data -= 1
    b.data -= 1
    assert flat.tolist() == list(range(-1, 9))
    stacked = np.ones((2, 2, 2))
    one, other = Parameter(stacked[0]), Parameter(stacked[0])
    one.data[...] = 9
    assert other.data.tolist() == [[1, 1], [1, 1]]


def test_an_array_that_belonged_to_a_parameter_before_does_not_any_more():
    param, other = Parameter(np.zeros(3)), Parameter(np.zeros(3))
    old = param.data
    param.data = np.ones(3)
    other.data = old
    other.data += 1
    assert not old.any()


@pytest.mark.parametrize("module, inputs", SITUATIONS + [
    pytest.param(module, (np.ones((2, 1, 4, 4)),), id=repr(module)) for module in (Flatten(), Conv2d(1, 1, (1, 1)))])
def test_what_a_module_returns_is_no_view_of_what_it_was_given(module, inputs):
    module = copy.deepcopy(module)
    output = module(*inputs)
    assert not any(np.shares_memory(output, given) for given in inputs)
    if np.ndim(output):
        upstream = np.ones(np.shape(output))
        assert not np.shares_memory(module.backward(upstream), upstream)


@pytest.mark.parametrize("activation, loss_fn, name", [
    (Softmax(), CrossEntropyLoss(), "Softmax"), (Sigmoid(), BinaryCrossEntropyLoss(), "Sigmoid")])
def test_an_activation_that_the_loss_contains_already(rng, activation, loss_fn, name):
    model, y = Sequential(Linear(3, 2), activation), np.eye(2)[[0, 1, 0]]
    with pytest.warns(UserWarning, match=f"contains the {name} already"):
        loss_fn(model(rng.standard_normal((3, 3))), y)
    with pytest.warns(UserWarning, match=f"contains the {name} already"):
        fit(model, loss_fn, SGD(model.parameters(), lr=0.1), rng.standard_normal((3, 3)), y, epochs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        probabilities = activation(rng.standard_normal((3, 2)))
        loss_fn(np.log(probabilities), y)
        loss_fn(Linear(3, 2)(rng.standard_normal((3, 3))), y)
        MSELoss()(activation(rng.standard_normal((3, 2))), y)


def test_losses_after_each_other(rng):
    loss_fn = CrossEntropyLoss()
    for _ in range(2):
        loss_fn(rng.standard_normal((2, 3)), np.eye(3)[:2])
    loss_fn.backward()
    with pytest.raises(RuntimeError, match="CrossEntropyLoss.backward was called twice"):
        loss_fn.backward()


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
