"""What a check of gradients found: for machines as a dictionary; text.py writes it for the student."""
from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from lib.gradient_checking.measure.values import Entry
from lib.gradient_checking.text import as_text

OK, WRONG, UNDECIDABLE, TO_DO = "ok", "wrong", "undecidable", "to do"


class GradientError(RuntimeError):
    """A gradient is wrong; the message is the report, and `report` the report as an object."""

    report: Optional["GradientReport"] = None


class GradientShapeError(GradientError, AssertionError):
    """A gradient has another shape than what it is the gradient of."""


class NotDoneError(GradientError, NotImplementedError):
    """A backward pass isn't written yet."""


class Cause(NamedTuple):
    """A likely cause of wrong gradients."""

    name: str  # a short key, such as "missing 1/N"
    sentence: str  # what is wrong, for the student
    evidence: str  # how that is known
    question: str = ""  # the first hint: something to think about
    formula: str = ""  # the last hint: how it would be right


class TensorReport:
    """The verdict on one gradient: that of the first input or of a parameter.

    Attributes:
        name: "input", or the parameter's path such as "Sequential[2].W".
        verdict: "ok", "wrong", "undecidable" or "to do".
        max_error, max_relative_error: the greatest found, whether allowed or not.
        entries: the worst wrong entries, each with index, expected, uncertainty and got.
        reason: a sentence, where the verdict isn't "ok".
    """

    def __init__(self, name: str, kind: str) -> None:
        self.name, self.kind = name, kind
        self.verdict = UNDECIDABLE
        self.reason = ""
        self.situation = ""  # where it is wrong
        self.max_error = 0.0
        self.max_relative_error = 0.0
        self.entries: List[Entry] = []
        self.num_wrong = self.num_compared = 0

    def to_dict(self) -> Dict[str, Any]:
        return {"name": self.name, "kind": self.kind, "verdict": self.verdict, "reason": self.reason,
                "max_error": self.max_error, "max_relative_error": self.max_relative_error,
                "num_wrong": self.num_wrong, "num_compared": self.num_compared,
                "entries": [{"index": list(entry.index), "expected": entry.expected, "uncertainty": entry.uncertainty,
                             "got": entry.got, "ratio": entry.ratio} for entry in self.entries]}


class GradientReport:
    """The outcome of checking one module.

    Attributes:
        module: the module's name.
        tensors: a TensorReport for the first input and for each parameter.
        problems: sentences on what is wrong besides the values, such as "backward overwrites W.grad".
        remarks: sentences on what isn't wrong, but worth knowing, such as "backward changes its argument".
        causes: likely causes, the likeliest first.
        warnings: what could not be decided, and points that proved nothing.
        place: file and line of backward, as the student wrote it.
        raised: whether backward raised an exception.
        checked: the module and its inputs, as they were given; None if the report was made without them.
    """

    def __init__(self, module: str, hints: int = 3) -> None:
        self.module, self.hints = module, hints
        self.tensors: List[TensorReport] = []
        self.problems: List[str] = []
        self.remarks: List[str] = []
        self.causes: List[Cause] = []
        self.warnings: List[str] = []
        self.error_class = GradientError
        self.place, self.raised = "", False
        self.checked: Optional[Tuple[Any, Any]] = None

    @property
    def verdict(self) -> str:
        verdicts = [tensor.verdict for tensor in self.tensors]
        if TO_DO in verdicts:
            return TO_DO
        if self.problems or WRONG in verdicts:
            return WRONG
        return UNDECIDABLE if UNDECIDABLE in verdicts else OK

    @property
    def ok(self) -> bool:
        """Whether nothing wrong was found; what is undecidable isn't wrong."""
        return self.verdict in (OK, UNDECIDABLE)

    @property
    def first_cause(self) -> Optional[Cause]:
        return self.causes[0] if self.causes else None

    def on(self, wrt: str) -> "GradientReport":
        """Return the report if something is wrong with what wrt says ("input", "params", "all"), else that part of it.

        The whole report is of more use than a part of it; but the verdict is to be on what was asked for.
        """
        kinds = {"input": ("input",), "params": ("parameter",)}.get(wrt, ("input", "parameter"))
        asked = [tensor for tensor in self.tensors if tensor.kind in kinds]
        if len(asked) == len(self.tensors) or any(tensor.verdict in (WRONG, TO_DO) for tensor in asked) or (
                not any(tensor.verdict in (WRONG, TO_DO) for tensor in self.tensors)):
            return self
        part = GradientReport(self.module, self.hints)
        part.tensors, part.place, part.checked = asked, self.place, self.checked
        return part

    def raise_if_wrong(self) -> "GradientReport":
        """Raise GradientError with this report as its message, unless nothing is wrong; return the report."""
        if not self.ok:
            error_class = NotDoneError if self.verdict == TO_DO else self.error_class
            error = error_class(str(self))
            error.report = self
            raise error
        return self

    def to_dict(self) -> Dict[str, Any]:
        """Return the report as dictionaries, lists, strings and numbers, such as JSON takes."""
        return {"module": self.module, "verdict": self.verdict, "tensors": [t.to_dict() for t in self.tensors],
                "problems": list(self.problems), "remarks": list(self.remarks),
                "causes": [cause._asdict() for cause in self.causes], "warnings": list(self.warnings)}

    def __str__(self) -> str:
        return as_text(self)

    def __repr__(self) -> str:
        return f"GradientReport({self.module}: {self.verdict})"
