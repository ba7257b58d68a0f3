"""The page on why a gradient is wrong: its numbers, the line where the paths part, and what it keeps to itself."""
from __future__ import annotations

import numpy as np
import pytest

from exercises import pages
from lib.activations import ReLU
from lib.graph import variable
from lib.graph.page import notebook
from lib.graph.page.report import report_page, write_report_page
from lib.gradient_checking import check_module
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential
from lib.network_base import Module, Parameter
from tests.browser import axe, opened, violations


class Unit(Module):
    """h = sigmoid(x W + b), its backward with a plus for a minus."""

    def __init__(self):
        rng = np.random.default_rng(1)
        self.W = Parameter(rng.standard_normal((3, 4)), name="W")
        self.b = Parameter(rng.standard_normal(4), name="b")

    def parameters(self):
        return [self.W, self.b]

    def forward(self, x):
        self.input_cache = x
        return 1 / (1 + np.exp(-(x @ self.W.data + self.b.data)))

    def backward(self, grad):
        h = self.forward(self.input_cache)
        dz = grad * h * (1 + h)
        self.W.grad += self.input_cache.T @ dz
        self.b.grad += dz.sum(axis=0)
        return dz @ self.W.data.T


class Raises(Unit):
    """Its backward raises an exception."""

    def backward(self, grad):
        return grad @ self.W.T


class Right(Unit):
    """Its backward is right."""

    def backward(self, grad):
        h = self.forward(self.input_cache)
        dz = grad * h * (1 - h)
        self.W.grad += self.input_cache.T @ dz
        self.b.grad += dz.sum(axis=0)
        return dz @ self.W.data.T


X = np.random.default_rng(0).standard_normal((5, 3))


def test_each_gradient_stands_there_expected_and_got():
    data = report_page(Unit(), (X,)).data
    right = report_page(Right(), (X,)).data
    assert [tensor["name"] for tensor in data["tensors"]] == ["input", "Unit.W", "Unit.b"]
    for wrong, ours in zip(data["tensors"], right["tensors"]):
        assert not wrong["fits"] and ours["fits"] and wrong["worst"]
        np.testing.assert_allclose(wrong["expected"], ours["got"], rtol=1e-6, atol=1e-8)
    assert data["verdict"] == "wrong" and right["verdict"] == "ok" and data["causes"]


def test_the_first_line_that_parts_from_the_right_backward_is_marked():
    marked = [line for line in report_page(Unit(), (X,)).data["lines"] if line["mark"]]
    assert [line["text"].strip() for line in marked] == ["dz = grad * h * (1 + h)"]
    assert not any(line["mark"] for line in report_page(Right(), (X,)).data["lines"])


def test_the_right_backward_of_the_sheets_gaps_is_shown_at_the_highest_level_of_hints_alone(monkeypatch):
    from lib.graph.page import report
    for level, shown in ((2, False), (3, True)):
        monkeypatch.setattr(report, "check_module", lambda module, inputs, level=level: _at_level(
            check_module(module, inputs), level))
        page = report_page(InvertedReLU(), (X,)).data
        assert bool(page["right"]) is shown and any("sheet.json" in each for each in page["warnings"]) is not shown
        assert report_page(Unit(), (X,)).data["right"]  # a module of one's own is no gap of the sheet


def _at_level(report, level):
    report.hints = level
    return report


class InvertedReLU(ReLU):
    """Its mask is inverted."""

    def forward(self, x):
        self.input_cache = x
        return np.maximum(x, 0.0)

    def backward(self, grad):
        return grad * (self.input_cache < 0)


def mark_of(module, *inputs):
    marked = [line for line in report_page(module, inputs).data["lines"] if line["mark"]]
    return [(line["text"].strip(), line["mark"]) for line in marked]


