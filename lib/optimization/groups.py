"""Groups of parameters with settings of their own, such as biases without weight decay."""
from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Union

from lib.network_base import Parameter
from lib.optimizers import Optimizer, create_optimizer
from lib.validation import InputError, require_positive


class ParameterGroups(Optimizer):
    """One optimiser for each group of parameters, all of one kind, that take their steps together.

    >>> from lib.network import Linear
    >>> model = Linear(3, 2)
    >>> weights = {"params": [p for p in model.parameters() if p.role == "weight"], "weight_decay": 0.01}
    >>> biases = {"params": [p for p in model.parameters() if p.role != "weight"]}
    >>> ParameterGroups([weights, biases], lr=0.1, optimizer="adamw", weight_decay=0.0)
    ParameterGroups(AdamW of 1 parameter, AdamW of 1 parameter; lr=0.1)

    The rate of a group that names its own keeps its proportion to lr, when that is set anew by a schedule or by you.

    Args:
        params: groups, each a dict with its "params" and the settings in which it differs; or plain parameters, which
            are one group.
        lr: the learning rate of the groups that don't name one.
        optimizer: the kind of optimiser, as for create_optimizer.
        settings: the settings of the groups that don't name them.

    Raises:
        InputError: a group has no parameters, a parameter is in two groups, or a setting isn't one of the optimiser's.
    """

    def __init__(self, params: Union[Iterable[Parameter], Iterable[Mapping[str, Any]]], lr: float = 0.1,
                 optimizer: str = "sgd", **settings: Any) -> None:
        require_positive("lr", lr, self, zero_allowed=True)
        groups = _as_groups(params)
        super().__init__([param for group in groups for param in group["params"]], lr)
        if len(self._params) < sum(len(group["params"]) for group in groups):
            raise InputError("ParameterGroups expects each parameter in one group, but one of them stands there twice.")
        self.optimizers: List[Any] = []
        self._proportions: List[float] = []  # of each group's rate to lr
        for group in groups:
            own = {name: value for name, value in group.items() if name not in ("params", "lr")}
            rate = group.get("lr", lr)
            self.optimizers.append(create_optimizer(optimizer, group["params"], {**settings, **own, "lr": rate}))
            self._proportions.append(1.0 if rate == lr else _proportion(rate, lr))

    def step(self) -> None:
        """Let every group's optimiser take its step, at its share of lr."""
        for optimizer, proportion in zip(self.optimizers, self._proportions):
            optimizer.lr = self.lr * proportion
            optimizer.step()

    def __repr__(self) -> str:
        groups = [f"{type(optimizer).__name__} of {len(optimizer._params)} parameter"
                  f"{'s' if len(optimizer._params) > 1 else ''}" for optimizer in self.optimizers]
        return f"ParameterGroups({', '.join(groups)}; lr={self.lr})"


def _as_groups(params: Any) -> List[Dict[str, Any]]:
    """Return the groups, each with its parameters as a list; plain parameters are one group."""
    given = list(params)
    kinds = {isinstance(each, Mapping) for each in given}
    if kinds == {False}:
        return [{"params": given}]
    if kinds != {True} or not all("params" in group for group in given):
        raise InputError("ParameterGroups expects groups, each a dict with its \"params\", such as {\"params\": "
                         "model.parameters(), \"weight_decay\": 0.01}, or parameters alone.")
    return [{**group, "params": list(group["params"])} for group in given]


def _proportion(rate: float, lr: float) -> float:
    require_positive("lr", lr, "ParameterGroups, with groups that name their own,")
    return rate / lr
