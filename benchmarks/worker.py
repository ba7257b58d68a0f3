"""One library in one process: prepares tasks and times them, as told on standard input, a line of JSON a message."""
from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import Any, Dict

CURVE_STEPS = 10  # steps whose losses are compared between libraries, after the first


def main() -> None:
    """Answer messages until standard input ends."""
    replies, sys.stdout = sys.stdout, sys.stderr  # what a library prints mustn't get between the replies
    if os.environ.get("BENCHMARK_CORE") and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(os.environ["BENCHMARK_CORE"])})
    module_name, function = sys.argv[1], sys.argv[2]
    runner: Any = None
    for line in sys.stdin:
        message = json.loads(line)
        reply: Dict[str, Any] = {}
        try:
            module = importlib.import_module(module_name)
            if message["do"] == "version":
                reply["version"] = module.version()
            elif message["do"] == "prepare":
                from benchmarks.tasks import Task
                task = Task(**{name: tuple(value) if isinstance(value, list) else value
                               for name, value in message["task"].items()})
                runner = None  # frees the memory of the task before
                runner = getattr(module, function)(task)
                reply["losses"] = losses_of(runner, 1 if task.kind == "epoch" else CURVE_STEPS)
            elif message["do"] == "time":
                reply["seconds"] = seconds_for(runner, message["steps"], message["clock"])
                reply["times"] = getattr(runner, "times", 1)
        except ImportError as error:
            reply["absent"] = str(error)
        except Exception as error:  # whatever a library can't do is reported, and the others go on
            reply["unsupported"] = str(error).strip().split("\n")[0] or type(error).__name__
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def losses_of(runner: Any, steps: int) -> Any:
    """Return the losses at the start and after each of the steps; None if the task has none."""
    from benchmarks.peers import Unsupported
    losses = []
    try:
        losses.append(runner.loss())
    except Unsupported:
        runner.step()
        runner.finish()
        return None
    for _ in range(steps):
        runner.step()
        runner.finish()
        losses.append(runner.loss())
    return losses


def seconds_for(runner: Any, steps: int, clock: str = "wall") -> float:
    """Return the time of so many steps, by the clock on the wall or by the processor's clock of this process."""
    now = time.perf_counter if clock == "wall" else time.process_time
    start = now()
    for _ in range(steps):
        runner.step()
    runner.finish()
    return now() - start


if __name__ == "__main__":
    main()
