"""Groups of parameters with settings of their own."""
from __future__ import annotations

import numpy as np
import pytest

from lib.activations import ReLU
from lib.fitting.fit import fit
from lib.losses import CrossEntropyLoss
from lib.lr_schedulers import LambdaLR
from lib.network import Linear, Sequential
from lib.network_base import Parameter
from lib.optimization.adaptive import AdamW
from lib.optimization.groups import ParameterGroups
from lib.optimizers import SGD
from lib.validation import InputError


def net():
    np.random.seed(0)
    return Sequential(Linear(3, 4), ReLU(), Linear(4, 2))


def split(model):
    weights = [param for param in model.parameters() if param.role == "weight"]
    return weights, [param for param in model.parameters() if param.role == "bias"]


def data(model):
    return [param.data.copy() for param in model.parameters()]


def test_groups_take_the_steps_of_optimizers_of_their_own():
    rng = np.random.default_rng(0)
    one, other = net(), net()
    (weights, biases), (other_weights, other_biases) = split(one), split(other)
    groups = ParameterGroups([{"params": weights, "weight_decay": 0.3}, {"params": biases, "lr": 0.02}], lr=0.1,
                             optimizer="adamw", weight_decay=0.0)
    others = [AdamW(other_weights, lr=0.1, weight_decay=0.3), AdamW(other_biases, lr=0.02, weight_decay=0.0)]
    for step in range(5):
        if step == 3:  # as a schedule does
            groups.lr, others[0].lr, others[1].lr = 0.05, 0.05, 0.01
        for param, twin in zip(one.parameters(), other.parameters()):
            param.grad = rng.standard_normal(param.data.shape)
            twin.grad = param.grad.copy()
        groups.step()
        for optimizer in others:
            optimizer.step()
    np.testing.assert_equal(data(one), data(other))
    groups.zero_grad()
    assert not any(param.grad.any() for param in one.parameters())


def test_biases_without_weight_decay_stay_where_there_is_no_gradient():
    model = net()
    weights, biases = split(model)
    before = data(model)
    ParameterGroups([{"params": weights, "weight_decay": 0.5}, {"params": biases}], lr=0.1).step()
    for param, old in zip(model.parameters(), before):
        np.testing.assert_allclose(param.data, old * (0.95 if param.role == "weight" else 1))


def test_fit_resumes_with_groups_and_a_schedule(tmp_path):
    x, y = np.random.default_rng(1).standard_normal((20, 3)), np.eye(2)[np.arange(20) % 2]

    def run(epochs, checkpoint=None, decay=0.1):
        model = net()
        weights, biases = split(model)
        optimizer = ParameterGroups([{"params": weights, "weight_decay": decay}, {"params": biases}], momentum=0.9)
        history = fit(model, CrossEntropyLoss(), optimizer, x, y, epochs, 5, rng=3, checkpoint=checkpoint,
                      scheduler=LambdaLR(optimizer, lambda epoch: 0.1 / (1 + epoch)))
        return data(model), history["lr"]

    expected = run(4)
    run(2, tmp_path / "run.npz")
    np.testing.assert_equal(run(4, tmp_path / "run.npz"), expected)
    assert expected[1] == pytest.approx([0.1, 0.05, 0.1 / 3, 0.025])
    with pytest.raises(ValueError, match="another run(.|\n)*weight_decay"):
        run(5, tmp_path / "run.npz", decay=0.2)


@pytest.mark.parametrize("make, message", [
    (lambda w: ParameterGroups([{"params": [w]}, {"params": [w]}]), "one of them stands there twice"),
    (lambda w: ParameterGroups([{"params": [w]}, w]), "each a dict"),
    (lambda w: ParameterGroups([{"p": [w]}]), "each a dict"),
    (lambda w: ParameterGroups([{"params": [w], "speed": 1}]), "SGD can't be made.*speed"),
    (lambda w: ParameterGroups([{"params": []}, {"params": [w]}]), "no parameters"),
    (lambda w: ParameterGroups([]), "each a dict|no parameters"),
    (lambda w: ParameterGroups([{"params": [w], "lr": 0.1}], lr=0.0), "groups that name their own"),
    (lambda w: SGD([{"params": [w], "lr": 0.1}], lr=0.1), "ParameterGroups from lib.optimization.groups")])
def test_wrong_groups(make, message):
    with pytest.raises(InputError, match=message):
        make(Parameter(np.ones(2)))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
