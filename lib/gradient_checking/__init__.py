"""Checking gradients: what is wrong, where, and why.

`check_module(module, inputs)` compares a module's backward with numeric derivatives of its forward and returns a
GradientReport. `Module.check_gradients` raises it as a GradientError.
"""
from lib.gradient_checking.check import UndecidableWarning, check_module, one_check
from lib.gradient_checking.report import (Cause, GradientError, GradientReport, GradientShapeError, NotDoneError,
                                          TensorReport)

__all__ = ["Cause", "GradientError", "GradientReport", "GradientShapeError", "NotDoneError", "TensorReport",
           "UndecidableWarning", "check_module", "one_check"]
