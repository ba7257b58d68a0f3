"""The optimisers: their rules against PyTorch's and by hand, saving and restoring, creating by name, clipping."""
from __future__ import annotations

import numpy as np
import pytest

from lib.gradient_utilities import zero_grad
from lib.network import Linear, Sequential
from lib.network_base import Parameter
from lib.optimizers import SGD, Adam, Optimizer, create_optimizer
from lib.optimization.adaptive import Adagrad, AdamW, RMSProp
from lib.optimization.clipping import clip_grad_norm, clip_grad_value
from lib.saving.npz import flatten_tree, read_npz, restore_tree, write_npz
from lib.saving.state import get_state, set_state
from lib.validation import InputError

SHAPES = [(3, 4), (4,), (2, 1, 3)]
SETTINGS = [
    (SGD, "SGD", dict(lr=0.1)),
    (SGD, "SGD", dict(lr=0.1, momentum=0.9)),
    (SGD, "SGD", dict(lr=0.1, momentum=0.9, nesterov=True)),
    (SGD, "SGD", dict(lr=0.1, momentum=0.5, weight_decay=0.3)),
    (Adam, "Adam", dict()),
    (Adam, "Adam", dict(lr=0.05, betas=(0.5, 0.8), eps=1e-3, weight_decay=0.2)),
    (AdamW, "AdamW", dict()),
    (AdamW, "AdamW", dict(lr=0.05, weight_decay=0.4)),
    (RMSProp, "RMSprop", dict()),
    (RMSProp, "RMSprop", dict(lr=0.02, alpha=0.7, eps=1e-4, momentum=0.8, weight_decay=0.1)),
    (Adagrad, "Adagrad", dict()),
    (Adagrad, "Adagrad", dict(lr=0.1, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.5)),
]
IDS = [f"{name}-{'-'.join(hyperparams) or 'defaults'}" for _, name, hyperparams in SETTINGS]


def make_params(dtype=np.float64):
    rng = np.random.default_rng(3)
    return [Parameter(rng.standard_normal(shape).astype(dtype)) for shape in SHAPES]


def set_gradients(params, step):
    rng = np.random.default_rng(step)
    for param in params:
        param.grad[...] = 10.0 ** rng.integers(-3, 2) * rng.standard_normal(param.data.shape)


def train(optimizer, params, steps):
    for step in steps:
        set_gradients(params, step)
        optimizer.step()


