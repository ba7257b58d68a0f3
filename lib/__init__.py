"""A teaching library for neural networks and backpropagation, in NumPy.

Import what you need from its modules, for example::

    from lib.network import Linear, Sequential
    from lib.activations import ReLU
    from lib.losses import CrossEntropyLoss

Nothing of it is imported here, so that `import lib.network` costs little more than `import numpy`.
"""
from importlib.util import find_spec

if find_spec("numpy") is None:
    from environment import rerun_module_in_environment  # it stands beside this folder
    rerun_module_in_environment()  # `python -m` of a module of this package goes on in .venv
