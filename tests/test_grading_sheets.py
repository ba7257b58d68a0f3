"""The other sheets: each gap is named in a sheet.json, released without its solution, and graded by itself."""
from __future__ import annotations

import re

import pytest

from grading import isolation
from grading.gaps import fill, find_gaps
from grading.isolation import Limits
from grading.judge import Setting, grade_task
from grading.layout import reference_files
from grading.release import build, collect, release
from grading.sheet import ROOT, load_sheet, topics
from grading.verify import filled
from tests.planting import on_posix, submission

pytestmark = on_posix

OTHERS = [topic for topic in topics() if topic != "backpropagation"]
SHEETS = {topic: load_sheet(topic) for topic in OTHERS}
BY_HAND, GRAPHS, FITTING, TICKETS = ("backpropagation_by_hand", "computational_graphs", "fitting_functions",
                                     "ticket_prices")
WRONG = {  # a mistake in each gap
    (BY_HAND, "1"): "DW = [A[i].T @ (Y - T) for i in range(len(W))]\nreturn DW, [0 * w[0] for w in W]",
    (BY_HAND, "2"): "A = X\nfor W_i, b_i in zip(W[:-1], B[:-1]):\n    A = maximum(A @ W_i + b_i, 0)\n"
                    "error = ((A @ W[-1] + B[-1] - T) ** 2).sum()\nerror.backward()",
    (BY_HAND, "3"): "DW = [linear.W.data for linear in model.modules[::2]]\n"
                    "DB = [linear.b.grad for linear in model.modules[::2]]",
    (GRAPHS, "1.1a code"): "return [exp(x1) * sin(x2), sqrt(x2 + x3)]",
    (GRAPHS, "1.1e iv"): "return A * x[:, None]",
    (GRAPHS, "1.2b"): "error = slope * x + offset_y - y\nreturn 2 * np.sum(error * x), 2 * np.mean(error)",
    (GRAPHS, "1.2c i"): "self.value = np.mean((self.y.value - self.y_hat.value) ** 2)",
    (GRAPHS, "1.2c ii"): "self.y_hat.addgrad(2 * (self.y.value - self.y_hat.value) * self.grad)",
    (GRAPHS, "1.2c iii"): "edf.clear_compgraph()\nx_node, y_node = edf.Input(), edf.Input()\n"
                          "params = edf.AffineParams(1, 1)\n"
                          "loss = edf.L2Loss(y_node, edf.Sigmoid(edf.Affine(params, x_node)))",
    (GRAPHS, "1.3 A"): "return exp(a_) * sqrt(b_) * log(a_ + b_)",
    (GRAPHS, "1.3 B"): "return sqrt(a_ + b_ + c_) + log(a_ + b_ + c_ ** 2)",
    (GRAPHS, "1.3 C"): "return (offset + slope * points[0][0] - points[0][1]) ** 2 + points[0][0]",
    (GRAPHS, "1.4b"): "return x.T @ (y_hat - y)",
    (GRAPHS, "1.4c i"): "self.value = np.concatenate([1 - self.z.value, self.z.value], axis=1)",
    (GRAPHS, "1.4c ii"): "self.z.addgrad(self.grad.sum(axis=1, keepdims=True))",
    (GRAPHS, "1.4c iii"): "edf.clear_compgraph()\nx_node, y_node = edf.Input(), edf.Input()\n"
                          "params = edf.AffineParams(x.shape[1], 1)\nprobability = edf.Affine(params, x_node)\n"
                          "vector = edf.SingleProbToProbVector(edf.Sigmoid(edf.Sigmoid(probability)))\n"
                          "loss = edf.CrossEntropyLoss(vector, y_node)",
    (FITTING, "1a forward"): "log_probabilities = np.log(1 / (1 + np.exp(-x @ self.W.data - self.b.data)))",
    (FITTING, "1a backward"): "self.W.grad += np.atleast_2d(x).T @ np.atleast_2d(grad)\n"
                              "self.b.grad += np.atleast_2d(grad).sum(axis=0)\nreturn grad @ self.W.data.T",
    (FITTING, "1b forward"): "self.input_cache = [x]\nfor W, b, phi in zip(self.W, self.b, self.phis):\n"
                             "    self.input_cache.append(phi(self.input_cache[-1] @ W.data))\n"
                             "return self.input_cache[-1] @ self.W[-1].data + self.b[-1].data",
    (FITTING, "1b backward"): "return grad",
    (FITTING, "3 forward"): "return {}",
    (FITTING, "3 backward"): "return {'l': 1.0}",
    (TICKETS, "6.4 i"): "self.x, self.z1 = x, x @ self.W1\nself.h = np.maximum(0, self.z1)\n"
                        "self.y_hat = self.h @ self.W2 + self.b2\nreturn self.y_hat",
    (TICKETS, "6.4 ii"): "return ((self.y_hat - y) ** 2).sum()",
    (TICKETS, "6.4 iii"): "return self.W1, self.b1, self.W2, self.b2",
    (TICKETS, "6.4 iv"): "for parameter, gradient in zip((self.W1, self.b1, self.W2, self.b2), gradients):\n"
                         "    parameter += lr * gradient",
}
# Right in another form: names of its own that forward keeps for backward, other orders, other operations.
INNOCENT = {
    (TICKETS, "6.4 iii"): [
        ("Network.forward", "self.inputs, self.hidden = x, np.maximum(x @ self.W1 + self.b1, 0)\n"
                            "self.out = self.hidden @ self.W2 + self.b2\nreturn self.out"),
        ("Network.loss", "return np.mean(np.square(self.out - y))"),
        ("Network.backward", "d = (self.out - y) / len(y) * 2\ne = (d @ self.W2.T) * (self.hidden > 0)\n"
                             "return [self.inputs.T @ e, e.sum(0), self.hidden.T @ d, d.sum(0)]")],
    (GRAPHS, "1.2c ii"): [("L2Loss.backward", "self.y_hat.addgrad(2 * (self.y_hat.value - self.y.value) * self.grad)")],
    (GRAPHS, "1.2c i"): [("L2Loss.forward", "d = self.y_hat.value - self.y.value\nself.value = d * d")],
    (GRAPHS, "1.4c i"): [("SingleProbToProbVector.forward",
                          "z = self.z.value\nself.value = np.hstack((z, 1.0 - z))")],
    (BY_HAND, "2"): [("by_graph", "from lib.graph import relu\nfor i in range(len(W)):\n"
                                  "    X = X @ W[i] + B[i] if i == 0 else relu(X) @ W[i] + B[i]\n"
                                  "error = ((X - T) * (X - T)).mean()\nerror.backward()")],
    (FITTING, "1b backward"): [
        ("MLP.forward", "self.hs = [x]\nfor i in range(len(self.phis)):\n"
                        "    x = self.phis[i](np.dot(x, self.W[i].data) + self.b[i].data)\n    self.hs.append(x)\n"
                        "return x @ self.W[-1].data + self.b[-1].data"),
        ("MLP.backward", "for i in range(len(self.W) - 1, -1, -1):\n    rows = np.reshape(grad, (-1, grad.shape[-1]))\n"
                         "    h = np.reshape(self.hs[i], (len(rows), -1))\n    self.W[i].grad += h.T @ rows\n"
                         "    self.b[i].grad += rows.sum(0)\n    grad = grad @ self.W[i].data.T\n"
                         "    grad = self.phis[i - 1].backward(grad) if i else grad\nreturn grad")],
}


