"""Correct situations in which other checkers raise a false alarm: kinks, ties, precision, sizes, unusual modules.

Each function of the bank returns a right module and inputs; its docstring says what is difficult there.
"""
from tests.mutants import situations_kinks, situations_numbers, situations_state
from tests.mutants.situation_bank import SITUATIONS

__all__ = ["SITUATIONS", "situations_kinks", "situations_numbers", "situations_state"]
