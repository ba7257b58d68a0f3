"""A teaching library for neural networks and backpropagation, in NumPy.

Import what you need from its modules, for example::

    from lib.network import Linear, Sequential
    from lib.activations import ReLU
    from lib.losses import CrossEntropyLoss

Nothing of it is imported here, so that `import lib.network` costs little more than `import numpy`.
"""
import sys
from importlib.util import find_spec
from typing import Any

if find_spec("numpy") is None:
    from environment import rerun_module_in_environment  # it stands beside this folder
    rerun_module_in_environment()  # `python -m` of a module of this package goes on in .venv

if "IPython" in sys.modules:
    from lib.inspection.notebook import register
    register()  # models and reports are shown as tables


def __getattr__(name: str) -> Any:
    """Say where a class is, as in `from lib import Linear`."""
    if not name[:1].isupper():
        raise AttributeError(f"module 'lib' has no attribute {name!r}")
    raise ImportError(f"{name} isn't in lib itself, but in one of its modules. Layers, activations and losses all come "
                      f"from lib.layers: from lib.layers import {name}. Optimisers stand in lib.optimizers.")


# What the models of other libraries have as methods, and what has its place here.
_ELSEWHERE = {
    "fit": "fit(model, loss_fn, optimizer, x, y, epochs), from lib.fitting.fit",
    "predict": "model(x), the outputs, whose argmax(axis=1) is the class",
    "evaluate": "evaluate(x, y, model, loss_fn, batch_size), from lib.model_evaluation",
    "compile": "fit takes the loss and the optimiser, from lib.fitting.fit",
    "summary": "summary(model, input_shape), from lib.inspection.summary",
    "state_dict": "save(model, path), from lib.saving.model_files; model.named_parameters() lists the arrays",
    "load_state_dict": "load(model, path), from lib.saving.model_files",
    "zero_grad": "zero_grad(model.parameters()), from lib.gradient_utilities, or optimizer.zero_grad()",
    "to": "model.astype(np.float32) for the precision; there is no other device than the CPU",
}


class _Elsewhere:
    """An attribute of other libraries' models that ours lack: asking for it says what stands in its place."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, module: Any, cls: Any) -> Any:
        raise AttributeError(f"'{cls.__name__}' object has no attribute '{self.name}'. Here it is: "
                             f"{_ELSEWHERE[self.name]}.")


def says_what_is_elsewhere(cls: Any) -> Any:
    """Decorate a class whose objects say where their methods of other libraries are, such as `fit`."""
    for name in _ELSEWHERE:  # a __getattr__ would slow down every attribute
        setattr(cls, name, _Elsewhere(name))
    return cls
