"""When a step isn't compiled: a sentence says why, and what is compiled but differs from the modules is an error."""
from __future__ import annotations

import functools

import numpy as np
import pytest

import lib.model_training
import lib.training
from lib.activations import ReLU, Sigmoid, Softmax
from lib.convolutions import Conv2d, Flatten
from lib.fitting.fit import fit
from lib.layers.activations import GELU, Tanh
from lib.layers.losses import MeanSquaredError
from lib.losses import CrossEntropyLoss, MSELoss
from lib.lr_schedulers import LambdaLR
from lib.network import Linear, Sequential
from lib.network_base import Parameter
from lib.optimization.adaptive import RMSProp
from lib.optimization.minimize import minimize
from lib.optimizers import SGD, Adam, Optimizer
from lib.regularizers import Dropout, L2Regularization, RegularizedCrossEntropy
from lib.steps import make_step
from lib.steps.comparison import DifferentResult
from lib.steps.compiled import CompiledStep
from lib.steps.conditions import why_not_compiled
from lib.steps.convolutions import RULES
from lib.steps.gradient import CompiledGradient
from lib.steps.memory import NotCompilable
from lib.steps.readable import ReadableStep
from lib.validation import InputError


def network(*layers, scale=30.0):
    model = Sequential(*(layers or (Linear(4, 5), ReLU(), Linear(5, 3))))
    np.random.seed(0)
    for parameter in model.parameters():
        parameter.data[...] = 0.01 * scale * np.random.standard_normal(parameter.data.shape)
    return model


def batch(n=6, seed=1):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 4)), np.eye(3)[rng.integers(0, 3, n)]


def compiled(model, loss_fn=None, optimizer=None):
    return CompiledStep(model, loss_fn or CrossEntropyLoss(), optimizer or SGD(model.parameters(), lr=0.1))


# ---------------------------------------------------------------------- by default, what is written runs

def wrong_from_three(monkeypatch):
    """Edit ReLU as a student would, in its file."""
    right = ReLU.backward

    def backward(self, grad):
        return right(self, grad) * np.where(self.input_cache >= 3, -1, 1)

    backward.__module__, backward.__qualname__ = ReLU.__module__, "ReLU.backward"
    monkeypatch.setattr(ReLU, "backward", backward)


def test_by_default_the_modules_train(monkeypatch):
    assert type(make_step(network(), CrossEntropyLoss(), None)) is ReadableStep
    results = []
    for edited in (False, True):
        if edited:
            wrong_from_three(monkeypatch)
        model = network(scale=200)
        x, y = batch(60)
        fit(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1), x, y, epochs=3, batch_size=20)
        results.append(model[0].W.data.copy())
    assert not np.allclose(results[0], results[1])


def test_a_wrong_class_is_found_on_the_first_batch_of_an_epoch_and_the_tensor_named(monkeypatch):
    wrong_from_three(monkeypatch)
    model = network()
    x, y = batch(60)
    np.testing.assert_array_less(model.modules[0](x), 3)
    step = compiled(model)
    step.step(x, y)  # no input of ReLU is above 3: nothing to be seen
    step.end_epoch()
    before = [parameter.data.copy() for parameter in model.parameters()]
    with pytest.raises(DifferentResult, match=r"The gradient of Sequential\[0\]\.(W|b) is .* by the modules' and the "
                                              r"optimiser's own code, but .* compiled"):
        step.step(30 * x, y)
    for parameter, data in zip(model.parameters(), before):
        assert np.array_equal(parameter.data, data)


def test_every_shape_of_batch_is_compared(monkeypatch):
    wrong_from_three(monkeypatch)
    step, (x, y) = compiled(network()), batch(60)
    step.step(x, y)
    with pytest.raises(DifferentResult):
        step.step(30 * x[:7], y[:7])


def test_fit_raises_and_says_nothing_else(monkeypatch):
    wrong_from_three(monkeypatch)
    model, (x, y) = network(scale=200), batch(60)
    with pytest.raises(DifferentResult, match="leave compiled out"):
        fit(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1), x, y, epochs=2, compiled=True)