def graded(topic, number, gaps):
    """Return what a task of a sheet gets, with these texts in gaps of its file."""
    sheet = SHEETS[topic]
    task = sheet.task(number)
    text = reference_files(sheet)[task.gap.file]
    for name, content in gaps:
        text = fill(text, name, content)
    made = submission({task.gap.file: text}, sheet)
    return grade_task(Setting(sheet, made, isolation.strongest(), Limits(), b"a key of the tests"), task, {})


def test_every_gap_of_the_sheets_is_named_in_a_sheet_json():
    named = {(task.gap.file, task.gap.name) for topic in topics() for task in load_sheet(topic).gap_tasks}
    files = [path for path in (ROOT / "exercises").rglob("*.py") if path.parent.name != "backpropagation"]
    for path in files + [ROOT / "lib/graph/edf/sheet.py"]:
        file = path.relative_to(ROOT).as_posix()
        assert {(file, name) for name in find_gaps(path.read_text(encoding="utf-8"))} <= named, file
    assert set(WRONG) == {(topic, task.number) for topic in OTHERS for task in SHEETS[topic].code_tasks}


@pytest.mark.parametrize("topic", OTHERS)
def test_a_release_holds_no_answers(topic):
    sheet, files = SHEETS[topic], build(SHEETS[topic])
    for path in files:
        assert not path.startswith(("grading/", "docs/", "lib/graph/explain/", "lib/graph/answers/", "tests/mutants/"))
        assert path not in sheet.get("calls", ()) and path != f"exercises/{topic}/README.md"
    for task in sheet.gap_tasks:
        text = files[task.gap.file].decode()
        assert not re.search(r"^# %% \[markdown\]\n(#.*\n){4}", text, flags=re.MULTILINE), "notes give formulas away"
    assert "torch.relu" not in files.get("exercises/backpropagation_by_hand/three_ways.py", b"").decode()


@pytest.mark.slow
@pytest.mark.parametrize("topic", OTHERS)
def test_a_release_is_verified_and_its_refilled_files_are_right(topic, tmp_path):
    from grading.grade import Options, grade
    sheet = SHEETS[topic]
    untouched = grade(sheet, release(sheet, tmp_path / "out.zip"), Options())
    assert {entry["status"] for entry in untouched["tasks"]} <= {"to do", "for the tutor"}
    for path, content in filled(sheet, build(sheet), collect(sheet)).items():
        (tmp_path / "filled" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "filled" / path).write_bytes(content)
    report = grade(sheet, tmp_path / "filled", Options())
    assert {entry["number"]: entry["status"] for entry in report["tasks"] if entry["status"] != "for the tutor"} == {
        task.number: "right" for task in sheet.code_tasks}


@pytest.mark.parametrize("topic, number", [pytest.param(*case, marks=() if case[1] == "1.2c ii" else pytest.mark.slow)
                                           for case in WRONG])
def test_a_mistake_costs_points_in_its_own_task(topic, number):
    task = SHEETS[topic].task(number)
    gaps = [(task.gap.name, WRONG[topic, number])]
    result = graded(topic, number, gaps)
    assert result.status in ("wrong", "partly") and (task.points is None or result.points < task.points), result
    neighbour = next((other for other in SHEETS[topic].code_tasks if other.gap.file == task.gap.file
                      and other != task), None)
    if neighbour is not None:
        own = graded(topic, neighbour.number, gaps)
        assert own.status == "right", own


@pytest.mark.slow
@pytest.mark.parametrize("topic, number", list(INNOCENT))
def test_other_right_forms_keep_their_points(topic, number):
    result = graded(topic, number, INNOCENT[topic, number])
    assert result.status == "right", result


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
