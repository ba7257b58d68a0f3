"""Writing models and training runs to files, and reading them back."""
