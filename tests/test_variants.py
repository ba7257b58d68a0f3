"""Pen-and-paper tasks with individual numbers: what a seed gives, how every slip shows, and the keys by PyTorch."""
from __future__ import annotations

import hashlib
import json
from collections import Counter

import numpy as np
import pytest

from grading.grade import GradingError
from grading.variants.draws import Refused, examine, tolerance
from grading.variants.seeds import FIRST_GRADED, Dice, graded_seed, read_secret, tag_of
from grading.variants.task import CAUSES
from grading.variants.tasks import task_named
from tests.variant_cases import TASKS, case as case_by_name, some_quick

# of the numbers of seed 0: the same on every platform, with every version of Python and of NumPy
DIGESTS = {
    "mlp_regression": "7f165302a84d",
    "ticket_network": "ee9a933cfa25",
    "expression_a": "2112eccbdc3f",
    "expression_b": "e96374fae4a4",
    "expression_c": "b3f0e58048cb",
    "jacobian": "621a8fb461d4",
    "convolution": "06906f7b3c47",
    "batch_norm": "a3d655afde9d",
    "skip_connection": "988551e71c99",
    "skip_chain": "8651175ee845",
    "network_sigmoid": "04b8b162d165",
    "network_tanh": "daf70a6b12af",
    "network_relu": "cab641cb64a3",
    "sgd_step": "4ae75ae331aa",
    "momentum_step": "8fad5aa49324",
    "adam_step": "af9c31d870ba",
    "linear_regression": "52038925bfd8",
    "logistic_regression": "53a7d9565e93",
    "softmax_cross_entropy": "8601f64ead43",
}


def digest(name):
    numbers = case_by_name(name).numbers
    return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()[:12]


def test_at_least_twelve_tasks_are_found_by_their_names():
    assert len(TASKS) >= 12 and all(task_named(name) is task for name, task in TASKS.items())
    with pytest.raises(GradingError, match="Did you mean skip_c"):
        task_named("skip_conection")


@pytest.mark.parametrize("name", TASKS)
def test_every_slip_of_a_task_shows_apart_from_the_key_and_from_every_other_slip(name):
    case = case_by_name(name)
    machine = case.machine
    computed, used = machine.run(case.numbers)
    assert len(case.task.slips) >= 8 and {slip.line for slip in case.task.slips} <= set(case.task.lines)
    assert {slip.cause for slip in case.task.slips} <= set(CAUSES)
    for line in machine.lines:
        values = [case.key[line.name]] + [machine.slip_value(slip, line, computed, used)
                                          for slip in case.task.slips_of(line.name)]
        for k, one in enumerate(values):
            for other in values[:k]:
                assert abs(one - other) > 2 * max(tolerance(one), tolerance(other)), (line.name, values)


@pytest.mark.parametrize("name", [name for name in TASKS if any(slip.unseen for slip in TASKS[name].slips)])
def test_a_slip_that_is_said_to_be_invisible_is_invisible(name):
    case = case_by_name(name)
    computed, used = case.machine.run(case.numbers)
    for slip in case.task.slips:
        if slip.unseen:
            line = case.machine.line(slip.line)
            assert case.machine.slip_value(slip, line, computed, used) == pytest.approx(case.key[slip.line]), slip


def test_the_numbers_of_a_seed_are_the_same_everywhere():
    assert {name: digest(name) for name in DIGESTS} == DIGESTS
    assert [Dice("x").below(100) for _ in range(2)] == [Dice("x").below(100)] * 2


def test_a_graded_seed_is_an_hmac_of_the_secret_the_student_and_the_task():
    seed = graded_seed(b"0123456789abcdef", "4711", "sgd_step")
    assert seed == graded_seed(b"0123456789abcdef", "4711", "sgd_step") and seed >= FIRST_GRADED
    others = [graded_seed(b"0123456789abcdeg", "4711", "sgd_step"),
              graded_seed(b"0123456789abcdef", "4712", "sgd_step"),
              graded_seed(b"0123456789abcdef", "4711", "adam_step")]
    assert len({seed, *others}) == 4
    assert tag_of("sgd_step", seed) != tag_of("sgd_step", others[0]) and str(seed) not in tag_of("sgd_step", seed)


