"""Interactive pages in a real browser: every number, step and opened gradient, keys, predictions, accessibility."""
from __future__ import annotations


import numpy as np
import pytest

from lib import walkthrough
from lib.activations import ReLU, Sigmoid
from lib.graph import constant, variable
from lib.graph.page import page
from lib.layers.activations import GELU, LeakyReLU, Softplus, Tanh
from lib.layers.losses import BinaryCrossEntropyLoss, MeanSquaredError
from lib.losses import CrossEntropyLoss, MSELoss
from lib.network import Linear, Sequential
from tests.browser import axe, opened, too_small, violations

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def xor(tmp_path_factory):
    """The XOR page and its data."""
    model, x, y, loss_fn, rate = walkthrough.EXAMPLES["xor"](np.random.default_rng(7))
    made = page(model, x, y, loss_fn=loss_fn, learning_rate=rate)
    return made.save(tmp_path_factory.mktemp("pages") / "xor page.html"), made.data


def networks():
    """Yield 20 networks of other depths, widths, activations and losses, with their examples."""
    activations = (ReLU, Sigmoid, Tanh, Softplus, LeakyReLU, lambda: GELU("tanh"))
    for seed in range(20):
        rng = np.random.default_rng(seed)
        sizes = rng.integers(1, 5, rng.integers(2, 5)).tolist()
        batch = int(rng.integers(1, 4))
        modules = []
        for before, after in zip(sizes, sizes[1:]):
            modules += [Linear(before, after), activations[rng.integers(len(activations))]()]
        model = Sequential(*modules[:-1])
        for parameter in model.parameters():
            parameter.data = rng.uniform(-1, 1, parameter.data.shape)
        x = rng.uniform(-1, 1, (batch, sizes[0]))
        if sizes[-1] > 1 and seed % 2:
            yield model, x, np.eye(sizes[-1])[rng.integers(0, sizes[-1], batch)], CrossEntropyLoss()
        elif seed % 3 == 0:
            yield model, x, rng.integers(0, 2, (batch, sizes[-1])).astype(float), BinaryCrossEntropyLoss()
        else:
            loss_fn = MSELoss() if seed % 2 else MeanSquaredError()
            yield model, x, rng.uniform(-1, 1, (batch, sizes[-1])), loss_fn


def numbers_in(tab, selector):
    """Return the numbers with all their digits that stand in a part of the page."""
    return [float(text) for text in tab.eval_on_selector_all(f"{selector} .number", "e => e.map(x => x.dataset.value)")]


def test_it_opens_without_a_request_an_error_or_a_delay(xor):
    path, data = xor
    with opened() as browser:
        tab = browser.open(path)
        assert tab.inner_text("h1") and browser.said == []
        assert [url for url in browser.requests if not url.startswith("file:")] == [] and len(browser.requests) == 1
        assert tab.evaluate("performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart") < 10000


def test_every_step_shows_the_librarys_numbers(xor):
    path, data = xor
    with opened() as browser:
        tab = browser.open(path)
        for index, step in enumerate(data["steps"]):
            assert f"Step {index + 1} of {len(data['steps'])}" in tab.inner_text(".sentence")
            node = data["nodes"][step["node"]]
            expected = {"forward": node["value"], "seed": node["grad"], "update": node.get("new"),
                        "backward": node["grad"] if step.get("last") else data["edges"][step.get("edge", 0)]["flow"]}
            np.testing.assert_allclose(numbers_in(tab, ".panel"), expected[step["phase"]], rtol=0, atol=0)
            tab.click("[aria-label='next step']") if index < len(data["steps"]) - 1 else None
        tables = {node["name"]: node["value"] for node in data["nodes"]}
        for name, value in tables.items():
            found = tab.eval_on_selector_all(".tables .scroll", """(all, name) => all.filter(x =>
                x.getAttribute('aria-label') === name)[0].innerText""", name)
            assert found.count("\n") >= 1 and len(value) >= 1
        assert browser.said == []


