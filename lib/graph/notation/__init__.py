"""One notation for all that is written about graphs, and the forms in which it can be written.

A formula is a Term (`terms.py`), made by Python's signs and by `name`, `number`, `call`, `partial` and the like. A
Notation (`writing.py`, which says how to add one) writes terms in one form: TEXT, LATEX, MATHML, SPOKEN.
`simplify.py` leaves out factors of 1 and signs that cancel.
"""
from __future__ import annotations

from lib.graph.notation.latex import LATEX, Latex
from lib.graph.notation.mathml import MATHML, Mathml
from lib.graph.notation.spoken import SPOKEN, Spoken
from lib.graph.notation.terms import (Term, array, call, choice, entry, equation, index, is_number, listed, matrix,
                                      method, name, new, number, ones, outer, partial, product_of, shape_of, sum_of,
                                      sum_over, words)
from lib.graph.notation.text import TEXT, Text
from lib.graph.notation.writing import Notation

__all__ = ["LATEX", "MATHML", "SPOKEN", "TEXT", "Latex", "Mathml", "Notation", "Spoken", "Term", "Text", "array",
           "call", "choice", "entry", "equation", "index", "is_number", "listed", "matrix", "method", "name", "new",
           "number", "ones", "outer", "partial", "product_of", "shape_of", "sum_of", "sum_over", "words"]
