"""What if, in a real browser: a number is changed on the page, and all others are what the library computes."""
from __future__ import annotations

import re

import numpy as np
import pytest

from lib import walkthrough
from lib.graph.node import variable
from lib.graph.page import page, write_page
from lib.layers import LeakyReLU, Softplus
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential
from tests.browser import axe, opened, violations
from tests.test_page_browser import networks

pytestmark = pytest.mark.slow


def cases():
    """Yield networks by name, each as (model, x, y, loss_fn, learning rate)."""
    for name, example in walkthrough.EXAMPLES.items():
        yield pytest.param(example(np.random.default_rng(5)), id=name)
    for number, (model, x, y, loss_fn) in list(enumerate(networks()))[:8]:
        nodes = page(model, x, y, loss_fn=loss_fn).data["nodes"]
        if not any(node.get("operation") == "where" for node in nodes):  # its condition isn't part of the graph
            yield pytest.param((model, x, y, loss_fn, 0.5), id=f"network {number}")


@pytest.mark.parametrize("case", list(cases()))
def test_every_number_follows_as_in_the_library(case, tmp_path):
    model, x, y, loss_fn, rate = case
    x, rng = np.array(x, float), np.random.default_rng(0)
    for parameter in model.parameters():  # all different, so that each can be told by its numbers
        parameter.data = parameter.data + rng.uniform(-0.1, 0.1, parameter.data.shape)
    first = page(model, x, y, loss_fn=loss_fn, learning_rate=rate)
    with opened() as browser:
        tab = browser.open(first.save(tmp_path / "page.html"))
        leaves = {node["name"]: k for k, node in enumerate(first.data["nodes"]) if "parents" not in node}
        inputs = [k for k, node in enumerate(first.data["nodes"]) if "new" in node]
        for turn in range(6):
            if turn % 3 == 2:
                k, flat, value = leaves["x"], int(rng.integers(x.size)), float(rng.uniform(-2, 2))
                x.ravel()[flat] = value
            else:
                k = inputs[int(rng.integers(len(inputs)))]
                parameter = next(p for p in model.parameters() if p.data.ravel().tolist() == tab.evaluate(
                    "k => data.nodes[k].value", k))
                flat, value = int(rng.integers(parameter.data.size)), float(rng.uniform(-2, 2))
                parameter.data.ravel()[flat] = value
            tab.evaluate("([k, flat, value]) => change(k, flat, value)", [k, flat, value])
            expected = page(model, x, y, loss_fn=loss_fn, learning_rate=rate).data
            found = tab.evaluate("data")
            for ours, theirs in zip(found["nodes"], expected["nodes"]):
                for what in ("value", "grad", "new"):
                    if theirs.get(what) is not None:
                        np.testing.assert_allclose(ours[what], theirs[what], rtol=1e-12, atol=1e-12)
            for ours, theirs in zip(found["edges"], expected["edges"]):
                np.testing.assert_allclose(ours["flow"], theirs["flow"], rtol=1e-12, atol=1e-12)
            assert found["loss"]["after"] == pytest.approx(float(expected["loss"]["after"]), rel=1e-12, abs=1e-12)
        assert browser.said == []


@pytest.fixture(scope="module")
def xor(tmp_path_factory):
    """The XOR page and its data."""
    model, x, y, loss_fn, rate = walkthrough.EXAMPLES["xor"](np.random.default_rng(3))
    made = page(model, x, y, loss_fn=loss_fn, learning_rate=rate)
    return made.save(tmp_path_factory.mktemp("pages") / "xor page.html"), made.data


