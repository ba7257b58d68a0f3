"""The experiments, one module each."""
from lib.experiments.xor import backward_pass

__all__ = ["backward_pass"]