def test_each_kind_of_mistake_has_its_line_marked():
    class Overwrites(Right):
        def backward(self, grad):
            h = self.forward(self.input_cache)
            dz = grad * h * (1 - h)
            self.W.grad = self.input_cache.T @ dz
            self.b.grad += dz.sum(axis=0)
            return dz @ self.W.data.T

    class ReturnsNothing(Right):
        def backward(self, grad):
            super().backward(grad)

    class Unchanged(Right):
        def backward(self, grad):
            super().backward(grad)
            return grad

    class SumForMean(CrossEntropyLoss):
        def forward(self, preds, labels):
            e = np.exp(preds - preds.max(axis=1, keepdims=True))
            self.p, self.labels = e / e.sum(axis=1, keepdims=True), labels
            return -np.sum(labels * np.log(self.p)) / len(preds)

        def backward(self):
            return self.p - self.labels

    assert mark_of(Overwrites(), X) == [("self.W.grad = self.input_cache.T @ dz", "here the numbers part")]
    assert mark_of(ReturnsNothing(), X) == [("super().backward(grad)", "nothing is returned")]
    assert mark_of(Unchanged(), X) == [("return grad", "this line makes what is wrong")]
    assert [line for line, _ in mark_of(SumForMean(), X, np.eye(3)[[0, 1, 2, 0, 1]])] == ["return self.p - self.labels"]
    overwritten = report_page(Overwrites(), (X,)).data["tensors"][1]
    assert not overwritten["fits"]
    np.testing.assert_allclose(np.array(overwritten["got"]) - overwritten["expected"], -1.0, atol=1e-6)


def test_of_a_network_the_wrong_parts_backward_is_shown():
    inner = Sequential(Linear(3, 3), InvertedReLU())
    for model, place in ((inner, "Sequential[1]"), (Sequential(Linear(3, 3), inner), "Sequential[1][1]")):
        data = report_page(model, (X,)).data
        assert data["part"] == f"{place}, of class InvertedReLU"
        assert mark_of(model, X)[0][0] == "return grad * (self.input_cache < 0)"


def test_the_callers_own_line_is_never_evidence():
    class Square(Linear):
        def backward(self, grad):
            x = self.input_cache
            self.W.grad += x.T.dot(grad)
            self.b.grad += grad.sum(axis=0)
            return grad.dot(self.W.data)

    assert "report_page" not in str(report_page(Square(3, 3), (X,)).data["causes"])


def test_an_exception_is_said_and_nothing_is_changed():
    unit = Raises()
    before = unit.W.data.copy()
    data = report_page(unit, (X,)).data
    assert "AttributeError" in data["raised"] and np.array_equal(unit.W.data, before) and not unit.W.grad.any()


@pytest.mark.parametrize("module, inputs", [(ReLU(), (X,)), (Linear(3, 2), (X,)), (Linear(3, 2), (X[:1],)),
                                            (CrossEntropyLoss(), (X, np.eye(3)[[0, 1, 2, 0, 1]]))])
def test_right_modules_have_a_page_without_a_wrong_entry(module, inputs):
    data = report_page(module, inputs).data
    assert data["verdict"] == "ok" and all(tensor["fits"] for tensor in data["tensors"])


def test_a_large_tensor_lists_its_worst_entries_and_says_so():
    class Wrong(Linear):
        def backward(self, grad):
            result = super().backward(grad)
            self.W.grad[17, 3] += 1.0
            return result

    data = report_page(Wrong(30, 20), (np.ones((2, 30)),)).data
    W = next(tensor for tensor in data["tensors"] if tensor["name"].endswith(".W"))
    assert "600 entries, too many for a map" in W["reason"] and W["list"][0][0] == 17 * 20 + 3


def test_pages_are_files_of_their_own(tmp_path):
    path = write_report_page(Unit(), (X,), tmp_path / "why.html")
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(ValueError, match="is a folder"):
        write_report_page(Unit(), (X,), tmp_path)
    written = pages.write_pages(tmp_path)
    assert len(written) == 9 and all((tmp_path / file).is_file() for file, _ in written)


def test_a_notebook_shows_graphs_of_one_number_and_wrong_reports():
    x = variable(2.0, name="x")
    assert "<iframe" in notebook.graph_html((x * x).named("y"))
    assert notebook.graph_html(x) is None and notebook.graph_html(variable(np.ones(3)) * 2) is None
    assert "<iframe" in notebook.report_html(check_module(Unit(), (X,)))
    assert notebook.report_html(check_module(Right(), (X,))) is None


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_a_planted_wrong_gradient_is_found_on_its_page(dark, tmp_path):
    script, path = axe(), write_report_page(Unit(), (X,), tmp_path / "why.html")
    with opened(390 if dark else 1280, 844, dark) as browser:
        tab = browser.open(path)
        assert "(1 + h)" in tab.inner_text("pre .part")
        assert tab.locator(".map td.worst").count() and browser.said == []
        assert violations(tab, script) == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= (390 if dark else 1280)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
