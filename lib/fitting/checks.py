"""What fit and train are given, checked before the first step."""
from __future__ import annotations

from typing import Any

from lib.inspection.trained import trained_parameters
from lib.validation import InputError


def require_training_objects(model: Any, loss_fn: Any, optimizer: Any, who: str) -> None:
    """Raise InputError for a class in place of an object of it, or an optimiser of another model's parameters."""
    for role, given in (("model", model), ("loss_fn", loss_fn), ("optimizer", optimizer)):
        if isinstance(given, type):
            arguments = "model.parameters(), lr=0.1" if role == "optimizer" else "..." if role == "model" else ""
            raise InputError(f"{who} expects {role} to be an object, but got the class {given.__name__}. Write "
                             f"{given.__name__}({arguments}).")
    if not hasattr(optimizer, "step"):
        raise InputError(f"{who} expects optimizer to be one, such as SGD(model.parameters(), lr=0.1), but got "
                         f"a {type(optimizer).__name__}.")
    own = {id(param) for param in trained_parameters(model, who)}
    trained = {id(param) for param in getattr(optimizer, "_params", [])}
    if trained and not trained & own:
        raise InputError(f"{who} got an optimiser that trains none of the model's parameters. Was the model made anew "
                         "after it? Make the optimiser from this model's parameters().")
