"""Everything of lib at work on the sheets' files that stand beside it: `python -m tests.stand_ins.at_work`."""
import importlib
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np


def imports():
    """Every file of lib can be imported."""
    for path in sorted(Path("lib").rglob("*.py")):
        importlib.import_module(".".join(path.with_suffix("").parts).replace(".__init__", ""))


def small_network():
    """Return a network of the course's classes, its data and one-hot labels."""
    from lib.activations import ReLU
    from lib.gradient_utilities import zero_grad
    from lib.network import Linear, Sequential
    np.random.seed(1)
    model = Sequential(Linear(4, 5), ReLU(), Linear(5, 3))
    for param in model.parameters():
        param.data = np.random.standard_normal(param.data.shape)
    zero_grad(model.parameters())
    return model, np.random.standard_normal((12, 4)), np.eye(3)[np.arange(12) % 3]


def checker():
    """The gradient checker finds everything right, and knows what is missing."""
    from lib.gradient_checking import check_module
    from lib.gradient_checking.discovery import examples_of, module_classes
    from lib.gradient_utilities import check_gradients
    check_gradients()
    for name, cls in module_classes().items():
        for module, inputs in examples_of(cls, np.random.default_rng(0)):
            report = check_module(module, inputs)
            assert report.ok or name == "Softmax", f"{name}: {report}"


def graph():
    """The graph of a network has its value and its gradients, as one node a module and written out."""
    from lib.graph import expanded, variable
    from lib.losses import CrossEntropyLoss
    model, x, labels = small_network()
    loss_fn = CrossEntropyLoss()
    loss = loss_fn(model(x), labels)
    grad_x = model.backward(loss_fn.backward())
    grads = [param.grad.copy() for param in model.parameters()]

    def compare():
        for param in model.parameters():
            param.grad = np.zeros_like(param.data)
        node = variable(x)
        output = loss_fn(model(node), labels)
        output.backward()
        assert np.isclose(float(output.value), loss) and np.allclose(node.grad, grad_x)
        assert all(np.allclose(param.grad, grad) for param, grad in zip(model.parameters(), grads))

    compare()
    with expanded():
        compare()


def training():
    """fit, minimize, train_many and every optimiser train such a network."""
    from lib.activations import ReLU
    from lib.fitting.fit import fit
    from lib.losses import CrossEntropyLoss
    from lib.network import Linear, Sequential
    from lib.optimization.adaptive import AdamW, RMSProp
    from lib.optimization.clipping import clip_grad_norm
    from lib.optimization.minimize import minimize
    from lib.optimizers import SGD, Adam, create_optimizer
    from lib.steps.many_networks import train_many
    loss_fn = CrossEntropyLoss()
    for make in (lambda params: SGD(params, lr=0.3), lambda params: SGD(params, lr=0.1, momentum=0.9),
                 lambda params: Adam(params, lr=0.05), lambda params: create_optimizer("adam", params, {"lr": 0.05}),
                 lambda params: AdamW(params, lr=0.05), lambda params: RMSProp(params, lr=0.05)):
        model, x, labels = small_network()
        before = loss_fn(model(x), labels)
        fit(model, loss_fn, make(model.parameters()), x, labels, epochs=20, batch_size=4, clip_norm=5.0)
        assert loss_fn(model(x), labels) < before
    model, x, labels = small_network()
    clip_grad_norm(model.parameters(), 1.0)
    result = minimize(model, loss_fn, x, labels, options={"maxiter": 20})
    assert loss_fn(model(x), labels) < 1 and result is not None
    trained = train_many(lambda: Sequential(Linear(4, 5), ReLU(), Linear(5, 3)), loss_fn, x, labels, epochs=3, seeds=4)
    assert trained.losses.shape == (1, 4)


