"""What to do about an exception in a student's code, beyond what Python says.

Each advice is for one kind of exception and message, and is given only where it fits: where none does, Python's message
and the line stand alone.
"""
from __future__ import annotations

import difflib
import re
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Type

import numpy as np

from lib.gradient_checking.course import ROOT
from lib.network_base import Module, Parameter, is_loss


class Failure(NamedTuple):
    """An exception, the student's line that raised it, the variables it could see, and the function's own."""

    error: BaseException
    line: str
    variables: Dict[str, Any]
    own: Sequence[str] = ()

    def value(self, name: str) -> Any:
        """Return what a name such as self.W.data stands for, or None; nothing is called."""
        first, *attributes = name.split(".")
        value = self.variables.get(first)
        for attribute in attributes:
            value = vars(value).get(attribute) if hasattr(value, "__dict__") and attribute in vars(value) else \
                getattr(value, attribute, None) if isinstance(value, (np.ndarray, Parameter)) else None
        return value


CALLABLES = ("method", "function", "builtin_function_or_method")
NO_PARENTHESES = "The parentheses of the call are missing."
NOTHING_ABOVE = "Nothing comes after a loss: dL/dL = 1, so its backward gets no upstream gradient."
INPUT_NAMES = ("x", "X", "inputs", "input", "cache")


def advice_on(failure: Failure) -> str:
    """Return a sentence on what to do; "" if none is known."""
    for kind, pattern, advise in ADVICE:
        if isinstance(failure.error, kind):
            match = re.search(pattern, str(failure.error))
            sentence = advise(failure, *match.groups()) if match else None
            if sentence:
                return sentence
    return ""


def _unknown_name(failure: Failure, name: str) -> Optional[str]:
    if name == "np":
        return "NumPy has to be imported in this file: import numpy as np."
    module = failure.variables.get("self")
    if module is not None and name in vars(module):
        return f"What the module keeps is reached by self: self.{name}."
    if hasattr(np, name) and f"{name}(" in failure.line:
        return f"NumPy's functions are called as np.{name}(...)."
    known = [known for known in failure.variables if known[0] != "_"]
    near = [other for other in known if other.lower() == name.lower()]
    home = next((path.stem for path in sorted((ROOT / "lib").glob("*.py"))
                 if re.search(rf"^(def|class) {name}\b", path.read_text(encoding="utf-8"), re.MULTILINE)), "")
    if home:
        return f"It stands in another file: from lib.{home} import {name}."
    if isinstance(module, Module) and name in ("grad", "upstream", "grad_output") and is_loss(module):
        return NOTHING_ABOVE
    near = near or difflib.get_close_matches(name, known, 1, 0.7)
    if near:
        return f"Is {near[0]} meant?"
    if isinstance(module, Module) and name in INPUT_NAMES:
        return "What forward got is in self.input_cache."
    own = [own for own in failure.own if own[0] != "_" and own != "self"]
    return "It has to get a value before it is used, in this function" + (
        f", which knows {', '.join(own)}." if own else ".")


def _no_attribute(failure: Failure, kind: str, attribute: str) -> Optional[str]:
    if "Here it is" in str(failure.error) or "goes without" in str(failure.error):
        return None  # the library has said it
    if kind == "Parameter" and hasattr(np.ndarray, attribute):
        owner = _owner(failure, attribute, Parameter)
        return f"A Parameter keeps its numbers in .data and their gradient in .grad: {owner}.data.{attribute}."
    if kind == "Parameter":
        return "A Parameter has .data, the numbers, and .grad, their gradient."
    if kind == "NoneType":
        return "What stands before the dot is None: a function without return, or something that isn't set yet."
    if kind in ("list", "tuple"):
        return f"It is a {kind}: go through its elements with for, one by one."
    if kind == "ndarray" and attribute == "backward":
        return "An array has no backward: the modules have one, and take such an array as its argument."
    if kind == "ndarray" and attribute == "append":
        return "An array keeps its size: += adds to its numbers."
    if kind == "ndarray":
        near = nearly(attribute, [name for name in dir(np.ndarray) if name[0] != "_"])
        return f"Is .{near[0]} meant?" if near else (
            "Tensors of another library have that; NumPy's arrays don't." if attribute in OF_TENSORS else None)
    if kind in CALLABLES:
        return NO_PARENTHESES
    holder = next((value for value in failure.variables.values() if type(value).__name__ == kind), None)
    if holder is None:
        return None
    is_known = hasattr(holder, "__dict__") and kind[0] != "_"  # a class of tasks.py is none of the student's
    names = [name for name in (vars(holder) if is_known else {})
             if name[0] != "_" and name not in ("open_forwards", "training")]
    if isinstance(holder, Module) and holder.input_cache is not None:
        names.append("input_cache")  # a loss keeps more in it than its input, and so may others
    near = difflib.get_close_matches(attribute, names, 1, 0.6)
    if near:
        return f"Is {near[0]} meant?"
    if isinstance(holder, Module) and attribute in INPUT_NAMES and holder.input_cache is not None:
        return "What forward got is in self.input_cache."
    parameters = [name for name in names if isinstance(vars(holder).get(name), Parameter)]
    if parameters:
        return f"Its parameters are called {' and '.join(parameters)}."
    if isinstance(holder, Module) and f".{attribute}(" in failure.line:
        methods = [name for name in dir(Module) if name[0] != "_" and callable(getattr(Module, name, None))]
        near = nearly(attribute, methods)
        return f"Is {near[0]}(...) meant?" if near else "A module's methods are forward, backward and parameters."
    if isinstance(holder, Module) and attribute.lower() in PARAMETER_NAMES:
        return "Go through its parameters with model.parameters()."
    return f"It has {' and '.join(dict.fromkeys(names))}." if names else None


