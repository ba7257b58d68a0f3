"""A command: write the pages on which a network's passes can be watched, opened and predicted, and training replayed.

    python -m lib.walkthrough                          # XOR, into walkthrough.html
    python -m lib.walkthrough ticket --output ticket.html
    python -m lib.walkthrough --list
    python -m lib.walkthrough replay --seeds 0 1 3 --lr 1 --output replay.html      # training, played over its epochs
"""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence

import numpy as np

from lib.layers import CrossEntropyLoss, L1Loss, Linear, MeanSquaredError, ReLU, Residual, Sequential, Sigmoid
from lib.dataset import X, y
from lib.saving.command_line import OneLineParser, output_file, output_folder, positive_float, run_command, whole_number


class Example(NamedTuple):
    """A network with numbers to send through it."""

    model: Any
    x: np.ndarray
    y: np.ndarray
    loss_fn: Any
    learning_rate: float = 1.0


def with_weights(rng: np.random.Generator, *modules: Any) -> Sequential:
    """Return a Sequential whose weights are drawn of a size at which every number can be seen."""
    model = Sequential(*modules)
    for parameter in model.parameters():
        parameter.data = np.round(rng.uniform(-1, 1, parameter.data.shape), 2)
    return model


def xor(rng: np.random.Generator) -> Example:
    """the XOR experiment: Linear(2, 2), ReLU, Linear(2, 2), cross-entropy, all four examples"""
    model = with_weights(rng, Linear(2, 2), ReLU(), Linear(2, 2))
    return Example(model, X.astype(float), np.eye(2)[y], CrossEntropyLoss())


def skip(rng: np.random.Generator) -> Example:
    """the pen-and-paper network with a skip connection, all weights 0.5, L1 loss, (x, y) = (1, -3)"""
    model = Sequential(Linear(1, 1, bias=False), ReLU(),
                       Residual(Sequential(Linear(1, 1, bias=False), ReLU(), Linear(1, 1, bias=False)),
                                shortcut=Linear(1, 1, bias=False)))
    for name, parameter in zip(("w0", "w1", "w2", "ws"), model.parameters()):
        parameter.data, parameter.name = np.full((1, 1), 0.5), name
    return Example(model, np.ones((1, 1)), np.full((1, 1), -3.0), L1Loss())


def deep(rng: np.random.Generator) -> Example:
    """the deep ReLU network 4-6-6-6-1 of backpropagation by hand, one example, squared error"""
    model = with_weights(rng, Linear(4, 6), ReLU(), Linear(6, 6), ReLU(), Linear(6, 6), ReLU(), Linear(6, 1))
    return Example(model, np.round(rng.uniform(-1, 1, (1, 4)), 2), np.ones((1, 1)), MeanSquaredError(), 0.01)


def mlp(rng: np.random.Generator) -> Example:
    """the regression network with three sigmoid units, one point, squared error"""
    model = with_weights(rng, Linear(1, 3), Sigmoid(), Linear(3, 1))
    return Example(model, np.full((1, 1), 0.5), np.full((1, 1), 0.48), MeanSquaredError(), 0.1)


def ticket(rng: np.random.Generator) -> Example:
    """the ticket-price network, Linear(3, 4), ReLU, Linear(4, 1): four passengers, fare / 100, squared error"""
    from lib.data.titanic import load_titanic
    passengers = load_titanic()
    model = with_weights(rng, Linear(3, 4), ReLU(), Linear(4, 1))
    x = passengers.x[:4] / [3, 80, 1]  # class / 3, age / 80 years, survived: all between 0 and 1
    return Example(model, np.round(x, 3), np.round(passengers.y[:4] / 100, 3), MeanSquaredError(), 0.1)


EXAMPLES: Dict[str, Callable[[np.random.Generator], Example]] = {
    each.__name__: each for each in (xor, skip, deep, mlp, ticket)}


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Write the page that a command line asks for, or list the networks."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments[:1] == ["replay"]:
        return replay(arguments[1:])
    if arguments[:1] == ["playground"]:
        return playground(arguments[1:])
    parser = OneLineParser(prog="python -m lib.walkthrough", description="Write a page on which a network's forward "
                           "and backward pass can be watched, opened and predicted, as one HTML file.",
                           epilog="Other pages: python -m lib.walkthrough replay --help, and playground --help")
    parser.add_argument("name", nargs="?", default="xor", choices=list(EXAMPLES), metavar="NAME",
                        help=f"the network: {', '.join(EXAMPLES)} (default: xor); or replay, or playground")
    add_output(parser, "walkthrough.html")
    parser.add_argument("--seed", type=whole_number(0), default=7, metavar="N",
                        help="seed of the weights (default: %(default)s)")
    parser.add_argument("--list", action="store_true", help="list the networks and stop")
    options = parser.parse_args(arguments)
    if options.list:
        for name, example in EXAMPLES.items():
            print(f"{name:8} {example.__doc__}")
        print("replay   training on XOR, played over its epochs: what is stuck, why, and what would free it")
        print("playground: a page that runs this library itself in the browser, on own data and own code")
        return 0
    from lib.graph.page import write_page
    model, x, y_, loss_fn, learning_rate = EXAMPLES[options.name](np.random.default_rng(options.seed))
    title = f"{options.name}: {EXAMPLES[options.name].__doc__}"
    return tell(write_page(model, x, y_, options.output, loss_fn=loss_fn, learning_rate=learning_rate, title=title))