def edited(method, owner, name):
    """Make a function look as if it stood in a class's own file, as an edited one does."""
    method.__module__, method.__qualname__ = owner.__module__, f"{owner.__qualname__}.{name}"
    return method


def test_the_loss_is_compared(monkeypatch):
    right = CrossEntropyLoss.forward
    monkeypatch.setattr(CrossEntropyLoss, "forward", edited(lambda self, *args: right(self, *args) + 0.001,
                                                            CrossEntropyLoss, "forward"))
    with pytest.raises(DifferentResult, match="The loss is"):
        compiled(network()).step(*batch())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_parameters_after_a_whole_step_are_compared(monkeypatch, dtype):
    def update(self, data, grad, state):
        data -= self.lr * (grad + (0.01 * data if data.ndim > 1 else 0))  # weights decay, biases don't

    monkeypatch.setattr(SGD, "update", edited(update, SGD, "update"))
    model, (x, y) = network().astype(dtype), batch()
    with pytest.raises(DifferentResult, match=r"After the step, Sequential\[0\].W is"):
        compiled(model).step(x.astype(dtype), y)
    assert model[0].W.data.base is None  # it is the model's own array again


def test_what_the_optimiser_remembers_is_compared(monkeypatch):
    right = RMSProp.update

    def update(self, data, grad, state):
        right(self, data, grad, state)
        state["v"] += data.ndim

    monkeypatch.setattr(RMSProp, "update", edited(update, RMSProp, "update"))
    model = network()
    with pytest.raises(DifferentResult, match=r"the optimiser's v of Sequential\[0\].W"):
        compiled(model, optimizer=RMSProp(model.parameters())).step(*batch())


def test_an_optimiser_that_replaces_what_it_remembers_is_refused(monkeypatch):
    def update(self, data, grad, state):
        state["v"] = self.alpha * state["v"] + (1 - self.alpha) * grad ** 2
        data -= self.lr * grad / (np.sqrt(state["v"]) + self.eps)

    monkeypatch.setattr(RMSProp, "update", edited(update, RMSProp, "update"))
    model = network()
    optimizer = RMSProp(model.parameters())
    arrays = [state["v"] for state in optimizer._states]
    with pytest.raises(DifferentResult, match=r"the optimiser's v of Sequential\[0\]"):
        compiled(model, optimizer=optimizer).step(*batch())
    assert all(state["v"] is array and not array.any() for state, array in zip(optimizer._states, arrays))
    assert optimizer.step_count == 0


@pytest.mark.parametrize("hidden", [5, 4000])
def test_an_update_with_the_wrong_sign_climbs_compiled_as_well(monkeypatch, hidden):
    def update(self, data, grad, state):
        data += self.lr * grad

    monkeypatch.setattr(SGD, "update", edited(update, SGD, "update"))
    model, (x, y) = network(Linear(4, hidden), ReLU(), Linear(hidden, 3), scale=1), batch()
    step = compiled(model)
    losses = [step.step(x, y)[0] for _ in range(20)]
    assert losses == sorted(losses) and losses[-1] > losses[0]


def test_a_zero_grad_that_does_nothing_is_noticed(monkeypatch):
    monkeypatch.setattr(Optimizer, "zero_grad", edited(lambda self: None, Optimizer, "zero_grad"))
    with pytest.raises(DifferentResult, match=r"zero_grad leaves the gradient of Sequential\[0\]"):
        compiled(network()).step(*batch())


def test_a_gap_that_isnt_filled_is_reported(monkeypatch):
    def backward(self, grad):
        raise NotImplementedError("TODO")

    monkeypatch.setattr(Linear, "backward", edited(backward, Linear, "backward"))
    with pytest.raises(NotImplementedError, match="TODO"):
        compiled(network()).step(*batch())


