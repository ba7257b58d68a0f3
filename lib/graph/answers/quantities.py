"""What the names in a student's answers stand for: "h0", "dL/dw5", "dh0/dz0", "new w0", however they are typed."""
from __future__ import annotations

import difflib
import re
import unicodedata
from typing import Any, Optional

from lib.graph.answers.calculation import Quantity, edges_between
from lib.graph.explain.derivation import Derivation
from lib.graph.explain.parts import trained
from lib.graph.explain.short import ShortForm
from lib.graph.node import Node
from lib.validation import InputError

LOSS_NAMES = ("L", "l", "loss", "Loss", "E", "J", "cost", "error")  # stand for the output, whatever it is called


def find(derivation: Derivation, name: str, learning_rate: Optional[float]) -> Quantity:
    """Return the quantity that a student's name stands for.

    Raises:
        InputError: there is no such quantity; the nearest names are suggested.
    """
    text = _plain(str(name))
    node = _node(derivation, text)
    if node is not None:
        return "value", node
    new = re.fullmatch(r"new (.+)|(.+)_new|(.+)\^?\+", text)
    changed = _node(derivation, next(filter(None, new.groups()))) if new else None
    if changed is not None:
        if learning_rate is None:
            raise InputError(f"To check {name!r}, the learning rate must be known: "
                             "check_answers(graph, answers, learning_rate=...).")
        return ("new" if changed in set(trained(derivation)) else "after"), changed
    if text.endswith(".grad") and _node(derivation, text[:-5]) is not None:
        return "grad", _node(derivation, text[:-5])
    fraction = re.fullmatch(r"d\(?(.+?)\)?/d\(?(.+?)\)?", text)
    if fraction:
        above, below = (_node(derivation, each) for each in fraction.groups())
        if above is derivation.output and below is not None:
            return "grad", below
        if above is not None and below is not None and edges_between(derivation, above, below):
            return "local", (above, below)
    for node, label in ShortForm(derivation).deltas.items() if text.startswith("delta") else ():
        if _bare(label.parts[0]) == _bare(text):  # as the short form calls the derivative by what h is the sigmoid of
            return "grad", node
    raise InputError(_unknown(derivation, name))


def _plain(text: str) -> str:
    """Return a name without blanks, and with d for the sign of a partial derivative."""
    text = unicodedata.normalize("NFKC", text).strip()
    text = text.replace("\N{PARTIAL DIFFERENTIAL}", "d").replace("\N{GREEK SMALL LETTER DELTA}", "delta_")
    return re.sub(r"^new\s+", "new ", text) if text.startswith("new ") else "".join(text.split())


def _node(derivation: Derivation, text: str) -> Optional[Node]:
    """Return the node of a name, also if w_5 is written for w5 or L for an output of another name."""
    text = text.strip()
    found = derivation.names.find(text)
    if found is None:
        alike = [each for each in derivation.names.known() if _bare(each) == _bare(text)]
        found = derivation.names.find(alike[0]) if len(alike) == 1 else None
    return derivation.output if found is None and text in LOSS_NAMES else found


def _bare(name: str) -> str:
    return re.sub(r"[_{}\\]", "", name)


def _unknown(derivation: Derivation, name: Any) -> str:
    known = derivation.names.known()
    candidates = known + [derivation.names.derivative(node) for node in derivation.gradients]
    near = difflib.get_close_matches(str(name), candidates, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    unnamed = [node for node in derivation.parameters() if not node.name]
    naming = " Some variables have no name of their own; give them one: variable(0.5, name=\"w0\")." if unnamed else ""
    example = derivation.names.derivative((derivation.parameters() or [derivation.output])[0])
    return (f"There is no quantity called {name!r} in this graph.{hint} Values are called {', '.join(known)}; "
            f"gradients are called {example} and so on.{naming}")
