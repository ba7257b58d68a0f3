"""The playground: its answers, its files and its server; in a real browser, with the runtime and without one.

The runtime's folder is named by PLAYGROUND_RUNTIME; .ci/run sets it up (see the head of lib/graph/page/playground.py).
"""
from __future__ import annotations

import contextlib
import json
import os
import threading
import urllib.error
import urllib.request

import numpy as np
import pytest

from lib import walkthrough
from lib.dataset import X, y
from lib.graph.page import in_browser
from lib.graph.page.playground import RUNTIME_FILES, policy_for, server_of, write_playground
from lib.graph.page.replay import replay_page
from tests.browser import axe, opened, violations
from tests.test_replay import LABELS, xor_net

XOR = "0, 0, 0\n0, 1, 1\n1, 0, 1\n1, 1, 0"
TRAIN = {"kind": "train", "data": XOR, "hidden": "2", "activation": "ReLU", "seed": "3", "lr": "1", "epochs": "1000"}
CODE = """import numpy as np
from lib.network_base import Module
class Square(Module):
    def forward(self, x):
        self.input_cache = x
        return x ** 2
    def backward(self, grad):
        return {backward}
module = Square()
x = np.random.randn(3, 4)
"""


def test_it_trains_as_the_library_does():
    ours = in_browser.answered(dict(TRAIN, epochs=100))["replay"]["runs"][0]
    native = replay_page(xor_net(3), X, LABELS, epochs=100).data["runs"][0]
    assert ours["losses"] == native["losses"] and ours["weights"] == native["weights"]


@pytest.mark.parametrize("backward, words", [
    ("grad * self.input_cache", ["wrong", "0.5 for every entry"]), ("2 * grad * self.input_cache", ["ok"]),
    ("grad * nothing", ["NameError"]), ("grad +", ['"SyntaxError: ', "line 8: return grad +"]),
    ("exit(3)", ['"SystemExit: 3', "line 8: return exit(3)"]), ("print('here') or 2 * grad * self.input_cache",
                                                                ["ok", '"printed": "here'])])
def test_a_backward_that_is_typed_in_is_checked(tmp_path, backward, words):
    answer = in_browser.answered({"kind": "check", "code": CODE.format(backward=backward),
                                  "file": str(tmp_path / "typed_in.py")})
    assert all(word in json.dumps(answer) for word in words), answer


@pytest.mark.parametrize("changes, sentence", [
    ({"data": ""}, "from 2 to 500 lines"), ({"data": "0 0 0\n0 1"}, "Line 2 of the data holds 2 numbers"),
    ({"data": "x1 x2 class\n0 0 0\nzero 1 1"}, "Line 3"), ({"data": "0 0 0.5\n0 1 1"}, "is its class"),
    ({"data": "0 0 0\n0 1 0"}, "is its class"), ({"data": "0 0 1\n0 1 1"}, "at least two of them"),
    ({"data": "1 nan 1\n0 1 0"}, "Line 1"), ({"hidden": "two"}, "'two'"),
    ({"hidden": "65"}, "from 1 to 64"), ({"epochs": "0"}, "from 1 to 5000"), ({"lr": "fast"}, "such as 0.5"),
    ({"lr": "-1"}, "positive number"), ({"lr": "nan"}, "positive"), ({"seed": "-1"}, "as seed")])
def test_what_cannot_be_trained_gets_a_sentence(changes, sentence):
    assert sentence in in_browser.answered({**TRAIN, **changes})["error"]


def test_pasted_data_may_have_a_heading_and_other_marks():
    x, labels = in_browser.read_data("a;b;class\n0;1;2\n\n1.5;-2e1;0\n")
    for wrong, sentence in (("0, O, 0\n0, 1, 1\n1, 0, 1", "Line 1 of the data isn't made of numbers"),  # no heading
                            ("0, nan, 0\n0, 1, 1", "Line 1 of the data isn't made of numbers"),
                            ("0,5; 1; 0\n0; 1; 1", "commas beside semicolons"),  # 0.5, or 0 and 5
                            ("0,5 0,7 1\n1,5 1,7 0", "commas beside"), ("1,000\t2\t1\n3\t4\t0", "commas beside"),
                            ("0,,1\n1,2,", "Line 1"), ("0,1,1\n1,2,", "Line 2"), (",0,1\n,1,0", "Line 1"),
                            ("0|0|0\n0|1|1", "Line 1"), ("a b c\nd e f\n0 0 1\n1 0 0", "Line 2")):
        with pytest.raises(ValueError, match=sentence):
            in_browser.read_data(wrong)
    assert x.tolist() == [[0, 1], [1.5, -20]] and labels.tolist() == [[0, 0, 1], [1, 0, 0]]
    for same in ("\ufeff0, 1, 2\n1.5, \u221220, 0", "0 1  2\n 1.5 -20 0 ", "0\t1\t2\t\n1.5\t-20\t0\t",
                 "size (cm), no 2, class\n0,1,2\n1.5,-20,0"):
        assert np.array_equal(in_browser.read_data(same)[0], x), same
    for code in ("module = 3\nx = 1", "pass", "raise SystemExit(0)", "raise KeyboardInterrupt"):
        assert in_browser.answered({"kind": "check", "code": code, "file": os.devnull}).get("error")


