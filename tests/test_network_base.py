"""Parameter and Module: constants, and a structure that is found however deep it is nested."""
import numpy as np
import pytest

from lib.gradient_utilities import zero_grad
from lib.layers.normalization import BatchNorm1d
from lib.network import Linear, Sequential
from lib.network_base import Module, Parameter
from lib.optimizers import SGD, Adam
from lib.regularizers import Dropout
from lib.saving.model_files import load, save


class Nested(Module):
    """A student's own network, whose layers stand in lists of lists and a dict."""

    def __init__(self):
        self.hids = [[Linear(3, 4), BatchNorm1d(4), Dropout(0.5)]]
        self.heads = {"a": ({"deep": [Linear(4, 2)]},)}
        self.scales = [[Parameter(np.ones(2), name="scale")], Parameter(np.ones(2), name="shift", constant=True)]

    def layers(self):
        return self.hids[0] + self.heads["a"][0]["deep"]

    def parameters(self):
        return [p for layer in self.layers() for p in layer.parameters()] + self.scales[0]

    def forward(self, x):
        for layer in self.layers():
            x = layer(x)
        return x


def test_structure_is_found_at_any_depth():
    model = Nested()
    paths = [path for path, _ in model.named_modules()]
    assert paths == ["Nested", "Nested.hids[0][0]", "Nested.hids[0][1]", "Nested.hids[0][2]",
                     "Nested.heads['a'][0]['deep'][0]"]
    names = [name for name, _ in model.named_parameters(constants=True)]
    assert names[-3:] == ["Nested.heads['a'][0]['deep'][0].b", "Nested.scales[0][0]", "Nested.scales[1]"]
    assert [name for name, _ in model.named_parameters()] == names[:-1]
    assert not any(module.training for _, module in model.eval().named_modules())
    model.astype(np.float32)
    assert model.scales[1].data.dtype == model.hids[0][1].running_mean.dtype == np.float32


def test_what_is_deep_inside_is_saved(tmp_path, rng):
    model, other = Nested(), Nested()
    model(rng.standard_normal((5, 3)))
    model.scales[1].data[...] = 7
    load(other, save(model, tmp_path / "model.npz"))
    np.testing.assert_array_equal(other.hids[0][1].running_mean, model.hids[0][1].running_mean)
    np.testing.assert_array_equal(other.scales[1].data, [7, 7])
    x = rng.standard_normal((5, 3))
    np.testing.assert_array_equal(other.eval()(x), model.eval()(x))


def frozen_backbone(rng):
    backbone = Sequential(Linear(3, 4, rng=rng), BatchNorm1d(4), Linear(4, 4, rng=rng))
    for parameter in backbone.parameters():
        parameter.constant = True
    return backbone, Sequential(backbone, Linear(4, 2, rng=rng))


def test_constants_are_left_out_and_keep_their_values(rng):
    backbone, model = frozen_backbone(rng)
    head = model.modules[1]
    assert backbone.parameters() == [] and model.parameters() == [head.W, head.b]
    constants = [p for _, p in model.named_parameters(constants=True)[2:]]
    before = [p.data.copy() for p in constants]
    optimizer = Adam(model.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        model(rng.standard_normal((5, 3)))
        model.backward(rng.standard_normal((5, 2)))
        optimizer.step()
    assert len(constants) == 6
    for parameter, data in zip(constants, before):
        np.testing.assert_array_equal(parameter.data, data)
        assert parameter.grad.shape == data.shape and not parameter.grad.any()
    model.check_gradients((rng.standard_normal((5, 3)),))


@pytest.mark.parametrize("make", [lambda params: SGD(params, 0.1, momentum=0.9, weight_decay=0.1), Adam])
def test_an_optimiser_skips_what_is_frozen_later(make, rng):
    linear = Linear(3, 2, rng=rng)
    optimizer = make([linear.W, linear.b])
    for step in range(3):
        linear.W.constant = step > 0
        W, b = linear.W.data.copy(), linear.b.data.copy()
        linear(rng.standard_normal((4, 3)))
        linear.backward(np.ones((4, 2)))
        optimizer.step()
        assert np.array_equal(linear.W.data, W) == (step > 0) and not np.array_equal(linear.b.data, b)


class ListsConstants(Linear):
    """A student's Linear, whose parameters() doesn't know the mark."""

    def parameters(self):
        return self.W, self.b


def test_constants_that_a_students_parameters_lists(rng):
    linear = ListsConstants(3, 2)
    linear.W.constant = True
    linear.check_gradients((rng.standard_normal((4, 3)),))
    before = linear.W.data.copy()
    zero_grad(linear.parameters())
    linear.backward(np.ones(linear(rng.standard_normal((4, 3))).shape))
    for parameter in linear.parameters():  # the sheet's own step of gradient descent
        parameter.data -= 0.5 * parameter.grad
    np.testing.assert_array_equal(linear.W.data, before)
    assert (linear.b.data < 0).all()


def test_a_shared_parameter_is_listed_once():
    a, b = Linear(3, 3), Linear(3, 3)
    b.W = a.W
    assert [id(p) for p in Sequential(a, b).parameters()] == [id(a.W), id(a.b), id(b.b)]


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
