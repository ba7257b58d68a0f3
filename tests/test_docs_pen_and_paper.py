"""The page of pen-and-paper tasks: each output and figure in it is what the library gives now."""
from __future__ import annotations

import os
import re

import numpy as np
import pytest

from docs.pen_and_paper import FIGURES, PAGE, regenerated

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
        old_numbers, old_words = numbers_and_words(old)
        new_numbers, new_words = numbers_and_words(new)
        assert old_words == new_words, "Run: python -m docs.pen_and_paper"
        np.testing.assert_allclose(old_numbers, new_numbers, atol=0.21)


def test_the_sheets_numbers_are_on_the_page(fresh):
    _, now, _ = fresh
    for line in ("y_hat = t1 + t2 = 0.125 + 0.25 = 0.375", "L was 3.375 and is 3 after the step.",
                 "dL/dh0 = 0.5 + 0.25 = 0.75", "dL/dW1 = x.T @ dL/dz1   shape (3, 4)"):
        assert line in now


def test_a_stale_output_is_replaced(tmp_path):
    stale = "Text.\n\n```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n\nMore.\n"
    assert regenerated(stale, tmp_path) == stale.replace("3", "2")
    assert regenerated("```python\nx = 1\n```\n", tmp_path) == "```python\nx = 1\n```\n"


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
