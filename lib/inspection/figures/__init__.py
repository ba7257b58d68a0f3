"""Pictures, drawn with Matplotlib; each function returns its figure and works without a screen."""
