"""The exercises: every program runs as its README says, and its parts compute what they promise."""
import importlib
import importlib.util
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from exercises.backpropagation_by_hand import network_data, three_ways
from exercises.computational_graphs import linear_regression, logistic_regression
from exercises.computational_graphs.vector_derivative_product import vector_derivative_product
from exercises.fitting_functions import backward_quantities
from exercises.fitting_functions.mlp import MLP, LogisticRegression
from exercises.ticket_prices.train_network import Network
from tests.finite_differences import assert_backward_is_right, numeric_gradient

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = sorted(path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
                  for path in (ROOT / "exercises").glob("*/*.py") if "# %%" in path.read_text("utf-8"))


def test_every_folder_has_programs_and_a_readme_that_names_them():
    folders = {name.split(".")[1] for name in PROGRAMS}
    assert folders == {"backpropagation", "backpropagation_by_hand", "fitting_functions", "computational_graphs",
                       "ticket_prices", "optimisation"}
    for folder in folders | {"digits"}:
        readme = (ROOT / "exercises" / folder / "README.md").read_text("utf-8")
        for figure in set(part.split(")")[0] for part in readme.split("](figures/")[1:]):
            assert (ROOT / "exercises" / folder / "figures" / figure).exists(), figure


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_runs_quickly(program, tmp_path):
    command = [sys.executable, program.replace(".", "/") + ".py"]  # by its path, from another folder
    command[1] = str(ROOT / command[1])
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "optimizers_comparison.pkl").write_bytes(  # what plot_trained_models draws
        pickle.dumps({"sgd": (np.ones(3),) * 4}))
    text = (ROOT / (program.replace(".", "/") + ".py")).read_text("utf-8")
    if "read_options" in text or "Steps(" in text:
        command += ["--quick", "--results", str(tmp_path)]
    result = subprocess.run(command, cwd=str(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=dict(os.environ, MPLBACKEND="Agg"), universal_newlines=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_becomes_a_notebook(program, tmp_path):
    jupytext = pytest.importorskip("jupytext", reason="it makes notebooks of the programs")
    notebook = jupytext.read(str(ROOT / (program.replace(".", "/") + ".py")))
    assert {cell.cell_type for cell in notebook.cells} >= {"code"}
    jupytext.write(notebook, str(tmp_path / "notebook.ipynb"))


def test_back_propagation_equals_finite_differences():
    X, T = network_data.getdata(examples=3)
    W, B = network_data.getparams()
    _, DW, DB = three_ways.by_matrices(X, T, W, B)
    for arrays, gradients in ((W, DW), (B, DB)):
        for array, gradient in zip(arrays, gradients):
            numeric = numeric_gradient(lambda: three_ways.by_matrices(X, T, W, B)[0], array)
            np.testing.assert_allclose(gradient, numeric, atol=1e-8)


def test_the_courses_file_is_used_when_it_is_there(tmp_path, monkeypatch, capsys):
    course = tmp_path / "utils.py"
    course.write_text("import numpy as np\n"
                      "def getdata():\n    return np.ones((1, 4)), np.zeros((1, 1))\n"
                      "def getparams():\n    sizes = (4, 6, 6, 6, 1)\n"
                      "    W = [np.full(shape, 0.5) for shape in zip(sizes[:-1], sizes[1:])]\n"
                      "    return W, [np.zeros(m) for m in sizes[1:]]\n")
    monkeypatch.setattr(network_data, "COURSE_FILE", course)
    X, _, W, _, from_course = network_data.load()
    assert from_course and X.tolist() == [[1, 1, 1, 1]] and W[0][0, 0] == 0.5
    three_ways.main(["--results", str(tmp_path)])
    assert "the sheet prints 1.5422821523392451: NOT the same" in capsys.readouterr().out


@pytest.mark.parametrize("reshape_T", [lambda T: float(T[0, 0]), lambda T: T[0], lambda T: T, lambda T: T.tolist()])
@pytest.mark.parametrize("reshape_b", [lambda b: b, lambda b: b.reshape(1, -1), lambda b: b.tolist()])
def test_the_courses_shapes_are_all_the_same_in_all_ways(reshape_T, reshape_b):
    (X, T), (W, B) = network_data.getdata(), network_data.getparams()
    expected = three_ways.by_matrices(X, T, W, B)
    ways = [three_ways.by_matrices, three_ways.by_graph, three_ways.by_objects]
    if importlib.util.find_spec("torch") is not None:
        ways.append(three_ways.by_pytorch)
    given = X, reshape_T(T), W, [reshape_b(b) for b in B]
    for way in ways:
        error, DW, DB = way(*given)
        assert float(error) == pytest.approx(float(expected[0]))
        for found, right in zip([*DW, *DB], [*expected[1], *expected[2]]):
            assert np.shape(found) == right.shape
            np.testing.assert_allclose(found, right)
    for wrong in ((X, [1.0, 2.0], W, B), (X, T, [w.T for w in W], B), (X[:, :3], T, W, B), (X, T, W, B[:3])):
        with pytest.raises(ValueError, match="don't fit together"):
            three_ways.by_matrices(*wrong)


@pytest.mark.parametrize("cls", [MLP, LogisticRegression])
def test_the_mlps_backward(cls, rng):
    for module, args in cls.examples(rng):
        assert_backward_is_right(module, args)


def test_backward_quantities_equal_finite_differences(rng):
    x, y = rng.standard_normal(1), rng.standard_normal(1)
    leaves = {"x": x, "y": y, "W1": rng.standard_normal((1, 5)), "b1": rng.standard_normal(5),
              "W2": rng.standard_normal((5, 1)), "b2": rng.standard_normal(1)}
    forward = backward_quantities.forward_by_hand(**leaves)
    delta = backward_quantities.backward_by_hand(x, y, leaves["W1"], leaves["W2"], forward)
    for name, value in leaves.items():
        numeric = numeric_gradient(lambda: backward_quantities.forward_by_hand(**leaves)["l"], value)
        np.testing.assert_allclose(delta[name], numeric, atol=1e-7, err_msg=name)


def test_vector_derivative_product():
    np.testing.assert_array_equal(vector_derivative_product(np.array([[2, 3]]), np.array([1, 10])), [[2, 20], [3, 30]])
    with pytest.raises(ValueError, match=r"\(1, m\)"):
        vector_derivative_product(np.ones(2), np.ones(3))


def test_linear_regression_derivatives():
    x, y = linear_regression.load_points()
    line = np.array([4.0, 1.0])
    numeric = numeric_gradient(lambda: float(np.mean((line[1] + line[0] * x - y) ** 2)), line)
    derivatives = linear_regression.compute_derivatives(x, y, 4.0, 1.0)
    assert all(isinstance(value, float) for value in derivatives)
    np.testing.assert_allclose(derivatives, numeric, rtol=1e-6)
    np.testing.assert_allclose(linear_regression.compute_derivatives(x, y, *linear_regression.closed_form(x, y)), 0,
                               atol=1e-9)
    np.testing.assert_allclose(linear_regression.train_by_edf(x, y, 50), linear_regression.train_by_hand(x, y, 50),
                               rtol=1e-5)


def test_logistic_regression_by_hand_and_by_edf_agree():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 1, (200, 16)).astype(np.float32), rng.integers(0, 2, 200)
    w, by_hand = logistic_regression.train_by_hand((x, y, x[:50], y[:50]), epochs=3)
    w_edf, by_edf = logistic_regression.train_by_edf((x, y, x[:50], y[:50]), epochs=3)
    np.testing.assert_allclose(w_edf, w, atol=1e-4)
    np.testing.assert_allclose(by_hand, by_edf, atol=0.011)


def test_the_ticket_network_equals_finite_differences(rng):
    network, x, y = Network(), rng.standard_normal((5, 3)), rng.standard_normal((5, 1))

    def loss():
        network.forward(x)
        return float(network.loss(y))

    loss()
    for name, gradient in zip(("W1", "b1", "W2", "b2"), network.backward(y)):
        np.testing.assert_allclose(gradient, numeric_gradient(loss, getattr(network, name)), atol=1e-7, err_msg=name)


def test_programs_can_be_imported_without_running():
    for program in PROGRAMS:
        importlib.import_module(program)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