def test_rounding_at_a_kink_of_float32_is_no_difference(monkeypatch):
    asked, agrees_in_float64 = [], CompiledGradient.agrees_in_float64

    def spy(self, x, y):
        asked.append(agrees_in_float64(self, x, y))
        return asked[-1]

    monkeypatch.setattr(CompiledGradient, "agrees_in_float64", spy)
    rng = np.random.default_rng(0)
    x, y = np.ones((1, 4), np.float32), np.array([[1, 0]], np.float32)
    for make in (compiled, lambda model: CompiledGradient(model, CrossEntropyLoss())):
        asked.clear()
        for _ in range(40):
            model = network(Linear(4, 1), ReLU(), Linear(1, 2), scale=1).astype(np.float32)
            model[0].W.data[...] = rng.standard_normal((4, 1))
            model[0].b.data[...] = -model[0].W.data.sum()  # x W + b is 0, but for rounding
            model[2].W.data[...] = [[1, -2]]
            make(model).find(x, y)
        assert asked and all(asked)


def test_numbers_that_arent_finite_pass_on():
    model, (x, y) = network(), batch()
    x[0, 0] = np.nan
    with np.errstate(invalid="ignore"):
        assert np.isnan(compiled(model).step(x, y)[0])


# ---------------------------------------------------------------------- why something can't be compiled

class OwnSigmoid(Sigmoid):
    """A layer that the compiled path can't know."""


class LoudSequential(Sequential):
    """A Sequential with a forward of its own."""

    def forward(self, x):
        return super().forward(x)


class SGDWithoutDecayOfBiases(SGD):
    def update(self, data, grad, state):
        data -= self.lr * (grad + (0.1 * data if data.ndim > 1 else 0))


class SGDThatCounts(SGD):
    def step(self):
        super().step()


class AdamThatKeepsGradients(Adam):
    def zero_grad(self):
        pass


class NormalizedSGD(SGD):
    is_elementwise = False

    def update(self, data, grad, state):
        data -= self.lr * grad / np.linalg.norm(grad)


def with_instance_method(owner, name):
    setattr(owner, name, lambda *args: None)
    return owner


def tied():
    model = network(Linear(4, 4), Linear(4, 4), Linear(4, 3))
    model[1].W.data = model[0].W.data.T
    return model


def mixed():
    model = network()
    model[0].astype(np.float32)
    return model


def unsupported():
    shared, model = Linear(3, 3), network()
    yield "layer twice", Sequential(shared, Tanh(), shared), SGD(shared.parameters()), "twice"
    yield "layer twice, deeper", Sequential(Sequential(shared, Tanh()), shared), SGD(shared.parameters()), "twice"
    yield "part of the parameters", model, SGD(model[0].parameters()), "exactly"
    yield "other parameters", model, SGD(network().parameters()), "exactly"
    yield "two precisions", mixed(), None, "float32, float64"
    yield "half precision", network().astype(np.float16), None, "float16"
    yield "own class", network(Linear(4, 3), OwnSigmoid()), None, "OwnSigmoid"
    yield "own Sequential", LoudSequential(Linear(4, 3)), None, "LoudSequential"
    yield "own Sequential inside", Sequential(LoudSequential(Linear(4, 3))), None, "LoudSequential"
    yield "no rule", network(Linear(4, 3), GELU()), None, "GELU"
    yield "softmax", Sequential(model, Softmax()), None, "Softmax"
    yield "no parameters", Sequential(ReLU()), SGD([Parameter(np.ones(2))]), "no parameters"
    yield "tied arrays", tied(), None, r"Sequential\[0\].W and Sequential\[1\].W share their array"
    for name in ("forward", "backward", "parameters"):
        yield f"a layer's own {name}", Sequential(with_instance_method(Linear(4, 3), name)), \
            SGD(model.parameters()), f"This Linear has a {name} of its own"
    yield "an inner Sequential's own forward", Sequential(with_instance_method(network(), "forward")), None, \
        "This Sequential has a"
    yield "a Sequential's own forward", with_instance_method(network(), "forward"), None, "This Sequential has a"
    yield "update", model, SGDWithoutDecayOfBiases(model.parameters()), "SGDWithoutDecayOfBiases defines update"
    yield "step", model, SGDThatCounts(model.parameters()), "SGDThatCounts defines step"
    yield "zero_grad", model, AdamThatKeepsGradients(model.parameters()), "AdamThatKeepsGradients defines zero_grad"
    yield "not elementwise", model, NormalizedSGD(model.parameters()), "NormalizedSGD isn't"
    for name in ("step", "zero_grad", "update", "init_state"):
        yield f"the optimiser's own {name}", model, with_instance_method(SGD(model.parameters()), name), \
            f"This SGD has a {name} of its own"
    yield "no optimiser of lib", model, object(), "object isn't an Optimizer"


