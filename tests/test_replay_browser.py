"""The replay page in a real browser: its numbers, slider, keys, play, accessibility, print, and what it tells."""
from __future__ import annotations

import numpy as np
import pytest

from lib.graph.page.replay import Recording, replay_page
from lib.layers import CrossEntropyLoss, MeanSquaredError, Tanh
from lib.network import Linear, Sequential
from tests.browser import axe, opened, too_small, violations
from tests.test_replay import LABELS, X, xor_net

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def xor(tmp_path_factory):
    """A page with a stuck start, its cure and a solved one, and its data."""
    page = replay_page({"seed 0": xor_net(0), "seed 3": xor_net(3)}, X, LABELS, title="XOR, replayed")
    return page.save(tmp_path_factory.mktemp("replay") / "replay page.html"), page.data


def test_every_number_of_every_frame_is_shown(xor):
    path, data = xor
    with opened() as browser:
        tab = browser.open(path)
        tab.click("summary")
        for frame in range(0, len(data["frames"]), 9):
            tab.evaluate("goTo", frame)
            assert f"Epoch {data['frames'][frame]} of 1000" in tab.inner_text(".sentence")
            for k, run in enumerate(data["runs"]):
                found = tab.eval_on_selector_all(f".numbers.of:nth-child({k + 1}) .number",
                                                 "e => e.map(x => Number(x.dataset.value))")
                start, expected = 0, []
                for parameter in run["parameters"]:
                    size = int(np.prod(parameter["shape"]))
                    expected += run["weights"][frame][start:start + size] + run["gradients"][frame][start:start + size]
                    start += size
                assert found == expected
        assert browser.said == [] and len(browser.requests) == 1


def test_the_page_alone_tells_which_start_is_stuck_and_why_and_what_frees_it(xor):
    path, _ = xor
    with opened() as browser:
        text = browser.open(path).locator("main").aria_snapshot()
        for words in ("stuck: no unit bends", "No hidden unit bends within the data", "Cure: give unit", "solved",
                      "0.6931 = ln 2", "seed 0, with the cure"):
            assert words in text, words
        assert "of class 1, predicted with" in text and "unit 0's line" in text  # the picture has words


def test_slider_keys_buttons_play_and_address(xor):
    path, data = xor
    with opened() as browser:
        tab = browser.open(path, "#epoch=100")
        shown = data["frames"][next(k for k, epoch in enumerate(data["frames"]) if epoch >= 100)]
        assert f"Epoch {shown} of" in tab.inner_text(".sentence")
        for key, epoch in (("End", 1000), ("ArrowLeft", data["frames"][-2]), ("Home", 0), ("ArrowRight", 1)):
            tab.keyboard.press(key)
            assert f"Epoch {epoch} of" in tab.inner_text(".sentence")
        tab.focus("#slider")
        tab.keyboard.press("ArrowRight")
        assert tab.get_attribute("#slider", "aria-valuetext") == "Epoch 2 of 1000"
        tab.click("[aria-label='the same start again']")
        assert "Epoch 0 of" in tab.inner_text(".sentence")
        tab.evaluate("document.activeElement.blur()")
        tab.keyboard.press("p")
        tab.wait_for_selector("#slider:not([aria-valuetext^='Epoch 0 of'])")
        tab.click("text=Pause")
        stopped = tab.evaluate("state.frame")
        tab.wait_for_timeout(900)
        assert tab.evaluate("state.frame") == stopped and browser.said == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width, height", [(1280, 800), (390, 844)])
def test_axe_finds_nothing_and_no_text_is_small(xor, dark, width, height):
    script = axe()
    with opened(width, height, dark) as browser:
        tab = browser.open(xor[0], "#epoch=1000")
        tab.click("summary")
        assert violations(tab, script) == [] and too_small(tab) == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_printing_lays_out_six_moments_of_each_run_on_white_paper(xor):
    path, data = xor
    with opened(dark=True) as browser:
        tab = browser.open(path)
        tab.evaluate("dispatchEvent(new Event('beforeprint'))")
        tab.emulate_media(media="print")
        assert tab.locator(".printed:visible").count() == len(data["runs"])
        assert tab.locator(".printed .plane:visible").count() == 6 * len(data["runs"])
        assert tab.locator(".controls:visible, .run:visible").count() == 0 and browser.said == []
        assert tab.evaluate("getComputedStyle(document.body).color") == "rgb(31, 41, 51)"
        guess = "document.querySelector('.printed canvas').getContext('2d').getImageData(9, 9, 1, 1).data.join()"
        assert tab.evaluate(guess) == "255,255,255,255"


def test_hostile_names_stay_texts_and_other_data_is_shown(tmp_path, rng):
    hostile = '</script><img src=x onerror="document.title=1">'
    x, classes = rng.standard_normal((80, 2)), np.eye(3)[rng.integers(0, 3, 80)]
    page = replay_page({hostile: Sequential(Linear(2, 8), Tanh(), Linear(8, 3))}, x, classes, epochs=30, title=hostile)
    wide = replay_page(Sequential(Linear(4, 3), Tanh(), Linear(3, 3)), rng.standard_normal((80, 4)), classes, epochs=30)
    with opened() as browser:
        for each in (page, wide):
            tab = browser.open(each.save(tmp_path / "page.html"))
            tab.keyboard.press("End")
            assert tab.locator("img").count() == 0 and browser.said == []
            text = tab.inner_text("main")
            assert "the solid line" not in text and "a cross" not in text  # of three classes, neither is drawn
        assert tab.locator(".plane").count() == 0 and tab.locator(".chart").count() == 1


@pytest.mark.parametrize("loss_fn", [CrossEntropyLoss(), MeanSquaredError()])
def test_a_run_that_has_come_to_nan_is_shown_to_its_end(tmp_path, rng, loss_fn):
    two = isinstance(loss_fn, CrossEntropyLoss)
    model = Sequential(Linear(2, 8), Tanh(), Linear(8, 2 if two else 1))
    recording = Recording(model, X, LABELS if two else LABELS[:, 1:], loss_fn)
    model.modules[0].W.data[:] = np.nan
    recording.note()
    with opened() as browser:
        tab = browser.open(replay_page(recording).save(tmp_path / "page.html"))
        tab.keyboard.press("End")
        assert "loss nan, 4 of 4 wrong" in tab.inner_text(".sentence") and tab.locator(".cross").count() == 4
        assert "predicted with nan" in tab.get_attribute(".plane svg", "aria-label")
        assert "unit 0 has no line" in tab.inner_text(".run") and browser.said == []


def test_the_curve_of_a_run_that_diverges_leaves_a_chart_that_can_be_read(tmp_path):
    page = replay_page({"wild": xor_net(0), "long steps": xor_net(0)}, X, LABELS, learning_rate=[1e6, 30], epochs=60)
    with opened() as browser:
        tab = browser.open(page.save(tmp_path / "page.html"), "#epoch=60")
        charts = tab.locator(".run .chart")
        assert "above: up to 5.0e5" in charts.nth(0).text_content() and "above" not in charts.nth(1).text_content()
        for k in range(charts.count()):
            boxes = charts.nth(k).evaluate("""chart => [...chart.querySelectorAll('text')].map(e => e.getBBox())
                .map(b => [b.x, b.y, b.x + b.width, b.y + b.height])""")
            assert all(box[0] >= 0 for box in boxes), boxes
            assert not [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if
                        min(a[2], b[2]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[1], b[1]) > 3]
        ends = charts.nth(0).locator("polyline").get_attribute("points").split()[-1].split(",")
        assert float(ends[1]) < 0 and browser.said == []  # it isn't drawn as a plateau at the top


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
