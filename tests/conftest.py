"""Settings for all tests: one BLAS thread, pictures without a screen, and a random state of its own for each test."""
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before NumPy is imported, or it is too late
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np  # noqa: E402
import pytest  # noqa: E402


@pytest.fixture(autouse=True)
def seeded():
    """Seed NumPy's global random state, so that a failure can be repeated."""
    np.random.seed(0)


@pytest.fixture
def rng():
    """A random generator for a test's own numbers."""
    return np.random.default_rng(0)