def test_a_secret_is_read_from_outside_of_the_repository_alone(tmp_path):
    from grading.sheet import ROOT
    with pytest.raises(GradingError, match="there is no such file"):
        read_secret(tmp_path / "none")
    (tmp_path / "short").write_text("abc\n")
    with pytest.raises(GradingError, match="at least 16 letters, but this has 3"):
        read_secret(tmp_path / "short")
    with pytest.raises(GradingError, match="stands in the project's folder"):
        read_secret(ROOT / "README.md")
    (tmp_path / "secret").write_text("0123456789abcdef\n")
    assert read_secret(tmp_path / "secret") == b"0123456789abcdef"


def test_draws_that_cannot_tell_are_refused_for_a_reason():
    task = TASKS["skip_chain"]
    numbers = dict(x=1.0, y=-3.0, w0=0.5, w1=0.5, w2=0.5, ws=0.5, lr=0.25)
    with pytest.raises(Refused, match="a slip doesn't show"):
        examine(task, numbers)  # with the sheet's own numbers, equal weights hide which one was taken
    with pytest.raises(Refused, match="a path is cut"):
        examine(task, {**numbers, "w1": -0.5})
    with pytest.raises(Refused, match="a tie at the kink of abs"):
        examine(task, {**numbers, "y": 0.375})


def test_relu_has_one_active_unit_and_one_that_is_not():
    for name, active in (("skip_connection", "z1"), ("network_relu", "z2")):
        for seed in range(3):
            case = case_by_name(name, seed)
            assert [line for line in ("z1", "z2") if case.key[line] > 0] == [active]


# ---------------------------------------------------------------------- against PyTorch

def torch_operations():
    torch = pytest.importorskip("torch", reason="PyTorch is the independent witness here")
    return torch, {
        "add": torch.add, "subtract": torch.subtract, "multiply": torch.multiply, "divide": torch.divide,
        "power": torch.pow, "negate": torch.neg, "matmul": torch.matmul, "exp": torch.exp, "log": torch.log,
        "sqrt": torch.sqrt, "sin": torch.sin, "relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
        "abs": torch.abs, "sum": torch.sum, "mean": torch.mean, "square": torch.square}


def key_by_torch(case):
    """Return the key of a case as PyTorch's operations and its autograd compute it."""
    torch, operations = torch_operations()
    derivation, rate = case.machine.derivation, case.numbers.get("lr")
    number = {}

    def forward(leaves):
        values = {}
        for node in derivation.order:
            if node.operation is None:
                values[id(node)] = leaves[id(node)]
            else:
                values[id(node)] = operations[node.operation.name](*[values[id(parent)] for parent in node.parents])
                values[id(node)].retain_grad() if values[id(node)].requires_grad else None
        return values

    leaves = {id(node): torch.tensor(np.asarray(case.numbers.get(node.name, node.value), float),
                                     requires_grad=node.needs_grad) for node in derivation.order
              if node.operation is None}
    values = forward(leaves)
    output = values[id(derivation.output)]
    local = {}
    for line in case.machine.lines:
        if line.quantity[0] in ("local", "none"):
            above, below = line.quantity[1]
            grad, = torch.autograd.grad(values[id(above)], leaves[id(below)], retain_graph=True, allow_unused=True)
            local[line.name] = 0.0 if grad is None else float(grad)
    if output.requires_grad:
        output.backward()
    after = None
    if rate is not None:
        with torch.no_grad():
            moved = {key: leaf - rate * leaf.grad if leaf.requires_grad else leaf for key, leaf in leaves.items()}
        after = forward({key: leaf.detach() for key, leaf in moved.items()})
    for line in case.machine.lines:
        kind, node = line.quantity
        if line.name in local:
            number[line.name] = local[line.name]
            continue
        array = values[id(node)] if kind == "value" else values[id(node)].grad if kind == "grad" else after[id(node)]
        array = array.detach().numpy()
        number[line.name] = float(array.shape[line.axis] if line.axis is not None else array[line.place])
    return number


@pytest.mark.parametrize("name", some_quick())
def test_the_key_is_what_pytorch_computes(name):
    case = case_by_name(name)
    assert key_by_torch(case) == pytest.approx(case.key, rel=1e-9, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_many_seeds_give_many_draws_that_tell_and_pytorch_agrees(name):
    cases = [case_by_name(name, seed) for seed in range(8)]
    assert len({json.dumps(case.numbers) for case in cases}) == 8
    for case in cases:
        assert key_by_torch(case) == pytest.approx(case.key, rel=1e-9, abs=1e-12)
        examine(case.task, case.numbers)  # the same verdict whatever was drawn before
    refused = Counter(reason for case in cases for reason in case.refused)
    assert all(isinstance(reason, str) and reason for reason in refused)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
