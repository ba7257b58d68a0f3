"""The learning rate schedules: what rate each epoch gets, against formulas and PyTorch, and saving and restoring."""
from __future__ import annotations

import math

import numpy as np
import pytest

from lib.lr_schedulers import CosineAnnealingLR, LambdaLR, PiecewiseConstantLR
from lib.optimization.schedules import LinearWarmup, StepLR
from lib.network_base import Parameter
from lib.optimizers import SGD
from lib.saving.npz import flatten_tree, restore_tree
from lib.saving.state import get_state, set_state


def make_optimizer(lr=0.5):
    return SGD([Parameter(np.ones(2))], lr=lr)


def rates(scheduler, num_epochs):
    """Return the rate that each epoch is trained with, when step() is called at each epoch's end."""
    found = []
    for _ in range(num_epochs):
        found.append(scheduler.optimizer.lr)
        scheduler.step()
    return found


def test_lambda_gives_the_absolute_rate():
    scheduler = LambdaLR(make_optimizer(lr=0.5), lambda epoch: 0.1 * 0.9 ** epoch)
    assert rates(scheduler, 4) == pytest.approx([0.5, 0.09, 0.081, 0.0729])


def test_piecewise_constant_changes_after_the_boundary():
    scheduler = PiecewiseConstantLR(make_optimizer(lr=0.5), [2, 4], [0.1, 0.01])
    assert rates(scheduler, 7) == pytest.approx([0.5, 0.5, 0.5, 0.1, 0.1, 0.01, 0.01])


def test_piecewise_constant_from_epoch_zero():
    scheduler = PiecewiseConstantLR(make_optimizer(lr=0.5), [0, 3], [0.1, 0.01])
    assert rates(scheduler, 5) == pytest.approx([0.5, 0.1, 0.1, 0.1, 0.01])


def test_cosine():
    scheduler = CosineAnnealingLR(make_optimizer(lr=0.5), T_max=4)
    down = [0.5, 0.25 * (1 + math.sqrt(0.5)), 0.25, 0.25 * (1 - math.sqrt(0.5)), 0.0]
    assert rates(scheduler, 5) == pytest.approx(down, abs=1e-12)


def test_cosine_with_a_smallest_rate():
    found = rates(CosineAnnealingLR(make_optimizer(lr=0.5), T_max=10, eta_min=0.1), 11)
    assert found[0] == pytest.approx(0.5) and found[5] == pytest.approx(0.3) and found[10] == pytest.approx(0.1)


def test_step():
    assert rates(StepLR(make_optimizer(lr=0.5), step_size=2, gamma=0.1), 5) == pytest.approx([.5, .5, .05, .05, .005])


def test_warmup():
    assert rates(LinearWarmup(make_optimizer(lr=0.4), 4), 6) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])


def test_warmup_goes_on_as_the_other_schedule():
    optimizer = make_optimizer(lr=0.4)
    warmup = LinearWarmup(optimizer, 4, after=StepLR(optimizer, step_size=2, gamma=0.5))
    assert warmup.initial_lr == 0.4
    assert rates(warmup, 8) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.2, 0.2, 0.1])


@pytest.mark.parametrize("ours, theirs, arguments", [
    (CosineAnnealingLR, "CosineAnnealingLR", dict(T_max=7)),
    (CosineAnnealingLR, "CosineAnnealingLR", dict(T_max=5, eta_min=0.05)),
    (StepLR, "StepLR", dict(step_size=3)),
    (StepLR, "StepLR", dict(step_size=2, gamma=0.7)),
])
def test_equals_pytorch(ours, theirs, arguments):
    torch = pytest.importorskip("torch", reason="PyTorch's schedulers are the reference here")
    reference_optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    reference = getattr(torch.optim.lr_scheduler, theirs)(reference_optimizer, **arguments)
    scheduler = ours(make_optimizer(lr=0.5), **arguments)
    for _ in range(12):
        assert scheduler.optimizer.lr == pytest.approx(reference.get_last_lr()[0], rel=1e-12, abs=1e-15)
        reference_optimizer.step()
        reference.step()
        scheduler.step()