def test_its_folder_and_its_policy(tmp_path, capsys):
    state = np.random.get_state()[1].copy()
    assert walkthrough.main(["playground", "--output", str(tmp_path / "site")]) == 0
    assert np.array_equal(np.random.get_state()[1], state)
    assert "Put the runtime into" in capsys.readouterr().out
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert {path.name for path in (tmp_path / "site").iterdir()} == {"index.html", "lib.json", "playground_worker.js"}
    files = json.loads((tmp_path / "site" / "lib.json").read_text(encoding="utf-8"))["lib"]
    assert "def backward" in files["network.py"] and "page.css" in files["graph"]["page"]
    assert "mnist.npz" not in files["data"]
    assert "default-src 'none'" in page and "worker-src 'self'; connect-src 'self'\"" in page and len(page) < 1_000_000
    assert policy_for("https://example.org/python/").endswith("connect-src 'self' https://example.org")
    for wrong in ("runtime", "a b/", "x\"/", "https://example.org/;script-src *//"):
        with pytest.raises(ValueError, match="address"):
            write_playground(tmp_path, wrong)
    with pytest.raises(SystemExit):
        walkthrough.main(["playground", "--output", str(tmp_path / "site"), "--runtime", str(tmp_path)])
    assert "lacks python-snapshot.wasm" in capsys.readouterr().err


@contextlib.contextmanager
def served(folder, runtime=None):
    """Serve a folder; yields its address."""
    server = server_of(folder, runtime)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


def test_the_server_gives_its_folders_files_alone(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "runtime" / "browser_wasi_shim").mkdir(parents=True)
    for name in RUNTIME_FILES:
        (tmp_path / "runtime" / name).write_text("program")
    with served(tmp_path / "site", tmp_path / "runtime") as address:
        with urllib.request.urlopen(address + "runtime/python-snapshot.wasm") as response:
            assert response.read() == b"program" and response.headers["Content-Type"] == "application/wasm"
        for path in ("../secret.txt", "runtime/../../secret.txt", "%2e%2e/secret.txt", "runtime/..%2f..%2fsecret.txt"):
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(address + path)


@pytest.mark.slow
def test_without_a_runtime_it_says_so_and_shows_the_replay(tmp_path):
    write_playground(tmp_path)
    with served(tmp_path) as address, opened() as browser:
        browser.tab.goto(address)
        browser.tab.get_by_text("There is no runtime here").wait_for()
        assert "untested" in browser.tab.inner_text("[role=status]") and browser.tab.locator(".plane").count() >= 2
        assert browser.tab.get_by_role("button", name="Start Python").is_disabled()
        (tmp_path / "lib.json").unlink()
        browser.tab.evaluate("startPython()")
        browser.tab.get_by_text("lib.json isn't there").wait_for()
    with opened() as browser:
        tab = browser.open(tmp_path / "index.html")
        assert "needs a server" in tab.inner_text("[role=status]") and tab.locator(".plane").count() >= 2
        assert browser.said == []


@pytest.mark.slow
@pytest.mark.parametrize("width, dark", [(1280, False), (390, True)])
def test_axe_finds_nothing(tmp_path, width, dark):
    script = axe()
    write_playground(tmp_path)
    with opened(width, 844, dark) as browser:
        tab = browser.open(tmp_path / "index.html")
        tab.evaluate("parts.report.parentElement.hidden = false; parts.report.textContent = 'x'.repeat(300)")
        assert violations(tab, script) == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.slow
def test_the_library_itself_trains_and_checks_in_the_browser(tmp_path):
    runtime = os.environ.get("PLAYGROUND_RUNTIME", "")
    if not os.path.isdir(runtime):
        pytest.skip("the playground is tested with a runtime: PLAYGROUND_RUNTIME=its folder")
    native = replay_page(xor_net(3), X, np.eye(2)[y]).data["runs"][0]
    write_playground(tmp_path)
    with served(tmp_path, runtime) as address, opened() as browser:
        tab = browser.tab
        tab.goto(address)
        tab.get_by_role("button", name="Start Python").click()
        tab.get_by_text("Python is ready").wait_for(timeout=180_000)
        tab.get_by_role("button", name="Train", exact=True).click()
        tab.get_by_text("Trained by lib").wait_for(timeout=120_000)
        run = tab.evaluate("data.runs[0]")
        np.testing.assert_allclose(run["losses"], native["losses"], rtol=2e-5)
        np.testing.assert_allclose(run["weights"][-1], native["weights"][-1], rtol=2e-5)
        for backward, words in (("grad * self.input_cache", "0.5 for every entry"),
                                ("print('here') or 2 * grad * self.input_cache", "The code has printed: here"),
                                ("2 * grad * self.input_cache", "says: ok"), ("grad *", "couldn't be checked"),
                                ("__import__('os')._exit(3)", "Python has ended. Start it again.")):
            tab.get_by_label("Code").fill(CODE.format(backward=backward))
            tab.get_by_role("button", name="Check it").click()
            tab.get_by_text(words).first.wait_for(timeout=120_000)
        tab.get_by_role("button", name="Start Python").click()
        tab.get_by_text("Python is ready").wait_for(timeout=180_000)
        tab.get_by_label("Data").fill("1 2 0\n2 1 <img src=x>\n")
        tab.get_by_role("button", name="Train", exact=True).click()
        tab.get_by_text("Line 2 of the data").wait_for(timeout=120_000)
        tab.get_by_label("Code").fill("while True:\n    pass")
        tab.get_by_role("button", name="Check it").click()
        tab.get_by_role("button", name="Stop Python").click()
        assert "was stopped" in tab.inner_text("[role=status]")
        assert tab.locator("img").count() == 0 and browser.said == []
        assert all(request.startswith((address, "data:")) for request in browser.requests)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
