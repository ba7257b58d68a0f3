"""Exercises as notebooks: each step shows what it gives below its own cell, formulas and drawings included."""
from __future__ import annotations

import sys
import types

import pytest

from exercises.common import ROOT, Results, Steps, read_options
from lib.graph.answers.report import AnswerReport
from lib.graph.draw import Drawing
from lib.graph.explain import Explanation
from lib.graph.explain.document import Part

PROGRAMS = ["ticket_prices/graph_and_derivatives", "computational_graphs/expressions", "backpropagation/pen_and_paper"]
EXPERIMENTS = ["fitting_functions/backward_quantities", "computational_graphs/linear_regression",
               "computational_graphs/logistic_regression", "fitting_functions/fit_sine",
               "backpropagation/xor_questions", "backpropagation_by_hand/three_ways", "ticket_prices/train_network",
               "ticket_prices/improve_predictions"]


@pytest.fixture
def shown(monkeypatch, tmp_path):
    """Return the list of what a notebook shows: a kernel that only collects it stands in for IPython's."""
    items = []
    display, ipython = types.ModuleType("IPython.display"), types.ModuleType("IPython")
    display.display, ipython.get_ipython, ipython.display = items.append, lambda: None, display
    for name, module in (("ipykernel", types.ModuleType("ipykernel")), ("IPython", ipython),
                         ("IPython.display", display)):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr("exercises.common.ROOT", tmp_path)
    return items


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_notebook_shows_its_steps_cell_by_cell(program, shown, capsys):
    text = (ROOT / "exercises" / f"{program}.py").read_text("utf-8")
    space = {"__name__": "__main__", "__file__": str(ROOT / "exercises" / f"{program}.py")}
    numbers = []
    for cell in text.split("# %%\n")[1:]:
        before = len(shown)
        exec(compile(cell.split("# %% [markdown]")[0], program, "exec"), space)
        numbers.append(len(shown) - before)
    assert sum(number > 0 for number in numbers) >= 4 and max(numbers) <= 6  # not one cell with everything
    assert numbers[-1] == 0  # the last one starts the program, which has run already
    kinds = {type(item) for item in shown}
    assert Drawing in kinds and kinds & {Part, Explanation}
    for item in shown:
        if isinstance(item, (Part, Explanation)):
            assert "$" in item._repr_markdown_()
        elif isinstance(item, AnswerReport):
            assert "All" in item._repr_markdown_()


@pytest.mark.parametrize("program", PROGRAMS + EXPERIMENTS)
def test_each_step_has_a_cell_of_its_own(program):
    cells = (ROOT / "exercises" / f"{program}.py").read_text("utf-8").split("# %%\n")[1:]
    assert max(cell.count("@steps.add") for cell in cells) == 1
    assert sum(cell.count("@steps.add") for cell in cells) >= 2
    assert cells[-1].startswith("main = steps.main\n")


def test_a_notebook_sets_tables(shown, tmp_path):
    results = Results("topic", read_options("A program.", ["--results", str(tmp_path)]))
    text = results.table("numbers", ["a", "b"], [[1, 2.5]])
    assert [table._repr_markdown_() for table in shown] == [text] and text.startswith("|")


def test_a_program_runs_its_steps_in_order_and_prints(tmp_path, capsys):
    steps = Steps("topic", "A program.")

    @steps.add
    def first(results, options):
        return ["one", "two"]

    @steps.add
    def second(results, options):
        results.text("note", "three")

    steps.main(["--results", str(tmp_path)])
    assert capsys.readouterr().out == "one\n\ntwo\n\n"
    assert (tmp_path / "topic" / "note.md").read_text() == "three\n"


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