def test_a_number_is_chosen_typed_dragged_and_put_back(xor):
    path, data = xor
    with opened() as browser:
        tab = browser.open(path)
        tab.click("text=What if: change a number")
        before = tab.evaluate("JSON.stringify(data)")
        entry = tab.get_by_role("button", name=re.compile(r"^W1\[0,1\] = "))
        entry.click()
        tab.get_by_role("textbox", name="type W1[0,1]").fill("1,5")
        tab.keyboard.press("Enter")
        told = tab.inner_text(".whatif [role=status]")
        assert told.startswith("With W1[0,1] = 1.5, L is ") and "0.69" not in told.split("L is")[0]
        k = next(k for k, node in enumerate(data["nodes"]) if node["name"] == "W1")
        assert tab.evaluate("k => data.nodes[k].value[1]", k) == 1.5
        tab.focus("[aria-label='drag W1[0,1]']")
        tab.keyboard.press("ArrowRight")
        moved = tab.evaluate("k => data.nodes[k].value[1]", k)
        assert moved > 1.5 and f"With W1[0,1] = {moved:.6g}".rstrip("0") in tab.inner_text(".whatif [role=status]")
        tab.get_by_role("textbox", name="type W1[0,1]").fill("much")
        tab.keyboard.press("Enter")
        assert "Please type a number" in tab.inner_text(".whatif [role=status]")
        tab.click("text=The first numbers again")
        assert tab.evaluate("JSON.stringify(data)") == before
        assert tab.evaluate("!document.querySelector('.whatif button:disabled') === false")
        assert tab.evaluate("document.activeElement.tagName") == "SUMMARY"
        assert browser.said == []


def test_a_change_gives_no_answer_away_and_stays_when_predicting(xor):
    with opened() as browser:
        tab = browser.open(xor[0])
        tab.click("text=What if: change a number")
        tab.get_by_role("button", name=re.compile(r"^W1\[0,1\] = ")).click()
        field = tab.get_by_role("textbox", name="type W1[0,1]")
        field.fill("1.5")
        tab.keyboard.press("Enter")
        tab.click("text=Predict first")
        for value in ("1.5", "2"):
            field.fill(value)
            tab.keyboard.press("Enter")
            assert tab.inner_text(".whatif [role=status]") == f"With W1[0,1] = {value}, L is to be predicted."
            assert tab.evaluate("shown(data.loss.before)") not in tab.inner_text("main")
        tab.click("text=Predict first")
        loss = tab.evaluate("data.loss.before")
        assert tab.inner_text(".whatif [role=status]") == f"With W1[0,1] = 2, L is {loss:.6g}."
        assert browser.said == []


def test_what_is_not_defined_is_not_put_on_the_step(tmp_path):
    a = variable(np.array(4.0), name="a")
    with opened() as browser:
        tab = browser.open(write_page(np.log(a), path=tmp_path / "page.html"))
        tab.evaluate("change(0, 0, -1)")
        text = tab.inner_text("main")
        assert "is not defined for these numbers" in text and "the step is too long" not in text
        assert browser.said == []


def test_a_page_for_practice_opens_at_the_step_of_its_address(tmp_path):
    model, x, y, loss_fn, _ = walkthrough.EXAMPLES["skip"](np.random.default_rng(3))
    path = page(model, x, y, loss_fn=loss_fn, predict=True).save(tmp_path / "page.html")
    with opened() as browser:
        tab = browser.open(path, "#step=12")
        assert tab.inner_text(".sentence").startswith("Step 12 of ") and tab.url.endswith("#step=12")


@pytest.mark.parametrize("width, dark", [(1280, False), (390, True)])
def test_axe_finds_nothing(xor, width, dark):
    script = axe()
    with opened(width, 844, dark) as browser:
        tab = browser.open(xor[0])
        tab.click("text=What if: change a number")
        tab.get_by_role("button", name=re.compile(r"^W1\[0,1\] = ")).click()
        assert violations(tab, script) == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_where_it_is_not_offered_a_sentence_says_why(tmp_path):
    rng = np.random.default_rng(0)
    leaky = page(Sequential(Linear(2, 2), LeakyReLU(), Linear(2, 2)), np.ones((2, 2)), np.eye(2))
    large = page(Sequential(Linear(30, 40), Softplus(), Linear(40, 2)), rng.standard_normal((20, 30)),
                 np.eye(2)[[0, 1] * 10], loss_fn=CrossEntropyLoss())
    with opened() as browser:
        for made, words in ((leaky, "its graph has where"), (large, "it holds")):
            tab = browser.open(made.save(tmp_path / "page.html"))
            assert words in tab.inner_text("main") and tab.locator(".whatif").count() == 0 and browser.said == []


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
