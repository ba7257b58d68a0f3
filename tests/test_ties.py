"""Arrays that two parameters share stay shared, and modules are found in containers of every kind."""
import copy
import pickle
from collections import OrderedDict, UserDict, UserList, deque
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lib.fitting.fit import EarlyStopping, fit
from lib.layers.activations import Tanh
from lib.layers.normalization import BatchNorm1d
from lib.losses import MSELoss
from lib.network import Linear, Sequential
from lib.network_base import Module, Parameter
from lib.optimization.minimize import minimize
from lib.optimizers import SGD
from lib.regularizers import Dropout
from lib.saving.model_files import load, save
from lib.validation import InputError

X = np.random.default_rng(0).standard_normal((8, 3))


class Autoencoder(Module):
    """Its decoder has the transposed weights of the encoder."""

    def __init__(self):
        self.encoder, self.activation, self.decoder = Linear(3, 2), Tanh(), Linear(2, 3)
        self.decoder.W.data = self.encoder.W.data.T

    def parameters(self):
        return [*self.encoder.parameters(), *self.decoder.parameters()]

    def forward(self, x):
        return self.decoder(self.activation(self.encoder(x)))

    def backward(self, grad):
        return self.encoder.backward(self.activation.backward(self.decoder.backward(grad)))


def are_tied(model):
    W, V = model.encoder.W.data, model.decoder.W.data
    assert np.array_equal(V, W.T)
    W[0, 1] += 1.0
    return bool(V[1, 0] == W[0, 1])


def train(model, epochs=3, **more):
    fit(model, MSELoss(), SGD(model.parameters(), lr=0.1), X, X, epochs, 4, rng=0, **more)


@pytest.mark.parametrize("change", [
    lambda model, path: model.astype(np.float32), lambda model, path: model.astype(np.float64),
    lambda model, path: copy.deepcopy(model), lambda model, path: pickle.loads(pickle.dumps(model)),
    lambda model, path: load(Autoencoder(), save(model, path)),
    lambda model, path: train(model), lambda model, path: train(model, early_stopping=EarlyStopping(1, "loss")),
    lambda model, path: (train(model, 1, checkpoint=path), train(model, 2, checkpoint=path)),
    lambda model, path: copy.deepcopy(model).astype(np.float32)])
def test_tied_weights_stay_tied(change, tmp_path):
    model = Autoencoder()
    before = model(X)
    result = change(model, tmp_path / "file.npz")
    new = result if isinstance(result, Module) else model
    if new is result:
        np.testing.assert_allclose(new(X.astype(new.encoder.W.data.dtype)), before, rtol=1e-5)
    assert are_tied(new)
    if new is not model:
        assert are_tied(model) and not np.shares_memory(new.encoder.W.data, model.encoder.W.data)


@pytest.mark.parametrize("cut", [lambda a: a[1:, ::2], lambda a: a[::-1, ::-1], lambda a: a.T[1], lambda a: a[..., 0],
                                 lambda a: np.transpose(a.reshape(2, 2, 5), (2, 0, 1))[1:], lambda a: a[:0]])
@pytest.mark.parametrize("order", "CF")
def test_any_view_is_copied_and_converted_to_the_same_place(cut, order):
    memory = np.array(np.random.default_rng(0).standard_normal((4, 5)), order=order)
    whole, part = Parameter([0.0]), Parameter([0.0])
    whole.share(memory)
    part.share(cut(memory))

    class Both(Module):
        def parameters(self):
            return [whole, part]

    expected = part.data.astype(np.float32)
    for copied in (copy.deepcopy([whole, part]), pickle.loads(pickle.dumps([whole, part]))):
        np.testing.assert_array_equal(copied[1].data, part.data)
        assert np.shares_memory(copied[0].data, copied[1].data) == np.shares_memory(whole.data, part.data)
        assert not np.shares_memory(copied[0].data, memory)
    tied = np.shares_memory(whole.data, part.data)
    Both().astype(np.float32)
    np.testing.assert_array_equal(part.data, expected)
    assert np.shares_memory(whole.data, part.data) == tied and whole.data.dtype == part.data.dtype == np.float32
    np.testing.assert_array_equal(whole.data, memory.astype(np.float32))


