"""The tests. One BLAS thread and pictures without a screen: set here, before anything imports NumPy or Matplotlib."""
import os
from importlib.util import find_spec

if find_spec("numpy") is None or find_spec("pytest") is None:
    from environment import rerun_module_in_environment  # it stands beside this folder
    rerun_module_in_environment()  # `python -m tests.test_x` goes on in .venv

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("MPLBACKEND", "Agg")