@pytest.mark.parametrize("cls, torch_name, hyperparams", SETTINGS, ids=IDS)
def test_equals_pytorch(cls, torch_name, hyperparams):
    torch = pytest.importorskip("torch", reason="PyTorch's optimisers are the reference here")
    params = make_params()
    theirs = [torch.tensor(param.data.copy(), requires_grad=True) for param in params]
    optimizer = cls(params, **hyperparams)
    reference = getattr(torch.optim, torch_name)(theirs, **(hyperparams or {"lr": optimizer.lr}))
    for step in range(12):
        set_gradients(params, step)
        for param, tensor in zip(params, theirs):
            tensor.grad = torch.tensor(param.grad.copy())
        optimizer.step()
        reference.step()
    for param, tensor in zip(params, theirs):
        np.testing.assert_allclose(param.data, tensor.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("cls, torch_name", [(SGD, "SGD"), (Adam, "Adam"), (AdamW, "AdamW"), (RMSProp, "RMSprop"),
                                             (Adagrad, "Adagrad")])
def test_defaults_are_pytorchs(cls, torch_name):
    torch = pytest.importorskip("torch", reason="PyTorch's defaults are the reference here")
    defaults = getattr(torch.optim, torch_name)([torch.zeros(1)], **({"lr": 1.0} if cls is SGD else {})).defaults
    for name, value in vars(cls(make_params())).items():
        if name[0] != "_" and name != "step_count":
            assert (value or 0) == (defaults[name] or 0), name  # SGD's momentum: None is none, as 0 is


# ------------------------------------------------------------------ rules by hand, on f(w) = w^2 / 2 from w = 1

def two_steps(optimizer_of):
    w = Parameter(np.array([1.0]))
    optimizer = optimizer_of([w])
    values = []
    for _ in range(2):
        w.grad[...] = w.data
        optimizer.step()
        values.append(float(w.data[0]))
    return values


def test_sgd_by_hand():
    assert two_steps(lambda params: SGD(params, lr=0.1)) == pytest.approx([0.9, 0.81])


def test_momentum_by_hand():
    # v = 1, w = 0.9; then v = 0.5 + 0.9 = 1.4, w = 0.9 - 0.14
    assert two_steps(lambda params: SGD(params, lr=0.1, momentum=0.5)) == pytest.approx([0.9, 0.76])


def test_nesterov_by_hand():
    # v = 1, step 1 + 0.5; then grad 0.85, v = 1.35, step 0.85 + 0.675
    assert two_steps(lambda params: SGD(params, 0.1, momentum=0.5, nesterov=True)) == pytest.approx([0.85, 0.6975])


def test_adams_first_step_is_lr_whatever_the_gradients_size():
    for size in (1e-4, 1.0, 1e6):
        w = Parameter(np.array([1.0, 1.0]), grad=np.array([size, -size]))
        Adam([w], lr=0.01).step()
        assert w.data == pytest.approx([0.99, 1.01], abs=1e-5)


def test_adamw_decays_without_a_gradient():
    w = Parameter(np.array([2.0]))
    AdamW([w], lr=0.1, weight_decay=0.5).step()
    assert w.data == pytest.approx([2.0 * 0.95])


# ------------------------------------------------------------------ steps

@pytest.mark.parametrize("cls, _, hyperparams", SETTINGS, ids=IDS)
def test_a_flat_vector_takes_the_same_steps(cls, _, hyperparams):
    """The compiled network applies update to all parameters as one vector."""
    params = make_params()
    optimizer = cls(params, **hyperparams)
    flat = Parameter(np.concatenate([param.data.ravel() for param in params]))
    flat_optimizer = cls([flat], **hyperparams)
    for step in range(5):
        set_gradients(params, step)
        flat.grad[...] = np.concatenate([param.grad.ravel() for param in params])
        optimizer.step()
        flat_optimizer.step()
    assert np.array_equal(flat.data, np.concatenate([param.data.ravel() for param in params]))


def test_learning_rate_can_be_set_between_steps():
    w = Parameter(np.array([1.0]), grad=np.array([1.0]))
    optimizer = SGD([w], lr=0.1)
    optimizer.step()
    optimizer.lr = 0.2
    optimizer.step()
    assert w.data == pytest.approx([0.7])


def test_zero_grad():
    params = make_params()
    set_gradients(params, 0)
    params[1].grad = None
    SGD(params).zero_grad()
    assert all(np.array_equal(param.grad, np.zeros(param.data.shape)) for param in params)


@pytest.mark.parametrize("takes_params", [SGD, zero_grad], ids=["SGD", "zero_grad"])
def test_what_is_no_list_of_parameters_gets_a_sentence(takes_params):
    model = Sequential(Linear(2, 2), Linear(2, 2))
    for given, what in ((model, "one of them is a Linear"), (model[0], "one Linear"), (model[0].W, "one Parameter"),
                        (None, "one NoneType"), ((np.ones(2),), "one of them is a ndarray")):
        with pytest.raises(InputError, match=f"expects parameters, but .*{what}. Hand over model.parameters"):
            takes_params(given)


def test_a_parameter_that_is_used_twice_is_updated_once():
    w = Parameter(np.array([1.0]), grad=np.array([1.0]))
    SGD([w, w], lr=0.1).step()
    assert w.data == pytest.approx([0.9])


def test_params_may_be_a_generator_and_keep_their_order():
    params = make_params()
    assert SGD(param for param in params)._params == params


def test_optimizers_dont_share_their_state():
    params, others = make_params(), make_params()
    first = Adam(params)
    train(first, params, range(3))
    SGD(params, momentum=0.9)  # a second one on the same parameters
    train(first, params, range(3, 6))
    train(Adam(others), others, range(6))
    assert all(np.array_equal(a.data, b.data) for a, b in zip(params, others))


def test_a_new_optimizer_remembers_nothing_of_an_old_one():
    params = make_params()
    train(Adam(params), params, range(3))
    copies = [Parameter(param.data.copy()) for param in params]
    for trained in (params, copies):
        train(Adam(trained), trained, range(3, 6))
    assert all(np.array_equal(a.data, b.data) for a, b in zip(params, copies))


def test_base_class_has_no_rule():
    with pytest.raises(NotImplementedError, match="update"):
        Optimizer(make_params()).step()


# ------------------------------------------------------------------ saving and restoring

@pytest.mark.parametrize("cls, _, hyperparams", SETTINGS, ids=IDS)
def test_saved_in_a_file_and_restored_goes_on_exactly(cls, _, hyperparams, tmp_path):
    params = make_params()
    optimizer = cls(params, **hyperparams)
    train(optimizer, params, range(4))
    optimizer.lr = 0.3 * optimizer.lr
    path = write_npz(tmp_path / "state.npz", flatten_tree(get_state(optimizer), "optimizer"))
    copies = [Parameter(param.data.copy()) for param in params]
    train(optimizer, params, range(4, 8))

    restored = cls(copies, **hyperparams)
    set_state(restore_tree(read_npz(path), "optimizer"), restored)
    train(restored, copies, range(4, 8))
    assert restored.lr == optimizer.lr
    assert all(np.array_equal(a.data, b.data) for a, b in zip(params, copies))


def test_the_state_is_a_copy():
    params = make_params()
    optimizer = Adam(params)
    train(optimizer, params, range(2))
    (saved,) = get_state(optimizer)
    before = saved["_states"][0]["m"].copy()
    train(optimizer, params, range(2, 4))
    assert np.array_equal(saved["_states"][0]["m"], before) and saved["step_count"] == 2


@pytest.mark.parametrize("damage", [
    lambda saved: saved["_states"][1].pop("m"),
    lambda saved: saved["_states"].pop(),
    lambda saved: saved["_states"][1].update({"m": np.zeros(7)}),
    lambda saved: saved["_states"][1].update({"m": np.array(["a", "b", "c", "d"])}),
    lambda saved: saved.update({"lr": -1.0}),
    lambda saved: saved.update({"lr": np.ones(2)}),
    lambda saved: saved.update({"step_count": np.nan}),
    lambda saved: saved.update({"other": 1}),
    lambda saved: saved.pop("lr"),
])
def test_a_state_that_doesnt_fit_changes_nothing(damage):
    params = make_params()
    optimizer = Adam(params, lr=0.25)
    train(optimizer, params, range(2))
    before, bad = get_state(optimizer), get_state(optimizer)
    train(optimizer, params, range(2, 3))
    after = get_state(optimizer)
    damage(bad[0])
    with pytest.raises(ValueError, match="Adam can't load this state"):
        set_state(bad, optimizer)
    np.testing.assert_equal(get_state(optimizer), after)
    set_state(before, optimizer)
    np.testing.assert_equal(get_state(optimizer), before)


class FromTheCourse(Optimizer):
    """Keeps its memory as students do: in the parameters' state_dict, made in the first step, and in lists."""

    def __init__(self, params, lr=0.1):
        self._params, self.lr = list(params), lr
        self.t, self.sums = 0, [np.zeros_like(param.data) for param in self._params]

    def step(self):
        self.t += 1
        for param, total in zip(self._params, self.sums):
            velocity = param.state_dict.get("velocity", 0.0)
            param.state_dict["velocity"] = 0.5 * velocity + param.grad / self.t
            total += param.grad
            param.data -= self.lr * param.state_dict["velocity"] + 0.01 * total


def test_an_optimizer_of_ones_own_is_saved_and_restored_too():
    params = make_params()
    optimizer = FromTheCourse(params)
    train(optimizer, params, range(3))
    saved = restore_tree(flatten_tree(get_state(optimizer), "optimizer"), "optimizer")
    copies = [Parameter(param.data.copy()) for param in params]
    train(optimizer, params, range(3, 6))
    restored = FromTheCourse(copies)
    set_state(saved, restored)
    train(restored, copies, range(3, 6))
    assert all(np.array_equal(a.data, b.data) for a, b in zip(params, copies))


# ------------------------------------------------------------------ creating by name, and errors

def test_create_optimizer_finds_new_classes():
    class SignDescent(SGD):
        def update(self, data, grad, state):
            data -= self.lr * np.sign(grad)

    assert type(create_optimizer("signdescent", make_params(), {"lr": 1})) is SignDescent


def test_create_optimizer_errors_are_sentences():
    with pytest.raises(ValueError, match="no optimizer 'adm'.*Adam.*SGD"):
        create_optimizer("adm", make_params(), {})
    with pytest.raises(ValueError, match="Adam can't be made.*momentum"):
        create_optimizer("adam", make_params(), {"momentum": 0.9})


@pytest.mark.parametrize("make, message", [
    (lambda params: SGD(params, lr=-1), "lr"),
    (lambda params: SGD(params, lr="fast"), "lr"),
    (lambda params: SGD(params, nesterov=True), "momentum"),
    (lambda params: SGD(params, momentum=-0.1), "momentum"),
    (lambda params: Adam(params, betas=(0.9, 1.0)), "betas"),
    (lambda params: Adam(params, weight_decay=-1), "weight_decay"),
    (lambda params: RMSProp(params, eps=-1), "eps"),
    (lambda params: RMSProp(params, alpha=2), "alpha"),
    (lambda params: Adam(params, betas=0.9), "betas"),
    (lambda params: SGD(params, momentum=float("nan")), "momentum"),
    (lambda params: SGD([param.data for param in params] + ["W"]), "model.parameters"),
])
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make(make_params())


def test_a_missing_or_misshapen_gradient_is_named():
    w = Parameter(np.ones((2, 1)), name="W")
    optimizer = SGD([w])
    w.grad = None
    with pytest.raises(RuntimeError, match="'W' is None"):
        optimizer.step()
    w.grad = np.ones(2)  # NumPy would broadcast it to (2, 2) or fail with a message of its own
    with pytest.raises(ValueError, match="'W' has shape"):
        optimizer.step()


def test_a_momentum_that_is_set_later():
    raised, by_hand, none = (Parameter(np.ones(1), grad=np.ones(1)) for _ in range(3))
    optimizer, without, velocity = SGD([raised], lr=0.1, momentum=0), SGD([none], lr=0.1), 0.0
    without.step()
    for momentum in (0.0, 0.5, 0.9):
        optimizer.momentum = momentum
        optimizer.step()
        velocity = momentum * velocity - 0.1
        by_hand.data += velocity
    assert raised.data == pytest.approx(by_hand.data)
    without.momentum = 0.9
    with pytest.raises(RuntimeError, match="SGD remembers no velocity"):
        without.step()


# ------------------------------------------------------------------ clipping

def test_clip_grad_norm():
    params = [Parameter(np.zeros(2), grad=np.array([3.0, 0.0])), Parameter(np.zeros((1, 1)), grad=np.array([[4.0]]))]
    assert clip_grad_norm(params, max_norm=10.0) == pytest.approx(5.0)
    assert params[0].grad.tolist() == [3.0, 0.0]
    assert clip_grad_norm(params, max_norm=1.0) == pytest.approx(5.0)
    assert params[0].grad == pytest.approx([0.6, 0.0]) and params[1].grad == pytest.approx(np.array([[0.8]]))
    assert clip_grad_norm(params, max_norm=1.0) == pytest.approx(1.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_clip_grad_norm_leaves_what_cant_be_mended(bad):
    param = Parameter(np.zeros(2), grad=np.array([bad, 1.0]))
    assert not np.isfinite(clip_grad_norm([param], max_norm=0.5))
    assert param.grad[1] == 1.0


def test_clip_grad_value():
    param = Parameter(np.zeros(4), grad=np.array([-3.0, -0.5, 0.5, 3.0]))
    clip_grad_value([param], 1.0)
    assert param.grad.tolist() == [-1.0, -0.5, 0.5, 1.0]


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