def replay(arguments: Sequence[str]) -> int:
    """Write the page that plays the training of XOR from several starts, with one or several learning rates."""
    parser = OneLineParser(prog="python -m lib.walkthrough replay", description="Write a page that plays training on "
                           "XOR over its epochs, from several starts side by side: what is stuck, why, and its cure.")
    parser.add_argument("--seeds", type=whole_number(0, 2 ** 32 - 1), nargs="+", default=[0, 1, 3], metavar="N",
                        help="the starts, as those of run_xor_experiment.py --seed (default: 0 1 3)")
    parser.add_argument("--lr", type=positive_float, nargs="+", default=[1.0], metavar="RATE",
                        help="learning rates, each shown for each start (default: 1)")
    parser.add_argument("--epochs", type=whole_number(1, 20_000), default=1000, metavar="N", help="default: 1000")
    parser.add_argument("--hidden", type=whole_number(1, 64), default=2, metavar="N", help="hidden units (default: 2)")
    add_output(parser, "replay.html")
    options = parser.parse_args(arguments)
    if not 1 <= len(options.seeds) * len(options.lr) <= 12:
        parser.error("a page shows at most 12 runs: give fewer seeds or learning rates")
    from lib.graph.page.replay import write_replay
    runs = {}
    for seed in dict.fromkeys(options.seeds):
        for rate in dict.fromkeys(options.lr):
            np.random.seed(seed)
            model = Sequential(Linear(2, options.hidden), ReLU(), Linear(options.hidden, 2))
            runs[f"seed {seed}" + (f", lr {rate:g}" if len(options.lr) > 1 else "")] = (model, rate)
    title = f"XOR, replayed: Linear(2, {options.hidden}), ReLU, Linear({options.hidden}, 2)" + (
        f", learning rate {options.lr[0]:g}" if len(options.lr) == 1 else "")
    return tell(write_replay({name: model for name, (model, _) in runs.items()}, X, np.eye(2)[y], options.output,
                             learning_rate=[rate for _, rate in runs.values()], epochs=options.epochs, title=title))


def playground(arguments: Sequence[str]) -> int:
    """Write the page that runs the library in the browser, and serve it on this machine if there is a runtime."""
    parser = OneLineParser(prog="python -m lib.walkthrough playground", description="Write a page that runs this "
                           "library itself in the browser, on own data and own code; with a runtime, serve it here.")
    parser.add_argument("--output", type=output_folder, default="playground", metavar="FOLDER",
                        help="default: %(default)s")
    parser.add_argument("--runtime", metavar="FOLDER", help="the folder of CPython with NumPy for WebAssembly: see the "
                        "head of lib/graph/page/playground.py; without it the page is written, and not served")
    parser.add_argument("--port", type=whole_number(0, 65535), default=8000, metavar="N", help="default: %(default)s")
    options = parser.parse_args(arguments)
    from lib.graph.page.playground import require_runtime, serve, write_playground
    if options.runtime is not None:
        try:
            require_runtime(options.runtime)
        except ValueError as error:
            parser.error(str(error))
    path = write_playground(options.output)
    if options.runtime is None:
        print(f"Page written to {path}. Put the runtime into {path.parent / 'runtime'} and serve the folder.")
    else:
        serve(options.output, options.runtime, options.port)
    return 0


def add_output(parser: OneLineParser, default: str) -> None:
    """Add the option of where to write."""
    parser.add_argument("--output", type=output_file, default=default, metavar="FILE", help="default: %(default)s")


def tell(path: Path) -> int:
    """Say where a page is."""
    print(f"Page written to {path}. Open it in a browser: {path.resolve().as_uri()}")
    return 0


if __name__ == "__main__":
    run_command(main)