def compiling():
    """What is compiled is what the student's own classes compute, and it is said what can't be compiled."""
    from lib.activations import ReLU, Sigmoid
    from lib.convolutions import Conv2d, Flatten
    from lib.fitting.fit import fit
    from lib.losses import CrossEntropyLoss
    from lib.network import Linear, Sequential
    from lib.optimization.adaptive import RMSProp
    from lib.optimization.minimize import minimize
    from lib.optimizers import SGD
    from lib.regularizers import Dropout, L2Regularization, RegularizedCrossEntropy
    from lib.steps.many_networks import train_many
    from lib.steps.memory import NotCompilable
    _, x, labels = small_network()
    images = np.random.standard_normal((12, 1, 6, 6))
    for make, inputs in ((lambda: Sequential(Linear(4, 5), Sigmoid(), Dropout(0.5), Linear(5, 3)), x),
                         (lambda: Sequential(Conv2d(1, 2, (3, 3), (2, 2), (1, 1)), ReLU(), Flatten(), Linear(18, 3)),
                          images)):
        results = []
        for compiled in (False, True):
            np.random.seed(3)
            model = make()
            loss_fn = RegularizedCrossEntropy(L2Regularization(0.01, model.parameters()))
            optimizer = RMSProp(model.parameters(), lr=0.05)
            results.append(fit(model, loss_fn, optimizer, inputs, labels, epochs=3, batch_size=5, clip_norm=5.0,
                               compiled=compiled)["loss"])
        np.testing.assert_allclose(results[0], results[1], rtol=1e-9)

    def create():
        return Sequential(Linear(4, 5), ReLU(), Linear(5, 3))

    if hasattr(SGD, "update"):  # a student's create_optimizer knows the sheet's alone
        losses = [train_many(create, CrossEntropyLoss(), x, labels, epochs=3, seeds=4, lr=0.01, optimizer="RMSProp",
                             compiled=compiled).losses for compiled in (False, True)]
        np.testing.assert_allclose(losses[0], losses[1], rtol=1e-9)
    minimize(create(), CrossEntropyLoss(), x, labels, options={"maxiter": 5}, compiled=True)
    model = create()
    if not hasattr(SGD, "update"):
        try:
            fit(model, CrossEntropyLoss(), SGD(model.parameters()), x, labels, epochs=1, compiled=True)
            raise AssertionError("a step of the student's own can't be compiled")
        except NotCompilable as error:
            assert "SGD isn't an Optimizer with an update" in str(error)


def saving():
    """A model comes back from its file, and is what it was."""
    from lib.saving.model_files import load, save
    model, x, _ = small_network()
    before = model(x)
    with tempfile.TemporaryDirectory() as folder:
        path = save(model, Path(folder) / "model.npz")
        for param in model.parameters():
            param.data = np.zeros_like(param.data)
        np.testing.assert_array_equal(load(model, path)(x), before)


def looking_inside():
    """Summaries, figures and initialisers take such a network."""
    from lib.inspection.figures.boundary import plot_decision_boundary
    from lib.inspection.summary import summary
    from lib.layers.initializers import initialize
    from lib.models import create_2unit_net, create_3unit_net, run_test_model
    model, x, _ = small_network()
    assert summary(model, (4,)).total == 4 * 5 + 5 + 5 * 3 + 3
    for initializer in ("he", "own"):
        initialize(model, initializer)
    for net in (create_2unit_net(), create_3unit_net()):
        run_test_model(net)
        plot_decision_boundary(net, np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([0, 1, 1, 0]))
    model.astype(np.float32)
    assert model(x.astype(np.float32)).dtype == np.float32
    assert not any(module.training for _, module in model.eval().named_modules())


def layers():
    """The layers beyond the sheets are made of the sheets' own."""
    import lib.layers
    rng = np.random.default_rng(0)
    for name in ("SelfAttention", "MultiHeadSelfAttention", "Residual", "PerPosition", "Linear", "ReLU", "Conv2d"):
        assert isinstance(getattr(lib.layers, name), type)
    attention = lib.layers.MultiHeadSelfAttention(4, 2, rng=rng)
    assert attention(rng.standard_normal((2, 3, 4))).shape == (2, 3, 4)


def forward_alone():
    """Sheet 2's files have no backward pass: what needs one says so, and values are had without."""
    from lib.activations import ReLU
    from lib.gradient_checking import check_module
    from lib.graph import variable
    from lib.losses import CrossEntropyLoss
    from lib.network import Linear, Sequential
    from lib.optimizers import SGD
    from lib.training import train
    model, x, labels = Sequential(Linear(4, 5), ReLU(), Linear(5, 3)), np.ones((12, 4)), np.eye(3)[np.arange(12) % 3]
    loss_fn = CrossEntropyLoss()
    assert np.isclose(float(loss_fn(model(variable(x)), labels).value), loss_fn(model(x), labels))
    assert "backward isn't written yet" in str(check_module(Linear(2, 3), (np.ones((2, 2)),)))
    try:
        train(model, loss_fn, SGD(model.parameters()), x, labels, x, labels, 1, 4)
        raise AssertionError("nothing can be trained without a backward pass")
    except NotImplementedError as error:
        assert "CrossEntropyLoss doesn't define backward yet." in str(error)


PARTS = {"all": (imports, checker, graph, training, compiling, saving, looking_inside, layers),
         "forward": (imports, forward_alone, looking_inside, layers)}

if __name__ == "__main__":
    import matplotlib
    matplotlib.use("Agg")
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        for part in PARTS[(sys.argv + ["all"])[1]]:
            part()
    print("All of lib works.")
