"""A real browser for the tests of pages: headless Chromium by Playwright, and axe-core for accessibility.

Without Playwright, a Chromium or axe-core, the tests that need them say so and are left out; .ci/run installs them.
"""
from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any, Iterator, List

import pytest

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def chromium() -> str:
    """Return the path of a Chromium, or skip the test with what is lacking."""
    pytest.importorskip("playwright", reason="pages are tested by Playwright (python -m pip install playwright)")
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    pytest.skip("pages are tested in Chromium (apt-get install chromium)")


def axe() -> str:
    """Return the script of axe-core, or skip the test with what is lacking."""
    path = Path(os.environ.get("AXE_CORE", "node_modules/axe-core/axe.min.js"))
    if not path.is_file():
        pytest.skip("accessibility is tested by axe-core (npm install axe-core, then AXE_CORE=.../axe.min.js)")
    return path.read_text(encoding="utf-8")


RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(tab: Any, script: str) -> Any:
    """Return what axe-core finds on a page, each rule with the first element that breaks it."""
    tab.evaluate(script)
    return tab.evaluate("""rules => axe.run(document, {runOnly: rules}).then(result => result.violations.map(
        each => [each.id, each.nodes[0].html.slice(0, 500)]))""", RULES)


def too_small(tab: Any) -> Any:
    """Return the texts of a page that are set under 11 px as drawn, and the targets under 24 px."""
    return tab.evaluate("""() => {
        const seen = what => [...document.querySelectorAll(what)].filter(each => each.checkVisibility());
        const size = each => parseFloat(getComputedStyle(each).fontSize) * (each.ownerSVGElement ? each.getCTM().a : 1);
        const texts = seen("body *").filter(each => !each.closest(".spoken, math") && size(each) < 10.99 &&
            [...each.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()));
        const targets = seen("button, a, summary, input").filter(each => {
            const {width, height} = each.getBoundingClientRect();
            return width < 24 || height < 24;
        });
        return [...texts, ...targets].map(each => each.outerHTML.slice(0, 80));
    }""")


class Opened:
    """A page in the browser, with what it said on the console and what it asked of the network."""

    def __init__(self, tab: Any) -> None:
        self.tab = tab
        self.said: List[str] = []
        self.requests: List[str] = []
        tab.on("console", lambda message: self.said.append(message.text))
        tab.on("pageerror", lambda error: self.said.append(str(error)))
        tab.on("request", lambda request: self.requests.append(request.url))

    def open(self, path: Path, address: str = "") -> Any:
        """Load a file and return the tab."""
        self.tab.goto(path.resolve().as_uri() + address)
        return self.tab


@contextlib.contextmanager
def opened(width: int = 1280, height: int = 800, dark: bool = False) -> Iterator[Opened]:
    """Open a tab of this size in a browser of its own."""
    path = chromium()
    from playwright.sync_api import sync_playwright
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        tab = browser.new_page(viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light",
                               reduced_motion="reduce")
        try:
            yield Opened(tab)
        finally:
            browser.close()
