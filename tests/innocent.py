"""Right answers in many forms: none of them may lose a point.

Each entry is (the tasks that it is about, by file the changes). A change is a function of the reference's text, or a
text that stands in a gap: ("3.2", "return ...").
"""
from __future__ import annotations

from typing import Any, Dict, Sequence, Tuple

from grading.gaps import fill
from grading.layout import reference_files
from grading.submission import Submission
from tests.planting import SHEET, submission

RELU, LINEAR, LOSS, SEQUENTIAL, CHECK, STEP, ZERO = "3.2", "3.3", "3.4", "3.5", "3.6", "3.7", "3.1"
FUTURE = "from __future__ import annotations\n"


def _gap(number: str, content: str) -> Tuple[Tuple[str, ...], Dict[str, Any]]:
    gap = SHEET.task(number).gap
    assert gap is not None
    return (number,), {gap.file: lambda text: fill(text, gap.name, content)}


def _top(file: str, code: str, *numbers: str) -> Tuple[Tuple[str, ...], Dict[str, Any]]:
    return numbers, {file: lambda text: text.replace(FUTURE, FUTURE + code + "\n", 1)}


def _with(entry: Tuple[Sequence[str], Dict[str, Any]], files: Dict[str, Any]) -> Tuple[Sequence[str], Dict[str, Any]]:
    return entry[0], dict(entry[1], **files)


