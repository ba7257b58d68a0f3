"""Checking gradients: what is wrong, where, and why.

`check_module(module, inputs)` compares a module's backward with numeric derivatives of its forward and returns a
GradientReport. `Module.check_gradients` raises it as a GradientError. The words, from the outside in:

- an *examination* is the check of one module: it looks at several situations until there is a verdict on each gradient;
- a *situation* is a point with a name, such as "with a batch of 1";
- a *point* is where a module is looked at: the values of its inputs and parameters, and its mode;
- the *workbench* holds the module while it is examined, sets it to a point and puts all back afterwards;
- a *run* is one forward and one backward pass at a point, with what they returned and changed;
- the *slopes* at a point are the numeric derivatives of the output, each with its uncertainty;
- a *probe* tests what values at one point can't show, such as that gradients accumulate;
- a *trial* is one wrong gradient at one point beside the right one; a *hypothesis* says what a mistake gives there.
"""
from lib.gradient_checking.check import UndecidableWarning, check_module, one_check
from lib.gradient_checking.report import (Cause, GradientError, GradientReport, GradientShapeError, NotDoneError,
                                          TensorReport)

__all__ = ["Cause", "GradientError", "GradientReport", "GradientShapeError", "NotDoneError", "TensorReport",
           "UndecidableWarning", "check_module", "one_check"]