@pytest.mark.parametrize("name, model, optimizer, word", list(unsupported()), ids=[case[0] for case in unsupported()])
def test_why_not_is_said_at_once(name, model, optimizer, word):
    optimizer = optimizer or SGD(model.parameters(), lr=0.1)
    with pytest.raises(NotCompilable, match=word) as caught:
        make_step(model, CrossEntropyLoss(), optimizer, compiled=True)
    assert isinstance(caught.value, InputError) and "Leave compiled out" in str(caught.value)


def test_arrays_that_lie_between_each_other_share_nothing():
    model, columns = network(Linear(2, 3), ReLU(), Linear(3, 2)), np.ones((3, 4))
    model[0].W.share(columns[:, ::2].T)
    model[2].W.share(columns[:, 1::2])
    assert np.may_share_memory(model[0].W.data, model[2].W.data)
    assert why_not_compiled(model, CrossEntropyLoss()) is None


@pytest.mark.parametrize("owner, name", [(ReLU, "forward"), (ReLU, "backward"), (Linear, "parameters"),
                                         (Sequential, "forward"), (Sequential, "backward"), (SGD, "update"),
                                         (SGD, "step"), (SGD, "zero_grad"), (CrossEntropyLoss, "forward"),
                                         (CrossEntropyLoss, "backward"), (ReLU, "__call__")])
def test_methods_replaced_on_the_class_are_named(monkeypatch, owner, name):
    defined_in = next(cls for cls in owner.__mro__ if name in vars(cls))
    original = getattr(owner, name)
    monkeypatch.setattr(defined_in, name, lambda self, *args: original(self, *args))
    with pytest.raises(NotCompilable, match=f"{defined_in.__name__}.{name} was replaced"):
        compiled(network())


