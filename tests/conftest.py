"""Fixtures for all tests: a random state that makes each failure repeatable."""
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def seeded():
    """Seed NumPy's global random state."""
    np.random.seed(0)


@pytest.fixture
def rng():
    """A random generator for a test's own numbers."""
    return np.random.default_rng(0)
