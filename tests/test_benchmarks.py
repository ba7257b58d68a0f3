"""The benchmarks: every library does the same work, absent ones are named, and the report says what was measured."""
from __future__ import annotations

import importlib
import json

import numpy as np
import pytest

from benchmarks import measure, report
from benchmarks.__main__ import main, read_options
from benchmarks.measure import PEERS, Contest, Result, same_curve
from benchmarks.peers import Unsupported
from benchmarks.tasks import TASKS, Task, scaling_tasks
from benchmarks.worker import losses_of, seconds_for

SMALL = {"mlp": Task("mlp", "mlp", (6, 5, 3), 8), "squares": Task("squares", "mlp", (1, 7, 1), 8, "squares", 0.01),
         "XOR": TASKS[0], "conv": TASKS[4]._replace(batch=4)}


def runner(peer, task):
    """Return the peer's runner in this process."""
    module, function = PEERS[peer]
    needed = {"pytorch": "torch", "with_jax": "jax", "sklearn_mlp": "sklearn", "hips_autograd": "autograd",
              "with_micrograd": "micrograd"}.get(module.split(".")[-1])
    if needed:
        pytest.importorskip(needed, reason=f"{peer} is a library to compare with")
    return getattr(importlib.import_module(module), function)(task)


def slow(peer):
    return pytest.param(peer, marks=pytest.mark.slow)


@pytest.mark.parametrize("peer", ["compiled", "HIPS autograd", "micrograd", slow("PyTorch"), slow("JAX jit"),
                                  slow("scikit-learn")])
def test_every_library_does_the_same_work(peer):
    num_compared = 0
    for task in SMALL.values():
        try:
            losses = losses_of(runner(peer, task), 10)
        except Unsupported as reason:
            assert len(str(reason)) > 10
            continue
        expected = losses_of(runner("readable", task), 10)
        assert expected[-1] < expected[0]
        np.testing.assert_allclose(losses, expected, rtol=1e-3)
        assert same_curve(task, losses, expected)
        num_compared += 1
    assert num_compared >= 1


def test_another_curve_is_noticed():
    task = SMALL["mlp"]
    losses = losses_of(runner("readable", task), 5)
    assert not same_curve(task, losses_of(runner("readable", task._replace(lr=0.2)), 5), losses)
    assert not same_curve(task, losses[:-1], losses)


def test_many_networks_and_the_gradient_check_run():
    task = Task("networks", "networks", (2, 2, 2), 4, lr=0.5, networks=30)
    alone = losses_of(runner("readable", TASKS[0]), 10)
    np.testing.assert_allclose(losses_of(runner("compiled", task), 10), alone, rtol=1e-4)
    assert seconds_for(runner("readable", Task("check", "check", (4, 4), 2)), 1) > 0


@pytest.fixture
def two_peers(monkeypatch):
    monkeypatch.setattr(measure, "PEERS", {**{peer: PEERS[peer] for peer in ("readable", "compiled")},
                                           "missing": ("benchmarks.peers.no_such_library", "runner")})


def test_a_contest_measures_in_processes_and_names_what_is_absent(two_peers):
    contest = Contest(["readable", "compiled", "missing"], threads=1)
    try:
        result = contest.run(TASKS[0], rounds=3, seconds_a_round=0.001)
    finally:
        contest.stop()
    assert set(result.seconds) == {"readable", "compiled"} and all(len(v) == 3 for v in result.seconds.values())
    assert all(seconds > 0 for values in result.seconds.values() for seconds in values)
    assert "no_such_library" in contest.absent["missing"]
    text = report.remarks([result], contest.versions, contest.absent)
    assert "Absent: missing is not installed" in text and "NumPy" in text


RESULT = Result(TASKS[0], {"readable": [2e-4, 3e-4, 4e-4], "compiled": [2e-5, 2e-5, 2e-5], "PyTorch": [4e-4] * 3,
                           "bare products": [1e-5] * 3, "JAX jit": [3e-5] * 3}, {"torch.compile": "no compiler"}, {})


def test_ratios_and_the_table():
    assert RESULT.median("readable") == pytest.approx(3e-4)
    assert RESULT.ratio("compiled") == pytest.approx([0.05] * 3)
    assert RESULT.ratio("readable") == pytest.approx([0.55, 0.75, 0.95])
    assert RESULT.ratio("scikit-learn") is None
    table = report.table([RESULT], threads=1)
    assert "| step, 1 BLAS thread | readable | compiled |" in table and "300 us (0.75; 0.55 to 0.95)" in table
    verdicts = report.verdicts([RESULT])
    assert "20 |" in verdicts and "0.667 (JAX jit)" in verdicts
    assert "torch.compile (no compiler): XOR" in report.remarks([RESULT], {}, {})


@pytest.mark.slow
def test_plots_are_drawn(tmp_path):
    pytest.importorskip("matplotlib", reason="the plots are drawn by Matplotlib")
    report.draw([RESULT], tmp_path / "bars.png")
    points = [(varies, value, RESULT._replace(task=task)) for varies, value, task in scaling_tasks()]
    report.draw_scaling(points, 1, tmp_path / "scaling.png")
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in ("bars.png", "scaling.png"))


def test_the_command_writes_table_and_json(tmp_path, capsys):
    main(["--quick", "--peers", "compiled,bare products", "--rows", "XOR 2-2-2", "--rounds", "2", "--json",
          str(tmp_path / "all.json"), "--output", str(tmp_path)])
    assert "XOR 2-2-2, batch 4" in capsys.readouterr().out
    table = (tmp_path / "table.md").read_text()
    assert "Measured on:" in table and "bare products" in table
    measured = json.loads((tmp_path / "all.json").read_text())
    assert len(measured["threads"]["1"][0]["seconds"]["compiled"]) == 2


@pytest.mark.parametrize("arguments, word", [(["--threads", "x"], "numbers"), (["--threads", "0"], "from 1"),
                                             (["--peers", "tinygrad"], "no peer"), (["--rounds", "0"], "from 1"),
                                             (["--rows", "pear"], "no row has 'pear'"),
                                             (["--quick", "--rows", "epoch"], "no row that --quick measures")])
def test_wrong_options_are_explained(arguments, word, capsys):
    with pytest.raises(SystemExit):
        read_options(arguments)
    assert word in capsys.readouterr().err


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
