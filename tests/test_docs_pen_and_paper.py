"""The page of pen-and-paper tasks: each output and figure in it is what the library gives now."""
from __future__ import annotations

import os
import re

import numpy as np
import pytest

from docs.pen_and_paper import FIGURES, PAGE, regenerated
from exercises.pen_and_paper import expression_a, expression_b, expression_c, skip_network, skip_scheme
from lib.graph.draw import draw
from lib.graph.explain import explain

ROOT = PAGE.parent.parent


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Return the page as it is, as it should be, and the folder with its figures as they should be."""
    figures = tmp_path_factory.mktemp("figures")
    earlier = os.getcwd()
    os.chdir(str(ROOT))
    try:
        text = PAGE.read_text(encoding="utf-8")
        return text, regenerated(text, figures), figures
    finally:
        os.chdir(earlier)


def numbers_and_words(text):
    """Return a text split into the numbers in it and what stands between them."""
    number = r"-?\d+\.?\d*(?:e-?\d+)?"
    return np.array([float(each) for each in re.findall(number, text)]), re.sub(number, "#", text)


def test_every_output_is_what_the_code_prints_now(fresh):
    text, now, _ = fresh
    for line, line_now in zip(text.splitlines(), now.splitlines()):
        numbers, words = numbers_and_words(line)
        numbers_now, words_now = numbers_and_words(line_now)
        assert words == words_now, "Run: python -m docs.pen_and_paper"
        np.testing.assert_allclose(numbers, numbers_now, rtol=1e-5, atol=1e-9)
    assert len(text.splitlines()) == len(now.splitlines())


def test_every_figure_is_what_the_code_draws_now(fresh):
    text, _, figures = fresh
    names = sorted(path.name for path in figures.iterdir())
    assert names == sorted(path.name for path in FIGURES.glob("*.svg"))
    for name in names:
        assert f"](figures/{name})" in text, f"the page doesn't show {name}"
        old, new = ((folder / name).read_text(encoding="utf-8") for folder in (FIGURES, figures))
        assert same_drawing(old, new), f"{name}: run python -m docs.pen_and_paper"


def test_the_sheets_numbers_are_on_the_page(fresh):
    _, now, _ = fresh
    for line in ("y_hat = w2 * h1 + ws * h0 = 0.5 * 0.25 + 0.5 * 0.5 = 0.375", "L was 3.375 and is 3 after the step.",
                 "dL/dh0 = 0.5 + 0.25 = 0.75", "dL/dW1 = x.T @ dL/dz1   shape (3, 4)"):
        assert line in now


def same_drawing(old, new, words_only=False):
    """Tell whether two drawings say the same; numbers may differ by a little, as machines round in their own ways."""
    old_numbers, old_words = numbers_and_words(old)
    new_numbers, new_words = numbers_and_words(new)
    return old_words == new_words and (words_only or np.allclose(old_numbers, new_numbers, rtol=1e-3, atol=0.21))


def test_the_figures_of_the_exercises_are_what_the_code_draws_now():
    """One graph for one task: exercises and docs draw it from the same functions."""
    from exercises.ticket_prices.graph_and_derivatives import build_graph, build_scheme
    drawn = {"backpropagation/figures/skip_graph.svg": draw(skip_network()),
             "backpropagation/figures/skip_scheme.svg": skip_scheme(),
             "computational_graphs/figures/expression_A.svg": draw(expression_a()),
             "computational_graphs/figures/expression_B.svg": draw(expression_b()),
             "computational_graphs/figures/expression_C.svg": draw(expression_c()),
             "ticket_prices/figures/graph.svg": draw(build_graph()),
             "ticket_prices/figures/scheme.svg": build_scheme()}
    for name, drawing in drawn.items():
        assert same_drawing((ROOT / "exercises" / name).read_text(encoding="utf-8"), drawing.svg()), name
    for one, other in (("skip_graph", "backpropagation/figures/skip_graph"),
                       ("expression_c", "computational_graphs/figures/expression_C"),
                       ("ticket_graph", "ticket_prices/figures/graph")):
        files = FIGURES / f"{one}.svg", ROOT / "exercises" / f"{other}.svg"
        assert same_drawing(*[path.read_text(encoding="utf-8") for path in files]), one


def test_a_legend_that_is_wider_than_its_drawing_takes_a_line_each():
    scene = draw(skip_network()).scene
    blue, orange = [next(text for text in scene.texts if text.text.startswith(word)) for word in ("blue", "orange")]
    assert blue.x == orange.x and blue.y < orange.y < scene.height and scene.width < 510


def test_the_scheme_and_the_graph_have_the_same_names():
    from exercises.ticket_prices.graph_and_derivatives import build_graph, build_scheme
    names = explain(build_graph()).derivation.names.known()
    said = " ".join(text.text for text in build_scheme().scene.texts)
    for name in ("x", "W1", "b1", "z1", "h", "W2", "b2", "y_hat"):
        assert name in names and re.search(rf"\b{name}\b", said), name


def test_a_stale_output_is_replaced(tmp_path):
    stale = "Text.\n\n```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n\nMore.\n"
    assert regenerated(stale, tmp_path) == stale.replace("3", "2")
    assert regenerated("```python\nx = 1\n```\n", tmp_path) == "```python\nx = 1\n```\n"


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
