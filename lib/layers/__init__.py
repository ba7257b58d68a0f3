"""Every building block of a network, the sheets' included: `from lib.layers import Linear, Tanh, ...`."""
