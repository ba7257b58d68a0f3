"""Sweeps: in this process, over several processes, and on a Dask cluster of which a worker is killed midway."""
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from exercises.common import Results, markdown_table, read_options, sweep

ROOT = Path(__file__).resolve().parent.parent


def draw(seed):
    """Return some numbers that depend on the seed alone."""
    return seed, np.random.default_rng(seed).standard_normal(3).tolist()


def draw_slowly(setting):
    """Leave a note of each call in a folder, take a moment, and return the numbers."""
    folder, seed = setting
    Path(folder, f"{seed}.{os.getpid()}.{time.time_ns()}").touch()
    time.sleep(0.3)
    return draw(seed)


def test_one_process_and_two_give_the_same():
    alone = sweep(draw, range(8))
    assert alone == [draw(seed) for seed in range(8)] == sweep(draw, range(8), jobs=2)
    assert sweep(draw, []) == []


def test_bad_number_of_jobs():
    with pytest.raises(ValueError, match="jobs to be a whole number"):
        sweep(draw, [1], jobs=0)


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_loses_no_result(tmp_path):
    distributed = pytest.importorskip("distributed", reason="the sweep's cluster is Dask's")
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    with distributed.LocalCluster(n_workers=0, dashboard_address=None) as cluster:
        command = [sys.executable, "-m", "distributed.cli.dask_worker", cluster.scheduler_address, "--nthreads", "1",
                   "--no-nanny", "--no-dashboard"]
        workers = [subprocess.Popen(command, env=environment, cwd=str(tmp_path), stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL) for _ in range(2)]
        try:
            with distributed.Client(cluster) as client:
                client.wait_for_workers(2, timeout=60)
            notes = tmp_path / "notes"
            notes.mkdir()
            code = ("import json, sys; from exercises.common import sweep; from tests.test_sweeps import draw_slowly; "
                    "settings = [(sys.argv[1], seed) for seed in range(40)]; "
                    "print(json.dumps(sweep(draw_slowly, settings, scheduler=sys.argv[2])))")
            run = subprocess.Popen([sys.executable, "-c", code, str(notes), cluster.scheduler_address], env=environment,
                                   stdout=subprocess.PIPE, universal_newlines=True)
            while len(list(notes.iterdir())) < 8 and run.poll() is None:
                time.sleep(0.05)
            workers[0].kill()
            output, _ = run.communicate(timeout=120)
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
    assert run.returncode == 0
    assert [tuple(result) for result in json.loads(output)] == [draw(seed) for seed in range(40)]
    called = [int(note.name.split(".")[0]) for note in notes.iterdir()]
    pids = {note.name.split(".")[1] for note in notes.iterdir()}
    assert set(called) == set(range(40)) and len(pids) == 2


def test_options_and_results(tmp_path, capsys):
    options = read_options("A program.", ["--quick", "--jobs", "2", "--results", str(tmp_path)])
    assert options.quick and options.jobs == 2 and options.scheduler is None
    results = Results("topic", options)
    text = results.table("numbers", ["n", "value"], [[1, 0.123456], [20, 3.0]])
    assert (tmp_path / "topic" / "numbers.md").read_text("utf-8") == text + "\n"
    assert text in capsys.readouterr().out
    assert markdown_table(["n"], [["a|b"]]).count("\n") == 2


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
