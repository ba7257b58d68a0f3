"""A teaching library for neural networks and backpropagation, in NumPy.

Import what you need from its modules, for example::

    from lib.network import Linear, Sequential
    from lib.activations import ReLU
    from lib.losses import CrossEntropyLoss

Nothing of it is imported here, so that `import lib.network` costs little more than `import numpy`.
"""
import re
import sys
from importlib import import_module
from importlib.util import find_spec
from os.path import abspath, dirname, exists, join
from typing import Any

HERE = dirname(abspath(__file__))

if find_spec("numpy") is None:
    from environment import rerun_module_in_environment  # it stands beside this folder
    rerun_module_in_environment()  # `python -m` of a module of this package goes on in .venv


def _says_where(kind: Any, error: Any, trace: Any, python_says: Any = sys.excepthook) -> None:
    """Show a file of lib that Python doesn't understand with what to do, in place of the frames of its import."""
    file = abspath(error.filename or "") if issubclass(kind, SyntaxError) else ""
    if file.startswith(join(HERE, "")) and exists(file):  # eval's "<string>" is no file, wherever it runs
        try:
            syntax = import_module(".gradient_checking.syntax", __name__)  # looked up only then: it builds on lib
            print(f"Python doesn't understand {syntax.place_of(error)}:", *syntax.syntax_lines(error), sep="\n",
                  file=sys.stderr)
            return
        except Exception:  # the file is one that this needs, too
            pass
    python_says(kind, error, trace)


sys.excepthook = _says_where

if "IPython" in sys.modules:
    from lib.inspection.notebook import register
    register()  # models and reports are shown as tables


def __getattr__(name: str) -> Any:
    """Say where a class or function is, as in `from lib import Linear`."""
    from pathlib import Path
    if name[:1] == "_" or exists(join(HERE, name)) or exists(join(HERE, name + ".py")):  # a module of lib
        raise AttributeError(f"module 'lib' has no attribute {name!r}")
    defined = re.compile(rf"^(class {name}\b|def {name}\b|{name} = )", re.MULTILINE)
    home = next((path for path in sorted(Path(HERE).rglob("*.py"), key=lambda path: (len(path.parts), path))
                 if defined.search(path.read_text(encoding="utf-8"))), None)
    if home is None:
        raise AttributeError(f"module 'lib' has no attribute {name!r}")
    module = ".".join(home.relative_to(dirname(HERE)).with_suffix("").parts)
    raise ImportError(f"{name} isn't in lib itself, but in one of its modules: from {module} import {name}.")


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
    "cuda": "model.astype(np.float32) for the precision; there is no other device than the CPU",
    "add": "Sequential(Linear(2, 4), ReLU(), ...), which gets all its modules when it is made",
    "append": "Sequential(Linear(2, 4), ReLU(), ...), which gets all its modules when it is made",
    "save": "save(model, path), from lib.saving.model_files",
    "load_weights": "load(model, path), from lib.saving.model_files",
}


class _Elsewhere:
    """An attribute of other libraries' models that ours lack: asking for it says what stands in its place."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, module: Any, cls: Any) -> Any:
        place = _ELSEWHERE[self.name]
        file = re.search(r"from lib\.([\w.]+)", place)
        is_there = file is None or exists(join(HERE, *file[1].split(".")) + ".py")
        raise AttributeError(f"'{cls.__name__}' object has no attribute '{self.name}'. " + (
            f"Here it is: {place}." if is_there else "The library of this sheet goes without."))


def _refuse_requires_grad(parameter: Any, value: Any = None) -> Any:
    raise AttributeError("A Parameter has no requires_grad. Here it is: parameter.constant = True keeps its values.")


requires_grad = property(_refuse_requires_grad, _refuse_requires_grad)  # setting it would change nothing, in silence


def says_what_is_elsewhere(cls: Any) -> Any:
    """Decorate a class whose objects say where their methods of other libraries are, such as `fit`."""
    for name in _ELSEWHERE:  # a __getattr__ would slow down every attribute
        setattr(cls, name, _Elsewhere(name))
    return cls