def test_keys_slider_and_address_go_to_the_same_steps(xor):
    path, data = xor
    last = len(data["steps"])
    with opened() as browser:
        tab = browser.open(path, "#step=12")
        assert "Step 12 of" in tab.inner_text(".sentence")
        for key, expected in (("ArrowRight", 13), ("ArrowLeft", 12), ("End", last), ("Home", 1)):
            tab.keyboard.press(key)
            assert f"Step {expected} of" in tab.inner_text(".sentence")
        tab.focus("#slider")
        tab.keyboard.press("ArrowRight")
        assert "Step 2 of" in tab.inner_text(".sentence")
        assert tab.get_attribute("#slider", "aria-valuetext").startswith(f"Step 2 of {last}: ")
        tab.evaluate("location.hash = '#step=5'")
        tab.locator(".sentence", has_text="Step 5 of").wait_for()


OPEN = ".tables button[aria-label$='open it'][data-node='{}']"


@pytest.mark.parametrize("number", range(20))
def test_every_gradient_entry_opens_as_its_products(number, tmp_path):
    model, x, y, loss_fn = list(networks())[number]
    made = page(model, x, y, loss_fn=loss_fn)
    with opened() as browser:
        tab = browser.open(made.save(tmp_path / "page.html"))
        for k, node in enumerate(made.data["nodes"]):
            for flat, grad in enumerate(node["grad"] or []):
                tab.eval_on_selector(OPEN.format(k) + f"[data-flat='{flat}']", "e => e.click()")  # the first action
                products = tab.eval_on_selector_all(".inspect > section > ul > li",
                                                    "e => e.map(x => x.dataset.product)")
                if k != made.data["output"]:
                    np.testing.assert_allclose(sum(map(float, products)), grad, rtol=1e-9, atol=1e-13)
        leaf = next(k for k, node in enumerate(made.data["nodes"]) if "new" in node)
        tab.locator(OPEN.format(leaf)).first.click()
        tab.click(".inspect button.down")  # the second action: down to the inputs, no gradient left unopened
        lines = tab.eval_on_selector_all("ol.down > li", "e => e.map(x => x.dataset.line)")
        assert f"{made.data['output']}:0" in lines and len(set(lines)) == len(lines)
        assert browser.said == []


def test_dL_dW1_0_1_can_be_read_from_the_accessibility_tree_alone(xor):
    path, data = xor
    with opened() as browser:
        tab = browser.open(path)
        tab.get_by_role("button", name="dL/dW1[0,1] = ").first.press("Enter")
        W1, z, x = (next(node for node in data["nodes"] if node["name"] == name) for name in ("W1", "t1", "x"))
        rows = tab.locator("section.inspect li")
        assert "the derivative of L by W 1 at 0, 1" in tab.locator("section.inspect").aria_snapshot()
        for n in range(4):
            text = " ".join(rows.nth(n).aria_snapshot().replace('"', "").split())
            factor, gradient = x["value"][2 * n], z["grad"][2 * n + 1]
            numbers = [f"{each + 0.0:.6g}".replace("-", "−") for each in (factor, gradient, factor * gradient)]
            numbers[1] = f"({numbers[1]})" if gradient < 0 else numbers[1]
            assert f"x at {n}, 0 times - button the derivative of L by t 1 at {n}, 1" in text
            assert "= {} times {} = {}".format(*numbers) in text
        products = [x["value"][2 * n] * z["grad"][2 * n + 1] for n in range(4)]
        assert sum(products) == pytest.approx(W1["grad"][1])


def test_a_page_for_practice_opens_with_a_question(tmp_path):
    node = (variable(0.5, name="w") * constant(3.0, name="x")).named("z") ** 2
    with opened() as browser:
        tab = browser.open(page(node, predict=True).save(tmp_path / "practice.html"))
        assert tab.get_attribute("text=Predict first", "aria-pressed") == "true"
        assert tab.is_visible("#answer") and numbers_in(tab, ".panel") == []


