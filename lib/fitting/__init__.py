"""Fitting a model to data: epochs, metrics, early stopping, history and progress."""
