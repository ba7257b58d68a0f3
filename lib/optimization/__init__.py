"""Optimisers, schedules and clipping beyond the sheets', and SciPy's optimisers for a model."""
