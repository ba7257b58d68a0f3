"""The profile: it counts arithmetic and bytes rightly, measures, and trains nothing."""
from __future__ import annotations

import numpy as np
import pytest

from lib.layers.activations import GELU
from lib.activations import ReLU
from lib.steps.memory import Operation
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential
from lib.optimizers import SGD, Adam
from lib.steps.profiling import Machine, count_bytes, count_flops, measure_machine, profile


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("lib.steps.profiling.MIN_SECONDS", 1e-5)


def make(rng, layer=ReLU):
    model = Sequential(Linear(6, 5), layer(), Linear(5, 3))
    return model, rng.standard_normal((8, 6)), np.eye(3)[rng.integers(0, 3, 8)]


def test_counts_of_single_operations():
    a, b, c = np.zeros((4, 3)), np.zeros((3, 5)), np.zeros((4, 5))
    assert count_flops(Operation(np.dot, (a, b), c)) == 2 * 4 * 3 * 5
    assert count_bytes(Operation(np.dot, (a, b), c)) == 8 * (12 + 15 + 20)
    assert count_flops(Operation(np.add, (c, np.array(1.0)), c)) == 20
    assert count_flops(Operation(np.maximum.reduce, (c, 0), np.zeros(5))) == 20


def test_the_products_of_a_step_are_all_there(rng):
    model, x, y = make(rng)
    result = profile(model, CrossEntropyLoss(), SGD(model.parameters()), x, y, verbose=False)
    layers = sum(line.flops for line in result.lines if line.operation == "dot" and line.step.startswith("Linear"))
    # with their row for b: forward and dL/dW of both layers, dL/dx of the second only
    assert layers == 2 * 8 * (2 * 7 * 5 + 2 * 6 * 3 + 5 * 3)
    assert result.lines[-1].step == "SGD update" and result.lines[-1].shape == (6 * 5 + 5 + 5 * 3 + 3,)
    assert all(line.seconds > 0 for line in result.lines) and result.seconds > 0


def test_the_table_names_each_operation_and_the_machine(rng, capsys):
    model, x, y = make(rng)
    result = profile(model, CrossEntropyLoss(), Adam(model.parameters()), x, y)
    table = capsys.readouterr().out
    assert table.strip() == str(result)
    for word in ("Linear(6, 5) forward", "ReLU() backward", "CrossEntropyLoss() backward", "maximum over an axis",
                 "exp", "Adam update", "GFLOP/s", "of machine", "This machine"):
        assert word in table


def test_nothing_is_trained(rng):
    model, x, y = make(rng)
    optimizer = Adam(model.parameters())
    before = [parameter.data.copy() for parameter in model.parameters()]
    profile(model, CrossEntropyLoss(), optimizer, x, y, verbose=False)
    for parameter, data in zip(model.parameters(), before):
        np.testing.assert_array_equal(parameter.data, data)
    assert optimizer.step_count == 0


def test_the_share_is_of_what_limits_the_operation(rng):
    model, x, y = make(rng)
    machine = Machine(flops=1e9, bandwidth=1e12)
    result = profile(model, CrossEntropyLoss(), SGD(model.parameters()), x, y, verbose=False, machine=machine)
    line = result.lines[0]
    assert result.share(line) == pytest.approx(line.flops / 1e9 / line.seconds)
    slow_memory = result._replace(machine=Machine(flops=1e15, bandwidth=1e9))
    assert slow_memory.share(line) == pytest.approx(line.num_bytes / 1e9 / line.seconds)


def test_the_machine_can_do_something():
    machine = measure_machine(np.float64)
    assert machine.flops > 1e6 and machine.bandwidth > 1e6


def test_what_cant_be_profiled_is_said(rng):
    model, x, y = make(rng, GELU)
    with pytest.raises(ValueError, match="GELU"):
        profile(model, CrossEntropyLoss(), SGD(model.parameters()), x, y)
    model, x, y = make(rng)
    with pytest.raises(ValueError, match="precision"):
        profile(model, CrossEntropyLoss(), SGD(model.parameters()), x.astype(np.float32), y)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