def _unknown_key(failure: Failure, key: str) -> Optional[str]:
    names = re.findall(r"([A-Za-z_][\w.]*)\s*(?:\[|\.pop\()", failure.line)
    known = next((value for value in map(failure.value, names) if isinstance(value, dict)
                  and failure.error.args[0] not in value), None)
    alike = [repr(other) for other in known or () if repr(other).lower() == key.lower()] or \
        difflib.get_close_matches(key, list(map(repr, known or ())), 1, 0.6)
    held = f" It has {' and '.join(map(repr, known))}." if known else ""
    return "The dictionary has no such key." + (f" Is {alike[0]} meant?" if alike else held)


OF_TENSORS = ("zero_", "add_", "sub_", "fill_", "detach", "numpy", "mm", "matmul", "t", "unsqueeze", "expand", "float")
PARAMETER_NAMES = ("w", "b", "weight", "weights", "bias", "biases", "grad", "data", "params")


def nearly(name: str, names: Sequence[str]) -> List[str]:
    """Return the name that a typing error may have come from, if there is one."""
    return difflib.get_close_matches(name, names, 1, 0.8) or [o for o in names if sorted(o) == sorted(name)][:1]


def _owner(failure: Failure, attribute: str, kind: Type[Any]) -> str:
    """Return the name in the line that stands before .attribute and is of this kind."""
    names: List[str] = re.findall(rf"([\w.]+)\.{attribute}\b", failure.line)
    return next((name for name in names if isinstance(failure.value(name), kind)), names[0] if names else "param")


def _argument_missing(failure: Failure, argument: str) -> Optional[str]:
    if argument == "grad" and ".backward(" in failure.line:
        return ("A module's backward takes dL/d(its output) as its argument: what the module after it, or the loss, "
                "has returned.")
    if argument == "input_args":
        return "check_gradients is called on an object, such as Sequential(...), with the inputs as a tuple: (x,)."
    return None


def _operands(failure: Failure, first: str, second: str) -> Optional[str]:
    if "Parameter" in (first, second):
        return "A Parameter can't be computed with: its numbers are its .data, and their gradient is its .grad."
    module = failure.variables.get("self")
    if "NoneType" in (first, second) and isinstance(module, Module) and is_loss(module) and re.search(
            r"\b_\b", failure.line) and failure.value("_") is None:
        return NOTHING_ABOVE
    if "NoneType" in (first, second):
        names = [name for name in re.findall(r"[A-Za-z_][\w.]*", failure.line) if failure.value(name) is None
                 and name.split(".")[0] in failure.variables]
        which = f"{names[0]} is None" if names else "One of them is None"
        if names and names[0].endswith(".grad"):
            return which + ": a gradient can be None until zero_grad makes it an array."
        return which + "."
    if {first, second} & set(CALLABLES):
        return NO_PARENTHESES
    if {first, second} & {"list", "tuple"}:
        return "A list or tuple isn't an array: take its elements one by one."
    return None


