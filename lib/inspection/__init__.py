"""Looking into a model: its layers in a table, what flows through them, and why training is stuck."""