INNOCENT: Dict[str, Tuple[Sequence[str], Dict[str, Any]]] = {
    "ReLU by where": _gap(RELU, "return np.where(self.input_cache > 0, grad, 0.0)"),
    "ReLU by a loop over the rows": _gap(RELU, "out = np.empty_like(grad)\nfor i, row in enumerate(self.input_cache):\n"
                                         "    for j, value in enumerate(row):\n"
                                         "        out[i, j] = grad[i, j] if value > 0 else 0\nreturn out"),
    "ReLU by a copy": _gap(RELU, "out = grad.copy()\nout[self.input_cache <= 0] = 0\nreturn out"),
    "ReLU with the other choice at 0": _gap(RELU, "return grad * (self.input_cache >= 0)"),
    "ReLU with a half at 0": _gap(RELU, "return grad * np.heaviside(self.input_cache, 0.5)"),
    "ReLU by the output": _gap(RELU, "return grad * (np.maximum(self.input_cache, 0) != 0)"),
    "ReLU by the sign": _gap(RELU, "return grad * np.maximum(np.sign(self.input_cache), 0)"),
    "ReLU in float32": _gap(RELU, "return (grad * (self.input_cache > 0)).astype(np.float32)"),
    "ReLU as a list comprehension": _gap(RELU, "return np.array([[g if x > 0 else 0 for g, x in zip(a, b)] for a, b in "
                                         "zip(grad, self.input_cache)])"),
    "ReLU by a diagonal Jacobian": _gap(RELU, "d = np.diag((self.input_cache > 0).ravel().astype(float))\n"
                                        "return (d @ grad.ravel()).reshape(grad.shape)"),
    "ReLU by a masked array": _gap(RELU, "return np.ma.masked_where(self.input_cache <= 0, grad).filled(0)"),
    "ReLU with prints": _gap(RELU, "print('in backward', grad.shape, self.input_cache)\nreturn grad * "
                                   "(self.input_cache > 0)"),
    "ReLU that asks for input": _gap(RELU, "input('press enter')\nreturn grad * (self.input_cache > 0)"),
    "ReLU that raises where it is called wrongly": _gap(
        RELU, "if grad is None:\n    raise NotImplementedError('no gradient')\nreturn grad * (self.input_cache > 0)"),
    "ReLU with a helper function": ((RELU,), {"lib/activations.py": lambda text: fill(
        text, "ReLU.backward", "return grad * derivative(self.input_cache)") + "\n\ndef derivative(x):\n"
        "    return 1.0 * (x > 0)\n"}),
    "ReLU with a helper module": _with(
        ((RELU,), {"lib/activations.py": lambda text: fill(text, "ReLU.backward", "from lib.my_tools import "
                                                                                  "relu_slope\n"
                                                           "return grad * relu_slope(self.input_cache)")}),
        {"lib/my_tools.py": "import numpy as np\n\n\ndef relu_slope(x):\n    return np.where(x > 0, 1, 0)\n"}),
    "ReLU with a helper module beside lib": _with(
        ((RELU,), {"lib/activations.py": lambda text: "from tools import slope\n".join(
            fill(text, "ReLU.backward", "return grad * slope(self.input_cache)").split("import numpy as np\n", 1))
            .replace("from tools", "import numpy as np\nfrom tools")}),
        {"tools.py": "def slope(x):\n    return 1 * (x > 0)\n"}),
    "ReLU with a helper in a given file": (
        (RELU,), {"lib/activations.py": lambda text: fill(text, "ReLU.backward", "from lib.utilities import slope\n"
                                                          "return grad * slope(self.input_cache)"),
                  "lib/utilities.py": lambda text: text + "\n\ndef slope(x):\n    return 1 * (x > 0)\n"}),
    "an unused import of what is not here": _top("lib/activations.py", "import seaborn\nfrom torch import nn, optim\n"
                                                 "import lib.nothing", RELU),
    "an unused import of a name that is not here": _top("lib/network.py", "from lib.utilities import nothing", LINEAR,
                                                        SEQUENTIAL),
    "a plot opened at import": _top("lib/activations.py", "import matplotlib.pyplot as plt\nplt.plot([1, 2])\n"
                                                          "plt.show()",
                                    RELU),
    "a plot saved at import": _top("lib/activations.py", "import matplotlib.pyplot as plt\nplt.plot([1, 2])\n"
                                   "plt.savefig('figure.png')", RELU),
    "training at import": ((LINEAR, SEQUENTIAL), {"lib/network.py": lambda text: text + (
        "\n\nnet = Sequential(Linear(2, 3), Linear(3, 1))\nfor _ in range(50):\n    out = net(np.ones((4, 2)))\n"
        "    net.backward(out)\n    for p in net.parameters():\n        p.data = p.data - 0.01 * p.grad\n"
        "        p.grad = np.zeros_like(p.data)\n")}),
    "printing at import": _top("lib/losses.py", "print('losses' * 100000)", LOSS),
    "newer type hints": ((RELU,), {"lib/activations.py": lambda text: text.replace(
        "    def backward(self, grad: np.ndarray) -> np.ndarray:", "    def backward(self, grad: np.ndarray | None) -> "
        "np.ndarray | None:", 1)}),
    "markers taken away": ((RELU,), {"lib/activations.py": lambda text: "\n".join(
        line for line in text.split("\n") if "TODO #####" not in line)}),
    "CRLF and a BOM": ((RELU,), {"lib/activations.py": lambda text: "\ufeff" + text.replace("\n", "\r\n")}),
    "Linear by einsum": _gap(LINEAR, "self.W.grad += np.einsum('ni,nj->ij', self.input_cache, grad)\n"
                             "self.b.grad += np.einsum('nj->j', grad)\nreturn np.einsum('nj,ij->ni', grad, "
                             "self.W.data)"),
    "Linear by loops": _gap(LINEAR, "dx = np.zeros_like(self.input_cache)\nfor n in range(len(grad)):\n"
                            "    for j in range(grad.shape[1]):\n        self.b.grad[j] += grad[n, j]\n"
                            "        for i in range(self.input_cache.shape[1]):\n"
                            "            self.W.grad[i, j] += self.input_cache[n, i] * grad[n, j]\n"
                            "            dx[n, i] += grad[n, j] * self.W.data[i, j]\nreturn dx"),
    "Linear without +=": _gap(LINEAR, "self.W.grad = self.W.grad + np.dot(self.input_cache.T, grad)\n"
                              "self.b.grad = self.b.grad + np.ones(len(grad)) @ grad\nreturn np.dot(grad, "
                              "self.W.data.T)"),
    "Linear by outer products": _gap(LINEAR, "for x, g in zip(self.input_cache, grad):\n    self.W.grad += "
                                             "np.outer(x, g)\n"
                                     "self.b.grad += grad.sum(axis=0)\nreturn (self.W.data @ grad.T).T"),
    "Linear by the parameters": _gap(LINEAR, "W, b = self.parameters()\nW.grad += self.input_cache.T @ grad\n"
                                     "b.grad += grad.sum(0)\nreturn grad @ W.data.T"),
    "Linear by tensordot": _gap(LINEAR, "self.W.grad += np.tensordot(self.input_cache, grad, axes=(0, 0))\n"
                                "self.b.grad += grad.sum(axis=0)\nreturn np.tensordot(grad, self.W.data, axes=(1, 1))"),
    "Linear in float32": _gap(LINEAR, "g = grad.astype(np.float32)\nx = self.input_cache.astype(np.float32)\n"
                              "self.W.grad += x.T @ g\nself.b.grad += g.sum(axis=0)\nreturn g @ "
                              "self.W.data.T.astype(np.float32)"),
    "Linear by np.add": _gap(LINEAR, "np.add(self.W.grad, self.input_cache.T @ grad, out=self.W.grad)\n"
                             "np.add(self.b.grad, grad.sum(axis=0), out=self.b.grad)\nreturn grad @ self.W.data.T"),
    "cross-entropy in another order": _gap(LOSS, "p, y = self.input_cache\nn = y.shape[0]\nreturn p / n - y / n"),
    "cross-entropy by indices": _gap(LOSS, "p, y = self.input_cache\nout = p.copy()\n"
                                     "out[np.arange(len(y)), np.argmax(y, axis=1)] -= 1\nreturn out / len(y)"),
    "cross-entropy by the sum": _gap(LOSS, "p, y = self.input_cache\nreturn (p * y.sum(axis=1, keepdims=True) - y) "
                                           "/ len(y)"),
    "cross-entropy by the Jacobian": _gap(LOSS, "p, y = self.input_cache\nout = np.zeros_like(p)\n"
                                          "for n in range(len(p)):\n    J = np.diag(p[n]) - np.outer(p[n], p[n])\n"
                                          "    k = int(np.argmax(y[n]))\n    out[n] = p[n] - y[n]\nreturn out / "
                                          "len(p)"),
    "Sequential by indices": _gap(SEQUENTIAL, "i = len(self.modules) - 1\nwhile i >= 0:\n"
                                  "    grad = self.modules[i].backward(grad)\n    i -= 1\nreturn grad"),
    "Sequential by recursion": _gap(SEQUENTIAL, "def back(k, g):\n    return g if k < 0 else back(k - 1, "
                                    "self.modules[k].backward(g))\nreturn back(len(self.modules) - 1, grad)"),
    "Sequential by reduce": _gap(SEQUENTIAL, "from functools import reduce\nreturn reduce(lambda g, m: m.backward(g), "
                                 "reversed(self.modules), grad)"),
    "Sequential by a reversed copy": _gap(SEQUENTIAL, "mods = list(self.modules)\nmods.reverse()\nfor m in mods:\n"
                                          "    grad = m.backward(grad)\nreturn grad"),
    "a check in both parts": _gap(CHECK, "net = Sequential(Linear(10, 8), ReLU(), Linear(8, 4))\n"
                                  "net.check_gradients_wrt_input((x,), 1e-6)\nnet.check_gradients_wrt_params((x,), "
                                  "1e-6)"),
    "a check of other sizes": _gap(CHECK, "net = Sequential(Linear(3, 7), Sigmoid(), Linear(7, 2), Sigmoid())\n"
                                   "data = np.random.rand(5, 3)\nnet(data)\nzero_grad(net.parameters())\n"
                                   "net.check_gradients((data,))"),
    "a check of several networks": _gap(CHECK, "for sizes in ((10, 5, 2), (10, 3, 3)):\n    a, b, c = sizes\n"
                                        "    Sequential(Linear(a, b), ReLU(), Linear(b, c)).check_gradients((x,))"),
    "gradients checked while the file is imported": ((CHECK,), {"lib/gradient_utilities.py": lambda text: text.replace(
        "\n\nif __name__", "\n\nprint(check_gradients())\n\nif __name__")}),
    "a check of a network that is made at import": ((CHECK,), {"lib/gradient_utilities.py": lambda text: fill(
        text, "check_gradients", "NET.check_gradients((x,))").replace(
            "\n\ndef zero_grad", "\nNET = Sequential(Linear(10, 4), ReLU(), Linear(4, 2))\n\n\ndef zero_grad")}),
    "a check of Relu, as the sheet's text writes it": ((CHECK,), {
        "lib/gradient_utilities.py": lambda text: text.replace("import ReLU,", "import Relu as ReLU,")}),
    "a loss whose backward takes nothing": ((LOSS,), {"lib/losses.py": lambda text: text.replace(
        "def backward(self, _: Any = None)", "def backward(self)")}),
    "a loss whose backward takes a factor": ((LOSS,), {"lib/losses.py": lambda text: fill(text.replace(
        "def backward(self, _: Any = None)", "def backward(self, grad=1.0)"), "CrossEntropyLoss.backward",
        "p, y = self.input_cache\nreturn grad * (p - y) / len(y)")}),
    "a step by assignment": _gap(STEP, "grad = loss_fn.backward()\nmodel.backward(grad)\nfor p in model.parameters():\n"
                                 "    p.data = p.data - lr * p.grad"),
    "a step by layers": _gap(STEP, "g = loss_fn.backward(None)\nfor m in reversed(model.modules):\n    g = "
                                   "m.backward(g)\n"
                             "for m in model.modules:\n    for p in m.parameters():\n        p.data[...] -= lr * "
                             "p.grad"),
    "a step that resets afterwards": _gap(STEP, "model.backward(loss_fn.backward(None))\nfor p in model.parameters():\n"
                                          "    p.data -= lr * p.grad\n    p.grad = np.zeros_like(p.data)"),
    "a step that returns something": _gap(STEP, "model.backward(loss_fn.backward(None))\nfor p in model.parameters():\n"
                                          "    p.data -= lr * p.grad\nreturn model"),
    "zeros in place where they can be": _gap(ZERO, "for p in params:\n    if p.grad is None:\n"
                                             "        p.grad = np.zeros(p.data.shape)\n    else:\n        "
                                             "p.grad[...] = 0"),
    "zeros by an index": _gap(ZERO, "for i in range(len(params)):\n    params[i].grad = "
                                    "np.zeros(np.shape(params[i].data))"),
    "zeros of integers": _gap(ZERO, "for p in params:\n    p.grad = np.zeros(p.data.shape, dtype=np.float32)"),
    "zeros by a comprehension": _gap(ZERO, "[setattr(p, 'grad', np.zeros_like(p.data)) for p in params]"),
}


def made(name: str) -> Submission:
    """Return a submission of this kind."""
    texts = reference_files(SHEET)
    return submission({path: change(texts[path]) if callable(change) else change
                       for path, change in INNOCENT[name][1].items()})
