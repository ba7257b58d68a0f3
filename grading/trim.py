"""Cutting a file down to what students get: placeholders in the gaps, and nothing that tells what belongs there."""
from __future__ import annotations

import ast
import re
import textwrap
from typing import Dict, Iterable, List, Sequence, Set, Tuple

from grading.gaps import fill
from grading.sheet import Sheet

COLUMNS = 120  # the longest line of a release

DERIVATIVE = re.compile(r"\bd[A-Z]?\w*(\([^)]*\))?/d[\w(]|\bbackward\b.*\bgradient|=\s*.*\bgrad\b")
CUT = Tuple[int, int]  # lines, from the first to before the last, counted from 0


def trimmed(path: str, text: str, sheet: Sheet, released: Iterable[str]) -> str:
    """Return a file's text as it is released.

    Args:
        path: the file, such as "lib/network.py".
        text: what it holds with the reference.
        sheet: its sheet.json says which gaps there are, what is kept of a file, and which tables lose rows.
        released: the classes that are released; the tables keep the rows of those alone that have no gap.
    """
    rules = sheet.get("release", {})
    if path in rules.get("without_notes", ()):
        text = without_notes(text)
    if path in rules.get("keep", {}):
        text = keep_only(text, rules["keep"][path])  # before the gaps are emptied: their imports stay
    gaps = [task.gap for task in sheet.gap_tasks if task.gap and task.gap.file == path]
    for gap in gaps:
        text = fill(text, gap.name, sheet.get("placeholder"))
    owners = {gap.owner for gap in gaps}
    if owners:
        text = without_derivatives(text, owners)
    if path in rules.get("without_formulas", ()):
        text = without_last_argument(text, rules["without_formulas"][path])
    if path in rules.get("tables", {}):
        hidden = {task.gap.owner for task in sheet.gap_tasks if task.gap}
        text = without_rows(text, rules["tables"][path], set(released) - hidden)
    return text


def cut(text: str, ranges: Sequence[CUT]) -> str:
    """Return the text without some of its lines."""
    lines = text.split("\n")
    for first, last in sorted(ranges, reverse=True):
        del lines[first:last]
    return "\n".join(lines)


def _start(node: ast.stmt) -> int:
    return min([node.lineno] + [decorator.lineno for decorator in getattr(node, "decorator_list", ())]) - 1


def _end(node: ast.stmt, lines: Sequence[str]) -> int:
    """Return the line after a statement and the comments in its last block, such as the marker at a gap's end."""
    end = node.end_lineno or 0
    while end < len(lines) and re.match(r"[ \t]+#", lines[end]):
        end += 1
    return end


def keep_only(text: str, names: Sequence[str]) -> str:
    """Return the text with only these functions and classes at its top, and without the imports that nothing needs."""
    tree = ast.parse(text)
    definitions = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    gone = {node.name for node in definitions} - set(names)
    ranges = [(_start(node), _end(node, text.split("\n"))) for node in tree.body if (
        node.name in gone if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else gone & names_used(node))]
    text = cut(text, ranges)
    words = ast.get_docstring(tree) or ""
    if gone & set(re.findall(r"\w+", words)):  # its examples are of what is cut
        text = text.replace(ast.get_source_segment(text, tree.body[0]) or "", '"""' + words.split("\n\n")[0] + '"""', 1)
    text = re.sub(r"(^# %%\n+)+(?=# %%|\Z)", "", text, flags=re.MULTILINE)  # cells, and headings, that are empty now
    text = re.sub(r"^# -{20,}[^\n]*\s*\Z", "", text, flags=re.MULTILINE)
    return re.sub(r"\n{4,}", "\n\n\n", without_unused_imports(text)).rstrip("\n") + "\n"


def names_used(node: ast.AST) -> Set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def without_notes(text: str) -> str:
    """Return a program's text without its cells of prose, which derive what belongs into the gaps; the title stays."""
    first, *others = re.split(r"^# %% \[markdown\]\n", text, flags=re.MULTILINE)[1:]
    title, rest = first.split("\n", 1)
    cells = [part[part.find("# %%"):].rstrip("\n") for part in [rest] + others]
    return f"# %% [markdown]\n{title}\n\n" + "\n\n\n".join(cells) + "\n"


