"""Measuring: a process for each library, rounds in turn, medians and ratios with their spread."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from benchmarks.tasks import Task

PEERS = {  # the name in the table: the file and the function that makes its runners
    "readable": ("benchmarks.peers.ours", "readable"),
    "compiled": ("benchmarks.peers.ours", "compiled"),
    "bare products": ("benchmarks.peers.ours", "bare"),
    "PyTorch": ("benchmarks.peers.pytorch", "eager"),
    "torch.compile": ("benchmarks.peers.pytorch", "compiled"),
    "JAX jit": ("benchmarks.peers.with_jax", "jit"),
    "scikit-learn": ("benchmarks.peers.sklearn_mlp", "mlp"),
    "HIPS autograd": ("benchmarks.peers.hips_autograd", "grad"),
    "micrograd": ("benchmarks.peers.with_micrograd", "values"),
}
OURS = ("readable", "compiled", "bare products")
BASELINE = "PyTorch"
CURVE_TOLERANCE = 2e-3  # relative; the libraries compute in float32, and sum in different orders
EPOCH_TOLERANCE = 0.05  # scikit-learn shuffles in an order of its own


class Result(NamedTuple):
    """The measurements of a task.

    Attributes:
        task: what was done.
        seconds: for each peer, the time of a step in each round.
        reasons: for each peer that was not measured, why.
        losses: for each peer, its losses at the start and after the first steps.
    """

    task: Task
    seconds: Dict[str, List[float]]
    reasons: Dict[str, str]
    losses: Dict[str, Any]

    def median(self, peer: str) -> float:
        """Return the median time of a step."""
        return float(np.median(self.seconds[peer]))

    def ratio(self, peer: str, other: str = BASELINE) -> Optional[Sequence[float]]:
        """Return the 10, 50 and 90 % quantiles of the ratios of both times, round by round; None if not measured."""
        if peer not in self.seconds or other not in self.seconds:
            return None
        rounds = np.array(self.seconds[peer]) / np.array(self.seconds[other])
        return [float(quantile) for quantile in np.quantile(rounds, [0.1, 0.5, 0.9])]


class Worker:
    """The process of one peer."""

    def __init__(self, peer: str, threads: int) -> None:
        environment = dict(os.environ, JAX_PLATFORMS="cpu", PYTHONWARNINGS="ignore")
        for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR"):
            environment[f"{library}_NUM_THREADS"] = str(threads)
        if threads == 1:  # some libraries start threads whatever they are told; on one core, none has more than one
            cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else []
            environment["BENCHMARK_CORE"] = str(max(cores, default=""))
            environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
        self.peer = peer
        self.process = subprocess.Popen([sys.executable, "-m", "benchmarks.worker", *PEERS[peer]], text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        env=environment)

    def ask(self, **message: Any) -> Dict[str, Any]:
        """Send a message and return the reply."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(message) + "\n")
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        return json.loads(line) if line else {"unsupported": "its process ended"}

    def stop(self) -> None:
        """End the process."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Contest:
    """The workers of several peers, and what they say of themselves.

    Args:
        peers: names from PEERS.
        threads: the number of BLAS threads.
        clock: "wall", or "cpu" for the time that the processor spends on the process: on a machine that is shared with
            other work, that is what the wall clock would show without it.

    Attributes:
        versions: for each peer that is there, its version.
        absent: for each peer that isn't installed, why.
    """

    def __init__(self, peers: Sequence[str], threads: int, clock: str = "wall") -> None:
        self.clock = clock
        self.workers: Dict[str, Worker] = {}
        self.versions: Dict[str, str] = {}
        self.absent: Dict[str, str] = {}
        for peer in peers:
            worker = Worker(peer, threads)
            reply = worker.ask(do="version")
            if "version" in reply:
                self.workers[peer], self.versions[peer] = worker, reply["version"]
            else:
                self.absent[peer] = reply.get("absent") or reply["unsupported"]
                worker.stop()

    def run(self, task: Task, rounds: int, seconds_a_round: float) -> Result:
        """Measure a task with every peer that can do it and whose losses follow the readable path's."""
        result = Result(task, {}, dict.fromkeys(self.absent, "not installed"), {})
        for peer, worker in self.workers.items():
            reply = worker.ask(do="prepare", task=task._asdict())
            if "losses" in reply:
                result.losses[peer] = reply["losses"]
            else:
                result.reasons[peer] = reply.get("unsupported") or reply["absent"]
        for peer in list(result.losses):
            if not same_curve(task, result.losses[peer], result.losses.get("readable")):
                result.reasons[peer] = f"another loss curve: {result.losses.pop(peer)}"
        steps = {}
        for peer in result.losses:
            once = min(self._time(peer, 1)["seconds"] for _ in range(2))
            steps[peer] = max(1, min(int(seconds_a_round / max(once, 1e-7)), 20000))
            result.seconds[peer] = []
        for _ in range(rounds):
            for peer in result.losses:
                reply = self._time(peer, steps[peer])
                result.seconds[peer].append(reply["seconds"] * reply["times"] / steps[peer])
        return result

    def _time(self, peer: str, steps: int) -> Dict[str, Any]:
        return self.workers[peer].ask(do="time", steps=steps, clock=self.clock)

    def stop(self) -> None:
        """End all processes."""
        for worker in self.workers.values():
            worker.stop()


def same_curve(task: Task, losses: Any, expected: Any) -> bool:
    """Return whether losses follow the expected ones; a task without a loss has nothing to compare."""
    if losses is None or expected is None:
        return True
    tolerance = EPOCH_TOLERANCE if task.kind == "epoch" else CURVE_TOLERANCE
    return len(losses) == len(expected) and bool(np.allclose(losses, expected, rtol=tolerance, atol=1e-6))