def test_predictions_are_asked_judged_by_honest_rounding_and_hinted(xor):
    path, data = xor
    with opened() as browser:
        tab = browser.open(path)
        tab.click("text=Predict first")
        asked = 0
        for index, step in enumerate(data["steps"]):
            if step["phase"] == "seed":
                tab.click("[aria-label='next step']")
                continue
            numbers = tab.evaluate("index => quantityOf(data.steps[index])", index)
            right = numbers[tab.evaluate("index => askedEntry(index)", index)]
            assert numbers_in(tab, ".panel") == []
            if right and index % 3 == 0:
                tab.fill("#answer", str(-right))
                tab.click("text=Check")
                assert "sign" in tab.inner_text(".reply")
                tab.fill("#answer", "some")
                tab.click("text=Check")
                assert "type a number" in tab.inner_text(".reply")
            tab.fill("#answer", f"{right:.3g}".replace(".", ",") if index % 2 else repr(right))
            tab.click("text=Check")
            assert "Right" in tab.inner_text(".reply"), (index, right)
            assert tab.evaluate("document.activeElement === (parts.next.disabled ? document.body : parts.next)")
            asked += 1
            if index < len(data["steps"]) - 1:
                tab.click("[aria-label='next step']")
        assert f"of {asked} steps right at once" in tab.inner_text(".score") and browser.said == []


ROUNDINGS = [
    ("0.378", 0.3775, "right"), ("0.377", 0.3775, "right"), ("0,378", 0.3775, "right"), ("152", 152.4, "right"),
    ("12300", 12345.0, "right"), ("0.13", 0.1257, "right"), ("−0.13", -0.1257, "right"), ("1/4", 0.25, "right"),
    ("-3/8", -0.375, "right"), ("1.2e-5", 1.234e-5, "right"), ("1.2*10^-5", 1.234e-5, "right"), ("0", 0.0, "right"),
    ("0.14", 0.1257, "wrong"), ("0.1", 0.1257, "coarse"), ("0", 0.0012, "wrong"), ("153", 152.4, "wrong"),
    ("-1", -0.592397, "wrong"), ("0", 0.13857, "wrong"), ("1", 1.2, "coarse"),
    ("0.25", -0.25, "wrong"), ("1/3", 0.25, "wrong"), ("1", 1.0, "right"), (".5", 0.5, "right")]


def test_honest_rounding(xor):
    with opened() as browser:
        tab = browser.open(xor[0])
        for typed, right, verdict in ROUNDINGS:
            found = tab.evaluate("([typed, right]) => compared(readNumber(typed), right)", [typed, right])
            assert (typed, right, found) == (typed, right, verdict)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width, height", [(1280, 800), (390, 844)])
def test_axe_finds_nothing_and_no_text_is_small_or_covered(xor, dark, width, height):
    script = axe()
    with opened(width, height, dark) as browser:
        tab = browser.open(xor[0], "#step=18")
        tab.evaluate("goTo(18); open(1, 1)")
        for state in ("null", "parts.predict.click()"):
            tab.evaluate(state)
            assert violations(tab, script) == [] and too_small(tab) == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


COVERED = """() => {
  const shown = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode, parent = text.parentElement, range = document.createRange();
    if (!text.textContent.trim() || !parent.checkVisibility() ||
        parent.closest(".spoken, math, title, option")) continue;
    range.selectNodeContents(text);
    for (const {left, right, top, bottom} of range.getClientRects()) {
      const middle = (bottom - top) / 4;  // a line's box is higher than its letters
      if (right - left > 1) shown.push([left + 1, right - 1, top + middle, bottom - middle, text.textContent.trim(),
                                        parent.closest("svg, .scroll, section, header, body")]);
    }
  }
  const pairs = [];
  shown.forEach(([l, r, t, b, text, frame], i) => shown.slice(i + 1).forEach(([l2, r2, t2, b2, text2, frame2]) => {
    if (frame === frame2 && l < r2 && l2 < r && t < b2 && t2 < b) pairs.push([text, text2]);
  }));
  const out = [...document.querySelectorAll("g.box")].filter(box => [...box.querySelectorAll("text")].some(text => {
    const inner = text.getBoundingClientRect(), outer = box.querySelector("rect").getBoundingClientRect();
    return inner.left < outer.left || inner.right > outer.right;
  })).map(box => box.textContent);
  return pairs.concat(out);
}"""


