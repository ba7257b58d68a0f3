"""Looking into a model: its layers in a table, and what flows through them."""
