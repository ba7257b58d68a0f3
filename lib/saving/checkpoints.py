"""Checkpoints: everything that a training run needs to go on as if it had never stopped, in one file.

That is the model (parameters and buffers), the optimiser's memory, the schedule's place, and every random state,
NumPy's global one and those of generators; with them the history so far, and the best weights so far.
"""
from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Union

import numpy as np

from lib.saving.description import checksum, describe, describe_schedule
from lib.saving.model_files import model_arrays, require_same_arrays, set_model_arrays
from lib.network_base import Module
from lib.saving.npz import FileContentError, flatten_tree, read_npz, restore_tree, write_npz
from lib.saving.state import get_state, set_state
from lib.validation import InputError

State = Dict[str, Any]


class Run:
    """What changes in the course of a training run; its state can be taken out and put back, bit for bit.

    Args:
        model: the network.
        loss_fn: the loss.
        optimizer: any object with a step(); its state is all of its attributes that are made of numbers.
        scheduler: likewise, or None.
        rng: the generator that shuffles the batches, or None for NumPy's global random state.
    """

    def __init__(self, model: Module, loss_fn: Any, optimizer: Any, scheduler: Any = None,
                 rng: Optional[np.random.Generator] = None) -> None:
        self.model, self.loss_fn, self.optimizer, self.scheduler, self.rng = model, loss_fn, optimizer, scheduler, rng

    def state(self) -> State:
        """Return copies of everything that the next step depends on."""
        return {
            "model": model_arrays(self.model),
            "optimizer": get_state(self.optimizer, self.scheduler),
            "numpy": np.random.get_state(legacy=False),
            "generators": [_generator_state(generator) for generator in self._generators()],
        }

    def set_state(self, state: State) -> None:
        """Put back what state() returned: all of it, or, if it doesn't fit, nothing.

        Raises:
            FileContentError: it is the state of another run.
        """
        before = self.state()
        try:
            self._set_state(state)
        except BaseException as error:  # a state from a file can be anything
            self._set_state(before)
            if isinstance(error, Exception):
                raise FileContentError(f"This state can't be restored: {error}") from error
            raise  # Ctrl-C

    def _set_state(self, state: State) -> None:
        headers = {name: (array.shape, array.dtype) for name, array in state["model"].items()}
        require_same_arrays(model_arrays(self.model), headers, "The checkpoint")
        set_state(state["optimizer"], self.optimizer, self.scheduler)
        np.random.set_state(state["numpy"])
        generators = self._generators()
        if len(generators) != len(state["generators"]):
            raise InputError("the model draws its random numbers from other generators than the saved one.")
        for generator, saved in zip(generators, state["generators"]):
            _set_generator_state(generator, saved)
        set_model_arrays(self.model, state["model"])

    def _generators(self) -> List[Any]:
        """Return the random generators of this run: the one for batches, and those that modules hold."""
        modules = list(self.model.named_modules())
        if isinstance(self.loss_fn, Module):
            modules += list(self.loss_fn.named_modules())
        held = [value for _, module in modules for value in vars(module).values()
                if isinstance(value, (np.random.Generator, np.random.RandomState))]
        return ([] if self.rng is None else [self.rng]) + held

    def description(self, more: Dict[str, Any]) -> Dict[str, str]:
        """Return what must be the same when a run is resumed, each as text; of arrays in `more`, checksums."""
        optimizer = describe(self.optimizer)
        if self.scheduler is not None:  # the schedule sets the rate, which therefore changes in the course of a run
            optimizer = re.sub(r"\blr=[^,)]+(, )?", "", optimizer)
        return {
            "model": describe(self.model),
            "loss": describe(self.loss_fn),
            "optimizer": optimizer,
            "schedule": describe_schedule(self.scheduler),
            **self._exceptions(),
            "shuffling": "NumPy's global random state" if self.rng is None else "a generator of its own",
            **{name: f"{value.dtype} {value.shape}, checksum {checksum(value)}" if isinstance(value, np.ndarray)
               else str(value) for name, value in more.items()},
        }

    def _exceptions(self) -> Dict[str, str]:
        """Return which parameters aren't trained, and which a penalty on others leaves out, if there are any."""
        named = self.model.named_parameters(constants=True)
        trained = {id(param) for param in getattr(self.optimizer, "_params", [param for _, param in named])}
        penalised = {id(param) for param in self.loss_fn.parameters()} if isinstance(self.loss_fn, Module) else set()
        found = {"parameters not trained": [name for name, param in named
                                            if param.constant or id(param) not in trained],
                 "parameters not penalised": [name for name, param in named
                                              if penalised and id(param) not in penalised]}
        places = {id(param): place for place, (_, param) in enumerate(named) if not param.constant}
        order = [places[id(param)] for param in getattr(self.optimizer, "_params", []) if id(param) in places]
        if order != sorted(order):  # the optimiser's memory is saved in its own order
            found["order of the optimiser's parameters"] = [named[place][0] for place in order]
        return {what: ", ".join(names) for what, names in found.items() if names}


def save_checkpoint(path: Union[str, Path], state: State, description: Dict[str, str]) -> Path:
    """Write a checkpoint, atomically: a process that is killed meanwhile leaves the one before.

    Args:
        path: the file.
        state: nested dicts, lists and tuples of numbers, texts and arrays.
        description: what must be the same when the run is resumed.
    """
    return write_npz(path, flatten_tree({"description": description, "state": state}, "checkpoint"))


def load_checkpoint(path: Union[str, Path], description: Dict[str, str]) -> State:
    """Return the state that save_checkpoint wrote for a run of this description.

    Raises:
        FileContentError: the file is damaged, no checkpoint, or one of another run; the message says what differs.
    """
    arrays = read_npz(path)
    try:
        checkpoint = restore_tree(arrays, "checkpoint")
        saved, state = checkpoint["description"], checkpoint["state"]
        differences = [difference for name in sorted(set(saved) | set(description))
                       if name != "seed" or {name} <= set(saved) & set(description)  # a generator doesn't tell it
                       for difference in _differences(name, saved.get(name), description.get(name))]
    except Exception as error:  # a file that isn't a checkpoint can be anything
        raise FileContentError(f"{str(path)!r} holds no checkpoint of a training run.") from error
    if differences:
        raise FileContentError(f"{str(path)!r} is the checkpoint of another run:\n" + "\n".join(differences) + "\n"
                               "Use resume=False to start afresh and overwrite it, or another path.")
    return state


# -------------------------------------------------------------------- details


def _differences(name: str, saved: Any, own: Any) -> List[str]:
    """Return a line for each line in which two descriptions differ."""
    if saved == own:
        return []
    before, now = str(saved).split("\n"), str(own).split("\n")
    if len(before) != len(now):
        return [f"  {name}: {saved!r} in the checkpoint, but {own!r} now"]
    return [f"  {name}: {line!r} in the checkpoint, but {other!r} now" for line, other in zip(before, now)
            if line != other]


def _generator_state(generator: Any) -> Any:
    if isinstance(generator, np.random.RandomState):
        return generator.get_state(legacy=False)
    return generator.bit_generator.state


def _set_generator_state(generator: Any, state: Any) -> None:
    if isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    else:
        generator.bit_generator.state = state