@pytest.mark.parametrize("width, height", [(1280, 800), (390, 844)])
def test_no_text_covers_another_or_leaves_its_box(width, height, tmp_path):
    with opened(width, height) as browser:
        for name, example in walkthrough.EXAMPLES.items():
            model, x, y, loss_fn, rate = example(np.random.default_rng(7))
            made = page(model, x, y, loss_fn=loss_fn, learning_rate=rate)
            tab = browser.open(made.save(tmp_path / f"{name}.html"))
            for step in (0, len(made.data["steps"]) // 2, len(made.data["steps"]) - 1):
                tab.evaluate("step => goTo(step)", step)
                assert tab.evaluate(COVERED) == [], (name, step)
        if width > 700:  # the check sees what it is for; on narrower screens, the drawings give way to lists
            tab.evaluate("document.querySelector('g.box text').textContent = 'a name much longer than its box is'")
            assert tab.evaluate(COVERED) != []


def test_what_is_no_number_is_shown_and_never_asked_for(tmp_path):
    model = Sequential(Linear(2, 2), ReLU(), Linear(2, 2))
    model.modules[0].W.data[0, 0] = np.nan
    with opened() as browser, np.errstate(all="ignore"):
        tab = browser.open(page(model, np.ones((2, 2)), np.eye(2)).save(tmp_path / "page.html"))
        tab.click("text=Predict first")
        tab.evaluate("goTo(9)")
        assert "L is computed" in tab.inner_text(".sentence") and tab.locator(".question").count() == 0
        tab.evaluate("goTo(0)")
        assert tab.locator(".question").count() == 1  # there is a number in t1, too
        tab.fill("#answer", "0.37")
        tab.click("text=Check")
        assert "Not yet" in tab.inner_text("main") and browser.said == []


def test_printing_lays_out_all_steps(xor):
    path, data = xor
    with opened() as browser:
        tab = browser.open(path)
        tab.evaluate("dispatchEvent(new Event('beforeprint'))")
        tab.emulate_media(media="print")
        assert tab.locator(".printed:visible").count() == len(data["steps"])
        assert not tab.locator(".controls").is_visible()


def test_hostile_names_stay_texts(tmp_path):
    model = Sequential(Linear(2, 2), ReLU(), Linear(2, 2))
    model.modules[0].W.name = '<img src=x onerror="document.title=1">'
    made = page(model, np.ones((2, 2)), np.eye(2), title="</script><script>document.title=2</script>")
    with opened() as browser:
        tab = browser.open(made.save(tmp_path / "page.html"))
        tab.wait_for_timeout(300)
        assert tab.locator("img").count() == 0 and tab.title().startswith("</script>") and browser.said == []


def test_in_a_notebooks_frame_it_is_the_same_page(xor, tmp_path):
    model, x, y, loss_fn, rate = walkthrough.EXAMPLES["xor"](np.random.default_rng(7))
    frame = page(model, x, y, loss_fn=loss_fn)._repr_html_()
    path = tmp_path / "cell.html"
    path.write_text(f"<!doctype html><meta charset='utf-8'><title>cell</title>{frame}", encoding="utf-8")
    with opened() as browser:
        tab = browser.open(path)
        inner = tab.frames[1]
        inner.click("[aria-label='next step']")
        assert "Step 2 of" in inner.inner_text(".sentence") and browser.said == []


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
