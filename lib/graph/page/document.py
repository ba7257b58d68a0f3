"""A page as one HTML document: data, styles and scripts inside, nothing loaded, no text that could become markup."""
from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any, Dict, Sequence, Union

from lib.saving.files import write_atomically
from lib.validation import InputError

FOLDER = Path(__file__).parent
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


class Page:
    """An interactive page: it shows itself in a notebook, and `save(path)` writes it.

    Attributes:
        data: all that it shows; "title" is its title.
        scripts: its scripts, files of this folder, in their order.
    """

    def __init__(self, data: Dict[str, Any], scripts: Sequence[str]) -> None:
        self.data, self.scripts = data, scripts

    def html(self, policy: str = POLICY, head: str = "") -> str:
        """Return the page as HTML, with its content policy, and with what else stands in its head."""
        title = html.escape(self.data["title"])
        stored = json.dumps(self.data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        stored = stored.replace("<", "\\u003c")
        style = (FOLDER / "page.css").read_text(encoding="utf-8")
        script = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in self.scripts)
        return (f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
                f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
                f'<meta name="viewport" content="width=device-width, initial-scale=1">\n{head}<style>\n{style}'
                f'</style>\n'
                f'</head>\n<body>\n<main id="page"></main>\n<script type="application/json" id="data">{stored}</script>'
                f"\n<script>\n{script}</script>\n</body>\n</html>\n")

    def save(self, path: Union[str, Path]) -> Path:
        """Write the page to a file, and return its path."""
        path = Path(path).expanduser()
        if path.is_dir():
            raise InputError(f"{str(path)!r} is a folder. Give the page a file name, such as page.html.")
        return write_atomically(path, lambda file: file.write(self.html().encode("utf-8")))

    def _repr_html_(self) -> str:
        """Return the page in a frame of its own, offline, and apart from the notebook's style."""
        return (f'<iframe srcdoc="{html.escape(self.html())}" title="{html.escape(self.data["title"])}" width="100%" '
                'height="760" style="border: 1px solid #8b97a3"></iframe>')

    def __repr__(self) -> str:
        return f"Page({self.data['title']!r}); save('page.html') to open it"