@pytest.mark.parametrize("make", [
    lambda optimizer: LambdaLR(optimizer, lambda epoch: 1 / (epoch + 1)),
    lambda optimizer: PiecewiseConstantLR(optimizer, [6, 8], [0.1, 0.01]),
    lambda optimizer: CosineAnnealingLR(optimizer, 9),
    lambda optimizer: StepLR(optimizer, 2),
    lambda optimizer: LinearWarmup(optimizer, 3),
    lambda optimizer: LinearWarmup(optimizer, 3, after=CosineAnnealingLR(optimizer, 6)),
])
def test_saved_and_restored_goes_on_exactly(make):
    scheduler = make(make_optimizer(lr=0.5))
    rates(scheduler, 4)
    saved = restore_tree(flatten_tree(get_state(scheduler), "schedule"), "schedule")
    restored = make(make_optimizer(lr=0.5))
    set_state(saved, restored)
    assert rates(restored, 6) == rates(scheduler, 6)


@pytest.mark.parametrize("damage", [
    lambda state: state[0].pop("last_epoch"), lambda state: state.pop(), lambda state: state[0].update(more=1),
    lambda state: state[0].update(last_epoch=np.ones(2)), lambda state: state[0].update(initial_lr="fast"),
    lambda state: state[0].update(initial_lr=np.nan), lambda state: state[1].update(lr=-1.0)])
def test_a_state_that_doesnt_fit_changes_nothing(damage):
    scheduler = StepLR(make_optimizer(lr=0.5), 2)
    bad = get_state(scheduler)
    scheduler.step()
    before = get_state(scheduler)
    damage(bad)
    with pytest.raises(ValueError, match="can't load|expected"):
        set_state(bad, scheduler)
    assert get_state(scheduler) == before and (scheduler.last_epoch, scheduler.optimizer.lr) == (1, 0.5)


@pytest.mark.parametrize("make, message", [
    (lambda optimizer: LambdaLR(optimizer, 0.1), "function"),
    (lambda optimizer: PiecewiseConstantLR(optimizer, [5, 2], [0.1, 0.01]), "increasing"),
    (lambda optimizer: PiecewiseConstantLR(optimizer, [2, 5], [0.1]), "1 rates for 2 epochs"),
    (lambda optimizer: PiecewiseConstantLR(optimizer, [2, 5], [0.1, 0.2, 0.3]), "3 rates for 2 epochs"),
    (lambda optimizer: PiecewiseConstantLR(optimizer, [2.5], [0.1]), "whole number"),
    (lambda optimizer: PiecewiseConstantLR(optimizer, [2], [-0.1]), "learning rate"),
    (lambda optimizer: CosineAnnealingLR(optimizer, 0), "T_max"),
    (lambda optimizer: StepLR(optimizer, 0.5), "step_size"),
    (lambda optimizer: LinearWarmup(optimizer, 0), "num_epochs"),
    (lambda optimizer: LinearWarmup(optimizer, 2, after=StepLR(make_optimizer(), 2)), "same optimizer"),
])
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make(make_optimizer())


@pytest.mark.parametrize("given", [[0.1], None, SGD, Parameter(np.ones(1))])
def test_what_is_no_optimizer(given):
    for make in (lambda: LambdaLR(given, lambda epoch: 0.1), lambda: PiecewiseConstantLR(given, [1], [0.1]),
                 lambda: CosineAnnealingLR(given, 3), lambda: StepLR(given, 2)):
        with pytest.raises(TypeError, match="expects an optimizer"):
            make()


def test_a_rate_that_goes_wrong_later_says_when():
    scheduler = LambdaLR(make_optimizer(), lambda epoch: 1.0 if epoch < 2 else float("nan"))
    scheduler.step()
    with pytest.raises(ValueError, match="epoch 2"):
        scheduler.step()


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