@pytest.mark.parametrize("owner, name", [(ReLU, "forward"), (Sigmoid, "backward"), (SGD, "update")])
def test_a_replacement_that_bears_the_name_of_what_it_wraps_is_named(monkeypatch, owner, name):
    """As functools.wraps makes it: a wrapper that counts calls, say, wouldn't be called."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def counted(*args):
        return original(*args)

    monkeypatch.setattr(owner, name, counted)
    with pytest.raises(NotCompilable, match=f"{owner.__name__}.{name} was replaced by what wraps .* of {__name__}"):
        compiled(network(Linear(4, 5), Sigmoid(), ReLU(), Linear(5, 3)))


def test_what_replaces_a_loss_or_isnt_one_is_named():
    model = network()
    loss_fn = CrossEntropyLoss()
    loss_fn.backward = lambda: np.ones((6, 3))
    assert "This CrossEntropyLoss has a backward" in why_not_compiled(model, loss_fn)
    regularized = RegularizedCrossEntropy(L2Regularization(0.1, model.parameters()))
    assert why_not_compiled(model, regularized) is None
    regularized.ce_loss.forward = lambda *args: 0.0
    assert "This CrossEntropyLoss has a forward" in why_not_compiled(model, regularized)
    assert "no rule to compile function" in why_not_compiled(model, lambda preds, labels: 0.0)


def test_fit_says_it_before_any_work(tmp_path):
    model, (x, y) = network(Linear(4, 3), GELU()), batch()
    with pytest.raises(NotCompilable, match="GELU"):
        fit(model, CrossEntropyLoss(), SGD(model.parameters()), x, y, epochs=2, compiled=True,
            checkpoint=tmp_path / "run.npz")
    assert not list(tmp_path.iterdir())


def test_a_class_in_place_of_ours_whose_rule_doesnt_fit_is_refused(monkeypatch):
    class OwnDropout(ReLU):
        """Another class that a rule is entered for, with other attributes than the rule knows."""

    monkeypatch.setitem(RULES, OwnDropout, RULES[Dropout])
    with pytest.raises(NotCompilable, match="is another OwnDropout than the one whose rule is known"):
        compiled(network(Linear(4, 3), OwnDropout())).step(*batch())


# ---------------------------------------------------------------------- changes while training

def exchange_layer(model):
    model.modules[1] = Tanh()


def replace_parameter(model):
    model[0].W = Parameter(np.full((4, 5), 0.1), name="W")


def replace_array(model):
    model[0].W.data = np.full((4, 5), 0.1)


def tie(model):
    model[2].W.data = model[0].W.data[:3].T


def patch_method(model):
    model[1].forward = lambda x: np.tanh(x)


def freeze(model):
    model[0].W.constant = True


def patch_sequential(model):
    model.backward = lambda grad: grad


class Callback(LambdaLR):
    """Changes the model after the second epoch."""

    def __init__(self, optimizer, model, change):
        super().__init__(optimizer, lambda epoch: 0.1)
        self.model, self.change = model, change

    def step(self):
        super().step()
        if self.last_epoch == 2:
            self.change(self.model)


@pytest.mark.parametrize("change", [exchange_layer, replace_array, freeze])
@pytest.mark.parametrize("batch_size", [6, 4])
def test_what_a_schedule_changes_counts(change, batch_size):
    histories = []
    for is_compiled in (False, True):
        model, (x, y) = network(), batch()
        optimizer = SGD(model.parameters(), lr=0.1)
        histories.append(fit(model, CrossEntropyLoss(), optimizer, x, y, epochs=5, batch_size=batch_size, rng=0,
                             scheduler=Callback(optimizer, model, change), compiled=is_compiled))
    np.testing.assert_allclose(histories[1]["loss"], histories[0]["loss"], rtol=1e-10)


@pytest.mark.parametrize("change, word", [(replace_parameter, "exactly"), (tie, "share their array"),
                                          (patch_method, "This ReLU has a forward"),
                                          (patch_sequential, "This Sequential has a backward")])
def test_a_change_that_cant_be_compiled_is_said(change, word):
    model, (x, y) = network(), batch()
    optimizer = SGD(model.parameters(), lr=0.1)
    with pytest.raises(NotCompilable, match=word):
        fit(model, CrossEntropyLoss(), optimizer, x, y, epochs=5, scheduler=Callback(optimizer, model, change),
            compiled=True)


@pytest.mark.parametrize("change, raises", [(exchange_layer, None), (replace_array, None),
                                            (patch_method, NotCompilable), (replace_parameter, NotCompilable)])
def test_what_a_metric_changes_in_the_middle_of_an_epoch_counts(change, raises):
    histories = []
    for is_compiled in (False, True):
        model, (x, y), calls = network(), batch(), []

        def metric(preds, labels):
            calls.append(1)
            if len(calls) == 2:
                change(model)
            return 0.0

        def train():
            return fit(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1), x, y, epochs=2, batch_size=1, rng=0,
                       metrics={"nothing": metric}, compiled=is_compiled)

        if is_compiled and raises:
            with pytest.raises(raises):
                train()
        else:
            histories.append(train()["loss"])
    if not raises:
        np.testing.assert_allclose(histories[1], histories[0], rtol=1e-10)


def test_another_memory_of_the_optimiser_counts_at_once():
    results = []
    for make in (ReadableStep, CompiledStep):
        model, (x, y) = network(), batch()
        optimizer = Adam(model.parameters(), lr=0.1)
        step = make(model, CrossEntropyLoss(), optimizer)
        losses = [step.step(x, y)[0] for _ in range(2)]
        optimizer._states[0]["m"] = np.ones((4, 5))
        results.append(losses + [step.step(x, y)[0] for _ in range(2)])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-10)


def test_another_penalty_counts():
    results = []
    for make in (ReadableStep, CompiledStep):
        model, (x, y) = network(), batch()
        loss_fn = RegularizedCrossEntropy(L2Regularization(0.1, model.parameters()))
        step = make(model, loss_fn, SGD(model.parameters(), lr=0.1))
        losses = [step.step(x, y)[0]]
        loss_fn.reg_loss.lambd = 0.2
        losses.append(step.step(x, y)[0])
        loss_fn.reg_loss = L2Regularization(0.5, model.parameters()[:1])
        step.look_for_changes()
        losses += [step.step(x, y)[0] for _ in range(2)]
        loss_fn.reg_loss.backward = lambda _=None: None
        results.append(losses + [step.step(x, y)[0] for _ in range(2)])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-10)


def test_a_class_patched_between_epochs_is_noticed(monkeypatch):
    model, (x, y) = network(), batch()
    step = compiled(model)
    step.step(x, y)
    step.end_epoch()
    monkeypatch.setattr(ReLU, "forward", edited(lambda self, x: x, ReLU, "forward"))
    with pytest.raises(DifferentResult):
        step.step(x, y)


def test_another_precision_counts_from_the_next_epoch():
    results = []
    for make in (ReadableStep, CompiledStep):
        model, (x, y) = network(), batch()
        step = make(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1))
        losses = [step.step(x, y)[0]]
        step.end_epoch()
        model.astype(np.float32)
        results.append(losses + [step.step(x.astype(np.float32), y)[0] for _ in range(3)])
        assert model[0].W.data.dtype == np.float32
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5)


def test_the_arrays_are_the_models_own_after_each_epoch():
    model, (x, y) = network(), batch()
    optimizer = Adam(model.parameters(), lr=0.1)
    arrays = [parameter.data for parameter in model.parameters()]
    states = [optimizer._states[0]["m"], model[0].W.state_dict["v"]]
    fit(model, CrossEntropyLoss(), optimizer, x, y, epochs=3, compiled=True)
    assert all(parameter.data is array for parameter, array in zip(model.parameters(), arrays))
    assert states[0] is optimizer._states[0]["m"] and states[1] is model[0].W.state_dict["v"]
    assert not any(parameter.grad.base is not None for parameter in model.parameters())
    assert states[1].any() and not any(np.shares_memory(a, b) for a, b in zip(arrays, arrays[1:]))


# ---------------------------------------------------------------------- what the modules accept

def data_frame(array):
    return pytest.importorskip("pandas", reason="its DataFrames are what is tried").DataFrame(array)


@pytest.mark.parametrize("convert", [np.ndarray.tolist, lambda array: array.astype(object),
                                     lambda array: np.rint(array).astype(int), np.asfortranarray, data_frame],
                         ids=["list", "objects", "integers", "Fortran", "DataFrame"])
def test_inputs_of_every_kind(convert):
    x, y = batch()
    results = []
    for make in (ReadableStep, CompiledStep):
        model = network()
        step = make(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1))
        results.append([step.step(convert(x), convert(y))[0] for _ in range(4)])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-10)


@pytest.mark.parametrize("change, word", [(lambda x, y: (x[:, :2], y), "features"),
                                          (lambda x, y: (x, y[:, 0]), "one-hot"),
                                          (lambda x, y: (x[:0], y[:0]), "empty|at least one"),
                                          (lambda x, y: (x, y[:4]), "shape"), (lambda x, y: (x, None), "None"),
                                          (lambda x, y: ([["a"] * 4] * 6, y), "numbers")],
                         ids=["columns", "class numbers", "empty", "fewer labels", "None", "words"])
def test_what_doesnt_fit_is_explained_by_the_modules(change, word):
    x, y = batch()
    step = compiled(network())
    for _ in range(2):
        step.step(x, y)
        with pytest.raises(ValueError, match=word):
            step.step(*change(x, y))
    step.step(x, y)


def test_another_precision_than_the_parameters_is_refused():
    x, y = batch()
    for model, inputs in ((network(), x.astype(np.float32)), (network().astype(np.float32), x),
                          (network().astype(np.float32), x.tolist()), (network(), x.astype(np.float16))):
        with pytest.raises(NotCompilable, match="in the precision of the parameters"):
            compiled(model).step(inputs, y)


def test_windows_that_take_too_much_memory_are_said(monkeypatch):
    monkeypatch.setattr("lib.steps.convolutions.MAX_COLUMN_BYTES", 2 ** 20)
    for n, fits in ((15, True), (16, False)):  # windows of 8 * 3 * 3 numbers at 11 * 11 places: 69,696 bytes an example
        model = network(Conv2d(8, 2, 3), Flatten(), Linear(242, 3))
        step, x, y = compiled(model), np.ones((n, 8, 13, 13)), np.eye(3)[np.arange(n) % 3]
        if fits:
            step.step(x, y)
        else:
            with pytest.raises(NotCompilable, match=r"in a batch of 16 would take more than 1 MiB. Take smaller"):
                step.step(x, y)


def test_labels_overwritten_in_place_are_checked():
    model, (x, y) = network(), batch()
    step = compiled(model)
    step.step(x, y)
    before = model[0].W.data.copy()
    y[2] = 5
    with pytest.raises(InputError, match="row 2"):
        step.step(x, y)
    assert np.array_equal(model[0].W.data, before)


# ---------------------------------------------------------------------- what isn't trained

@pytest.mark.parametrize("constants", [(0,), (1,), (2,), (0, 1), (1, 3), (0, 2), (0, 1, 2)])
def test_constants_stay_and_the_rest_is_trained(constants):
    results = []
    for make in (ReadableStep, CompiledStep):
        model, (x, y) = network(), batch()
        parameters = list(model.parameters())
        for i in constants:
            parameters[i].constant = True
        step = make(model, CrossEntropyLoss(), Adam(model.parameters(), lr=0.1))
        losses = [step.step(x, y)[0] for _ in range(3)]
        parameters[constants[0]].data = 2 * parameters[constants[0]].data
        results.append((losses + [step.step(x, y)[0] for _ in range(3)], [p.data.copy() for p in parameters]))
    np.testing.assert_allclose(results[1][0], results[0][0], rtol=1e-10)
    for ours, theirs in zip(results[1][1], results[0][1]):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


# ---------------------------------------------------------------------- train and minimize

@pytest.mark.parametrize("train", [lib.training.train, lib.model_training.train], ids=["sheet 4", "sheet 5"])
def test_train_gives_the_same_curves_compiled(train):
    results = []
    for is_compiled in (False, True):
        x, y = batch(50)
        model = network(Linear(4, 8), ReLU(), Dropout(0.3), Linear(8, 3))
        optimizer = Adam(model.parameters(), lr=0.01)
        results.append(train(model, CrossEntropyLoss(), optimizer, x[:40], y[:40], x[40:], y[40:], 5, 8,
                             compiled=is_compiled))
    for ours, theirs in zip(results[1], results[0]):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    with pytest.raises(NotCompilable, match="GELU"):
        model = network(Linear(4, 3), GELU())
        train(model, CrossEntropyLoss(), SGD(model.parameters()), x, y, x, y, 5, 10, compiled=True)


@pytest.mark.parametrize("loss_fn", [MSELoss(), MeanSquaredError()], ids=repr)
def test_minimize_finds_the_same_compiled(loss_fn):
    pytest.importorskip("scipy", reason="minimize stands on its optimisers")
    x, y = np.linspace(-1, 1, 20).reshape(-1, 1), np.sin(3 * np.linspace(-1, 1, 20)).reshape(-1, 1)
    results = []
    for is_compiled in (False, True):
        model = network(Linear(1, 4), Tanh(), Linear(4, 1))
        arrays = [parameter.data for parameter in model.parameters()]
        result = minimize(model, loss_fn, x, y, n_starts=3, rng=np.random.default_rng(0), initializer="glorot",
                          options={"maxiter": 8}, compiled=is_compiled)
        results.append(result.losses + [loss_fn(model(x), y)])
        assert all(parameter.data is array for parameter, array in zip(model.parameters(), arrays))
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5)


def test_minimize_raises_where_the_modules_differ_or_cant_be_compiled(monkeypatch):
    pytest.importorskip("scipy", reason="minimize stands on its optimisers")
    x, y = batch()
    with pytest.raises(NotCompilable, match="GELU"):
        minimize(network(Linear(4, 3), GELU()), CrossEntropyLoss(), x, y, compiled=True)
    wrong_from_three(monkeypatch)
    with pytest.raises(DifferentResult):
        minimize(network(scale=500), CrossEntropyLoss(), x, y, compiled=True)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
