"""The computational graph: automatic differentiation on NumPy arrays that can be read, drawn and explained.

    >>> from lib.graph import variable, exp, log, sqrt
    >>> a, b = variable(1.0, name="a"), variable(4.0, name="b")
    >>> y = exp(a) / sqrt(b) * log(a + b)
    >>> y.backward()
    >>> round(float(a.grad), 4), round(float(b.grad), 4)
    (2.4593, -0.0016)

**Nodes** (`node.py`, `array_habits.py`). `variable(value, name=...)` and `constant(value, name=...)` make leaves, of
copies of what they are given; + - * / ** @ and the functions below make computed nodes, of nodes, arrays, numbers and
lists of these. Every Node has

- `value`, a NumPy array or scalar, and `grad`, d(output)/d(node), None before backward() and for constants;
- `operation`, the Operation that made it (None for a leaf), and `parents`, a tuple of nodes in argument order;
- `name` (or None; `node.named("z")` sets it), `shape`, `ndim`, `size`, `dtype`, `is_leaf`, `needs_grad` (False for
  constants), `parameter` (of a module, or None), `line` (file and number, or None), `is_graph_node` = True.

`topological_order(output)` lists all nodes below output, parents first, in the order of creation.

**NumPy's functions** (`numpy_functions.py`, `composed.py`). `np.exp(node)`, `np.sum(node, axis=0)`, `np.where`,
`np.concatenate`, `node.var(axis=0)` and so on give nodes; comparisons, np.argmax and what else is constant piece by
piece give arrays. What would turn a node into a number without being asked raises a sentence.

**Operations** (`operations/`), one small class each, all listed by `Operation.all()` and below. The class is the one
place of an operation: its function, its method and NumPy's function of its name follow. Every Operation has `name`,
`shape_rule`, `elementwise` (its Jacobian is diagonal), `broadcasts`, `commutative`, and

- `forward(*values)`; `backward(i, grad, out, *inputs)`: what flows to parent i, on arrays or on nodes;
- `formula(*names)`: the operation on named parents, such as a * b, as a term of `lib.graph.notation`;
- `derivative(i, out, *names)`: d(out)/d(parent i), `out` being the node's own name;
- `flow(i, grad, out, *names)`: what flows back, such as grad @ b.T.

**Notation** (`notation/`). Formulas are terms, which TEXT, LATEX and other forms write.

**Engine** (`engine.py`). `node.backward()` leaves the derivative of that node in the `grad` of all nodes below it;
each call starts afresh (with accumulate=True, leaves add up). Contributions over several paths are summed.
`forward(output)` computes a graph again after leaves got a new `value`.

**Functions** (`functional.py`). `grad(f)`, `jacobian(f)`, `hessian(f)` are functions; `vjp(f, x)` and
`jvp(f, [x], [t])` are products with the Jacobian; `derivatives(output, [nodes])` are nodes again. They may stand
inside of each other.

**Modules** (`modules.py`). `model(node)` is the network's graph: one node a module (operation: a ModuleCall), or, in
`with expanded():` or by `expand(model, node)`, single operations, where these agree with the module's own forward and
backward. Parameters become leaves, named W1, b1, W2, ... `forward_on_nodes(module, node)` runs any forward on nodes.

**Sharing** (`sharing.py`). In `with share_subexpressions():`, or by `share(output)`, equal sub-expressions are one
node.

**EDF** (`edf/`). The course's Educational Framework, on these operations: `from lib.graph import edf`.

**Beyond this package's own names**: `lib.graph.explain` writes the derivation of a gradient, `lib.graph.draw` and
`lib.graph.draw.network` draw graphs and networks, `lib.graph.answers` checks calculations by hand.

At a kink the derivative is the left one: relu'(0) = 0, abs'(0) = -1; maximum(a, b) gives its second argument the
gradient where both are equal, minimum(a, b) its first; max and min share it equally among entries that tie.

The operations:
"""
from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

from lib.graph import expansions
from lib.graph.engine import backward, forward, topological_order
from lib.graph.functional import derivatives, grad, hessian, jacobian, jvp, share, vjp
from lib.graph.expansion_rules import expansion
from lib.graph.modules import ModuleCall, expand, expanded, forward_on_nodes, parameter_node
from lib.graph.node import Node, constant, variable
from lib.graph.numpy_functions import GIVES_ARRAYS
from lib.graph.operations import FUNCTIONS, Operation, unbroadcast
from lib.graph.shape_errors import ShapeError
from lib.graph.sharing import share_subexpressions
from lib.graph import edf  # noqa: E402 (builds on all of the above)

# exp, log, sum, ...: the functions of the operations. Those that give arrays, such as round, aren't among them.
_functions = {name: function for name, function in FUNCTIONS.items()
              if name not in GIVES_ARRAYS and name not in globals()}
globals().update(_functions)
__all__ = ["Node", "Operation", "ShapeError", "variable", "constant", "topological_order", "backward", "forward",
           "unbroadcast", "share", "share_subexpressions", "derivatives", "grad", "hessian", "jacobian", "jvp", "vjp",
           "ModuleCall", "expand", "expanded", "expansion", "forward_on_nodes", "parameter_node", "edf", "expansions",
           *sorted(set(_functions) - {"copy", *dir(builtins)})]  # import * must not hide what Python has of that name
__doc__ = (__doc__ or "") + "".join(f"\n    {operation.name:12} {(operation.__doc__ or '').partition(chr(10))[0]}"
                                    for operation in Operation.all())

if TYPE_CHECKING:
    def __getattr__(name: str) -> Any: ...
else:
    def __getattr__(name):
        """Return the function of an operation that was defined after this package was imported."""
        if name in FUNCTIONS:
            return FUNCTIONS[name]
        raise AttributeError(f"lib.graph has no {name!r}.")
