"""What is measured: gradients, numeric derivatives and their noise, at points that can be varied."""