def without_unused_imports(text: str) -> str:
    """Return the text without the names at its top that are imported and never used."""
    tree = ast.parse(text)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    used |= {word for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
             and id(node) not in docstrings for word in re.findall(r"\w+", node.value) if f'"{node.value}"' in text}
    lines = text.split("\n")
    for node in reversed(tree.body):
        if not isinstance(node, (ast.Import, ast.ImportFrom)) or getattr(node, "module", "") == "__future__":
            continue
        kept = [alias for alias in node.names if (alias.asname or alias.name.split(".")[0]) in used]
        if len(kept) == len(node.names):
            continue
        words = ", ".join(alias.name + (f" as {alias.asname}" if alias.asname else "") for alias in kept)
        start = f"from {node.module} import " if isinstance(node, ast.ImportFrom) else "import "
        if len(start + words) > COLUMNS:
            words = "(" + textwrap.fill(words + ")", COLUMNS - len(start) - 1).replace("\n", "\n " + " " * len(start))
        lines[node.lineno - 1:node.end_lineno] = [start + words] if kept else []
    return "\n".join(lines)


def without_derivatives(text: str, owners: Set[str]) -> str:
    """Return the text with the sentences on derivatives taken out of the docstrings of the classes with gaps."""
    lines = text.split("\n")
    for node in reversed(ast.parse(text).body):
        if not isinstance(node, (ast.ClassDef, ast.FunctionDef)) or node.name not in owners:
            continue
        first = node.body[0]
        if isinstance(node, ast.ClassDef) and isinstance(first, ast.Expr) and isinstance(
                first.value, ast.Constant) and isinstance(first.value.value, str):
            indent = lines[first.lineno - 1][:first.col_offset]
            kept = _without_derivatives(first.value.value)
            lines[first.lineno - 1:first.end_lineno] = (indent + '"""' + kept + '"""').split("\n")
    return "\n".join(line.rstrip() for line in lines)


def _without_derivatives(docstring: str) -> str:
    paragraphs = []
    for paragraph in re.split(r"\n[ \t]*\n", docstring):
        parts = re.split(r"(?<=[.:;])(\s+)", paragraph)
        kept = ""
        for sentence, space in zip(parts[::2], parts[1::2] + [""]):
            if not DERIVATIVE.search(sentence):
                kept += sentence + space
        kept = kept.rstrip(" \n") if kept.strip() else ""
        kept = re.sub(r"[;:]$", ".", kept) if not paragraph.rstrip().endswith((":", ";")) else kept
        if kept:
            paragraphs.append(kept)
    ending = "\n    " if "\n" in docstring and len(paragraphs) > 1 else ""
    return "\n\n".join(paragraphs) + ending


def without_last_argument(text: str, function: str) -> str:
    """Return the text in which every call of a function has an empty text as its last argument: the formulas."""
    lines = text.split("\n")
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)
             and getattr(node.func, "id", "") == function and node.args]
    for call in sorted(calls, key=lambda node: node.lineno, reverse=True):
        last = call.args[-1]
        first_line, end_line = last.lineno - 1, (last.end_lineno or 1) - 1
        head, tail = lines[first_line][:last.col_offset], lines[end_line][last.end_col_offset:]
        lines[first_line:end_line + 1] = [head + '""' + tail]
    return "\n".join(lines)


def without_rows(text: str, tables: Sequence[str], keep: Set[str]) -> str:
    """Return the text in which dictionaries, by name, have only the rows of these keys."""
    ranges: List[CUT] = []
    for node in ast.parse(text).body:
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0] if isinstance(
            node, ast.Assign) else None
        name = getattr(target, "id", None) or getattr(getattr(target, "value", None), "id", None)
        if name not in tables or not isinstance(node, (ast.Assign, ast.AnnAssign)):
            continue
        if isinstance(target, ast.Subscript):  # GRADIENTS["LayerNorm"] = GRADIENTS["BatchNorm"]
            key = getattr(target.slice, "value", None)
            key = getattr(key, "value", key)
            if key not in keep:
                ranges.append((node.lineno - 1, node.end_lineno or 0))
        elif isinstance(node.value, ast.Dict):
            for key_node, value in zip(node.value.keys, node.value.values):
                if getattr(key_node, "value", None) not in keep and key_node is not None:
                    ranges.append((key_node.lineno - 1, value.end_lineno or 0))
    return cut(text, ranges)


def names_defined(texts: Dict[str, str]) -> Set[str]:
    """Return the classes that files define."""
    return {node.name for text in texts.values() for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}
