"""A teaching library for neural networks and backpropagation, in NumPy.

Import what you need from its modules, for example::

    from lib.network import Linear, Sequential
    from lib.activations import ReLU
    from lib.losses import CrossEntropyLoss

Nothing is imported here, so that `import lib.network` costs little more than `import numpy`.
"""