def test_minimize_refuses_arrays_that_it_would_set_twice():
    with pytest.raises(InputError, match=r"encoder.W and .*decoder.W share their array.*one Parameter"):
        minimize(Autoencoder(), MSELoss(), X, X)


# ---------------------------------------------------------------------- containers

@dataclass
class Block:
    linear: Module
    rest: Any


class Plain:
    """What somebody has forgotten to derive from Module."""

    def __init__(self, modules):
        self.parts = modules

    def forward(self, x):
        return x


def array_of(objects):
    array = np.empty(len(objects), dtype=object)
    array[:] = objects
    return array


class OwnList:
    """A list of modules as other libraries have it."""

    def __init__(self, modules):
        self.entries = list(modules)

    def __len__(self):
        return len(self.entries)

    def __getitem__(self, place):
        return self.entries[place]


class Net(Module):
    def __init__(self, put):
        np.random.seed(0)
        parts = [Linear(3, 4), BatchNorm1d(4), Dropout(0.5), Linear(4, 3)]
        for place, part in enumerate(parts):
            part.place = place
        self.held = put(parts)

    def in_order(self):
        parts = [module for _, module in self.named_modules() if hasattr(module, "place")]
        return sorted(parts, key=lambda part: part.place)

    def parameters(self):
        return [parameter for module in self.in_order() for parameter in module.parameters()]

    def forward(self, x):
        for module in self.in_order():
            x = module(x)
        return x

    def backward(self, grad):
        for module in reversed(self.in_order()):
            grad = module.backward(grad)
        return grad


CONTAINERS = [deque, OwnList, UserList, array_of, Plain, lambda parts: UserDict(enumerate(parts)),
              lambda parts: OwnList([parts[0], OwnList(parts[1:])]), lambda parts: array_of(parts).reshape(2, 2),
              lambda parts: SimpleNamespace(first=parts[0], rest=deque(parts[1:])),
              lambda parts: Block(parts[0], [Block(parts[1], {"a": parts[2:]})]),
              lambda parts: OrderedDict(enumerate(parts)), lambda parts: MappingProxyType({"a": [parts]}),
              lambda parts: [[parts[0]], [[parts[1]], (parts[2], {3: parts[3]})]],
              lambda parts: Plain({"deep": [Plain(Sequential(*parts))]})]


@pytest.mark.parametrize("put", CONTAINERS, ids=range(len(CONTAINERS)))
def test_a_module_in_any_container_is_switched_saved_and_trained(put, tmp_path):
    net, other = Net(put), Net(put)
    train(net)
    assert not any(module.training for module in net.eval().in_order())
    load(other, save(net, tmp_path / "net.npz"))
    np.testing.assert_array_equal(other.eval()(X), net(X))
    assert len({name for name, _ in net.named_parameters()}) == 6


@pytest.mark.parametrize("kind", [set, frozenset])
def test_a_set_of_modules_is_refused(kind):
    class Unordered(Module):
        def __init__(self):
            self.modules, self.names = kind([Linear(2, 2), Dropout(0.1)]), {"a"}

    with pytest.raises(InputError, match="a set, which has no order. Use a list"):
        Unordered().eval()


@pytest.mark.parametrize("train_it", [train, lambda model: minimize(model, MSELoss(), X, X)])
def test_a_module_that_belongs_to_the_class_is_refused(train_it):
    class OfTheClass(Module):
        dropout = Dropout(0.5)

        def __init__(self):
            self.linear = Linear(3, 3)

        def parameters(self):
            return self.linear.parameters()

        def forward(self, x):
            return self.dropout(self.linear(x))

    with pytest.raises(InputError, match=r"dropout is an attribute of the class.*self.dropout = "):
        train_it(Sequential(OfTheClass()))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