Advice = Sequence[Tuple[Any, str, Any]]
ADVICE: Advice = (
    (UnboundLocalError, r"local variable '(\w+)'", lambda failure, name: (
        f"{name} gets its value further down, or in a branch or loop that wasn't entered.")),
    (NameError, r"name '(\w+)' is not defined", _unknown_name),
    (AttributeError, r"'tuple' object has no attribute 'reverse'", lambda failure: (
        "A tuple can't be turned around itself: reversed(...) gives its elements in reverse.")),
    (AttributeError, r"'(?:numpy\.)?(\w+)' object has no attribute '(\w+)'", _no_attribute),
    (AttributeError, r"module 'numpy' has no attribute '(\w+)'", lambda failure, name: next(
        (f"Is np.{near} meant?" for near in nearly(name, dir(np))), None)),
    (AssertionError, r"", lambda failure: (
        "What stands after this assert isn't true here." if failure.line.startswith("assert ") else None)),
    (SystemExit, r"", lambda failure: "It ends the whole program: leave it out."),
    ((EOFError, OSError), r"EOF when reading|reading from stdin", lambda failure: (
        "input() waits for somebody to type: leave it out.")),
    (KeyError, r"^(.*)$", _unknown_key),
    (KeyboardInterrupt, r"", lambda failure: (
        "Here it was when it was stopped: does the loop around it ever end?")),
    (TypeError, r"missing 1 required positional argument: '(\w+)'", _argument_missing),
    (TypeError, r"unsupported operand type\(s\) for .*: '([\w.]+)' and '([\w.]+)'", _operands),
    (TypeError, r"'NoneType' object is not iterable", lambda failure: (
        "list.reverse() turns the list itself around and returns None: reversed(list) gives one to go through."
        if ".reverse()" in failure.line else "It is None: a function without return?")),
    (TypeError, rf"'(?:{'|'.join(CALLABLES)})' object is not (?:iterable|subscriptable)",
     lambda failure: NO_PARENTHESES),
    (TypeError, r"'Parameter' object is not (?:iterable|subscriptable)", lambda failure: (
        "A Parameter's numbers are its .data.")),
    (TypeError, r"'(?:numpy\.)?(\w+)' object is not callable", lambda failure, kind: (
        f"What stands before the parentheses is {'an' if kind[0] in 'aein' else 'a'} {kind}, not a function."
        + " Is a * missing there?" * bool(re.search(r"\)\s*\(", failure.line)))),
    (TypeError, r"'int' object is not reversible", lambda failure: (
        "reversed goes through a list or a range, not a number.")),
    (TypeError, r"'list' object cannot be interpreted as an integer", lambda failure: (
        "range counts up to a number: for goes through a list itself.")),
    (TypeError, r"cannot unpack non-iterable", lambda failure: (
        "There are several names for one thing: leave one, or count along with enumerate(...).")),
    (ValueError, r"too many values to unpack", lambda failure: (
        "There are more elements than names on the left: go through them with for.")),
    (TypeError, r"only .* arrays can be converted to Python scalars", lambda failure: (
        "int() and float() make one number of one number, not of an array.")),
    (TypeError, r"check_gradients\(\) takes 0 positional arguments", lambda failure: (
        "This is the function itself; a module checks its own: module.check_gradients((x,)).")),
    (IndexError, r"arrays used as indices must be of integer", lambda failure: (
        "An index is a whole number, or a mask. One-hot labels are neither: labels.argmax(axis=1) are the classes.")),
    (TypeError, r"Cannot interpret '\d+' as a data type", lambda failure: (
        "A shape is one argument, a tuple: np.zeros((3, 4)), or the shape of another array.")),
    (TypeError, r"'int' object is not iterable", lambda failure: (
        "To count up to a number, go through range(number)." if "for " in failure.line else None)),
    (ValueError, r"truth value of an array", lambda failure: (
        "An if, or an and, needs one yes or no; a comparison of arrays gives one for each entry. Compute with them "
        "entry by entry instead: np.where, or a product with the comparison.")),
    (IndexError, r"(?:list|tuple) index out of range", lambda failure: (
        "The last of n elements has the index n - 1.")),
    (AttributeError, r"'dict' object has no attribute '(\w+)'", lambda failure, name: (
        f"What a dict holds is reached by its key, [{name!r}].")),
    (ValueError, r"axis (\d+) is out of bounds for array of dimension (\d+)", lambda failure, axis, ndim: (
        f"An array with {ndim} axes has the axes 0 to {int(ndim) - 1}." if int(ndim) else "A number has no axes.")),
    (ValueError, r"setting an array element with a sequence", lambda failure: (
        "On the left stands one entry, on the right an array: an index is too many, or a sum is missing.")),
    (TypeError, r"backward\(\) takes 1 positional argument but 2 were given", lambda failure: (
        "backward gets the upstream gradient as its argument: def backward(self, grad).")),
    (TypeError, r"boolean (?:negative|subtract)", lambda failure: (
        "A comparison gives truth values: .astype(float), or a product with 1.0, makes numbers of them.")),
    (IndexError, r"too many indices for array", lambda failure: "Look at the array's shape: it has fewer axes."),
    (RecursionError, r"", lambda failure: "The function calls itself without end."),
    (ZeroDivisionError, r"", lambda failure: "What stands below the fraction is 0."),
    (TabError, r"", lambda failure: "A line begins with a tab: begin all of them with spaces."),
    (SyntaxError, r"invalid (?:non-printable )?character", lambda failure: (
        "Quotes are ' or \", as the keyboard has them." if re.search("[\u2018-\u201f]", failure.line) else None)),
    (SyntaxError, r"", lambda failure: (
        "Comparisons are written >= and <=." if re.search(r"=>|=<", failure.line) else None)),
    (IndentationError, r"expected an indented block", lambda failure: (
        "What belongs to a for, if or def is further in than it; a comment alone is no statement.")),
    (IndentationError, r"unindent|unexpected indent", lambda failure: (
        "The lines of a block begin in the same column, with spaces alone.")),
    (SyntaxError, r"expected ':'|invalid syntax", lambda failure: (
        "for, if, while and def end with a colon." if re.match(r"\s*(for|if|while|def|else|elif)\b[^:]*$", failure.line)
        else None)),
    (SyntaxError, r"never closed|unexpected EOF|'\(' was", lambda failure: "A bracket is opened and not closed."),
)
