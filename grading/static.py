"""What a submission's text tells: style, comments, loops, imports, new syntax, changes outside of the gaps.

Foreign text can exhaust or crash a parser, so this runs as a program of its own, with limits: `look` starts it.
"""
from __future__ import annotations

import ast
import difflib
import json
import subprocess
import sys
from typing import Any, Dict, Iterator, List, Optional, Tuple

from grading.gaps import find_gaps, gap_text, outside
from grading.sheet import ROOT

MOST_FILES, MOST_LENGTH, SECONDS = 200, 300000, 20  # of processor time; ten times that on the clock
GENERICS = {"list", "dict", "tuple", "set", "frozenset", "type"}


def look(files: Dict[str, str], gaps: Dict[str, List[str]], bases: Dict[str, str], packages: List[str],
         line_length: int) -> Optional[Dict[str, Any]]:
    """Return the facts about a submission's Python files; None where looking at them hit a limit.

    Args:
        files: texts by path; those that are as they were handed out are not looked at.
        gaps: the names of the gaps in each file that has some.
        bases: the texts that were handed out, by path.
        packages: the libraries that may be imported besides Python's own.
        line_length: the most columns of a line.
    """
    changed = sorted((path, text) for path, text in files.items() if path in gaps or bases.get(path) != text)
    chosen = {path: text[:MOST_LENGTH] for path, text in changed[:MOST_FILES]}
    bases = {path: text for path, text in bases.items() if path in chosen}
    question = json.dumps({"files": chosen, "gaps": gaps, "bases": bases, "packages": packages, "columns": line_length})
    try:
        done = subprocess.run([sys.executable, "-m", "grading.static"], input=question.encode("utf-8", "replace"),
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=10 * SECONDS, cwd=str(ROOT))
        return json.loads(done.stdout.decode("utf-8")) if done.returncode == 0 else None
    except (subprocess.SubprocessError, ValueError, OSError):
        return None


# ---------------------------------------------------------------------- in the program of its own

def facts(question: Dict[str, Any]) -> Dict[str, Any]:
    """Return all facts, as JSON takes them."""
    found: Dict[str, Any] = {"style": [], "imports": [], "newer": [], "changed": [], "gaps": {}, "broken": []}
    packages = set(question["packages"]) | {"lib", "tests", "exercises"}
    local = {path.split("/")[0].split(".")[0] for path in question["files"]}
    for path, text in question["files"].items():
        found["style"] += [[path] + entry for entry in style(path, text, question["columns"])]
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            found["broken"].append([path, getattr(error, "lineno", 0) or 0, str(getattr(error, "msg", error))[:200]])
            tree = None
        if tree is not None:
            found["imports"] += [[path, line, name] for line, name in imports(tree)
                                 if not (name in packages or name in local or is_standard(name))]
            found["newer"] += [[path, line, what] for line, what in newer_than_3_8(tree, text)]
        base = question["bases"].get(path)
        if base is not None:
            found["changed"] += [[path] + entry for entry in changes(base, text)]
        for name in question["gaps"].get(path, ()):
            found["gaps"][f"{path}:{name}"] = about_gap(text, name, tree)
    return found


def style(path: str, text: str, columns: int) -> List[List[Any]]:
    """Return [line, code, words] of what pycodestyle finds."""
    import pycodestyle

    class Report(pycodestyle.BaseReport):
        """Keeps what is found."""

        def __init__(self, options: Any) -> None:
            super().__init__(options)
            self.found: List[List[Any]] = []

        def error(self, line_number: int, offset: int, text: str, check: Any) -> Any:
            code = super().error(line_number, offset, text, check)
            if code:
                self.found.append([line_number, code, text[5:120]])
            return code

    guide = pycodestyle.StyleGuide(max_line_length=columns, reporter=Report, paths=[], config_file=None, quiet=2)
    checker = pycodestyle.Checker(path, lines=text.splitlines(True), options=guide.options)
    try:
        checker.check_all()
    except RecursionError:
        return [[1, "E999", "too deeply nested"]]
    return checker.report.found


def imports(tree: ast.AST) -> Iterator[Tuple[int, str]]:
    """Yield (line, name of the top package) of every import, also by __import__ and importlib with a name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.split(".")[0]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant) and \
                isinstance(node.args[0].value, str) and ast.dump(node.func).count("import") and \
                node.args[0].value.split(".")[0].isidentifier():
            yield node.lineno, node.args[0].value.split(".")[0]


def is_standard(name: str) -> bool:
    """Return whether a module is one of Python's own."""
    known = getattr(sys, "stdlib_module_names", None)
    if known is not None:
        return name in known
    import importlib.util
    import sysconfig
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    origin = getattr(spec, "origin", None) or ""
    return name in sys.builtin_module_names or origin in ("built-in", "frozen") or (
        origin.startswith(sysconfig.get_path("stdlib")) and "site-packages" not in origin)


def newer_than_3_8(tree: ast.Module, text: str) -> Iterator[Tuple[int, str]]:
    """Yield (line, what) of syntax and calls that Python 3.8 doesn't have."""
    try:
        ast.parse(text, feature_version=(3, 8))
    except SyntaxError as error:
        yield error.lineno or 0, str(error.msg)[:100]
    lazy = any(isinstance(node, ast.ImportFrom) and node.module == "__future__" and any(
        alias.name == "annotations" for alias in node.names) for node in tree.body)
    for node in ast.walk(tree):
        if type(node).__name__ in ("Match", "TryStar"):
            yield getattr(node, "lineno", 0), type(node).__name__.lower()
        for annotation in () if lazy else types_in(node):
            for part in ast.walk(annotation):
                if isinstance(part, ast.BinOp) and isinstance(part.op, ast.BitOr):
                    yield part.lineno, "X | Y in a type"
                if isinstance(part, ast.Subscript) and getattr(part.value, "id", "") in GENERICS:
                    yield part.lineno, f"{getattr(part.value, 'id', '')}[...] in a type"
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "zip" and any(
                keyword.arg == "strict" for keyword in node.keywords):
            yield node.lineno, "zip(strict=...)"
        if isinstance(node, ast.Attribute) and node.attr in ("removeprefix", "removesuffix"):
            yield node.lineno, node.attr


def types_in(node: ast.AST) -> List[ast.AST]:
    """Return the annotations that a node holds."""
    found = [getattr(node, "annotation", None), getattr(node, "returns", None)]
    return [annotation for annotation in found if annotation is not None]


def changes(base: str, text: str) -> List[List[Any]]:
    """Return [removed, added, a line] if the text differs from the base outside of the gaps; [] where it doesn't."""
    before, after = outside(base).split("\n"), outside(text).split("\n")
    if before == after:
        return []
    difference = [line for line in difflib.unified_diff(before, after, lineterm="", n=0)
                  if line[:1] in "+-" and line[:3] not in ("+++", "---") and line[1:].strip()]
    if not difference:
        return []
    removed = sum(line.startswith("-") for line in difference)
    return [[removed, len(difference) - removed, difference[0][:100]]]


def about_gap(text: str, name: str, tree: Optional[ast.AST]) -> Dict[str, Any]:
    """Return whether a gap is filled, has a comment, and where it loops."""
    content = gap_text(text, name)
    if content is None:
        return {"marked": False, "filled": is_written(tree, name), "comment": True, "loops": []}
    lines = [line.strip() for line in content.split("\n") if line.strip()]
    code = [line for line in lines if not line.startswith("#")]
    filled = any(line not in ("pass", "...") and not line.startswith("raise NotImplementedError") for line in code)
    span = find_gaps(text)[name]
    loops = [node.lineno for node in ast.walk(tree) if isinstance(node, (ast.For, ast.While, ast.comprehension))
             and hasattr(node, "lineno") and span.first < node.lineno <= span.last] if tree is not None else []
    comment = any("#" in line for line in lines) or '"""' in content or "'''" in content
    return {"marked": True, "filled": filled, "comment": comment, "loops": loops}


def is_written(tree: Optional[ast.AST], name: str) -> bool:
    """Return whether a function or method, such as "Linear.backward", holds more than a placeholder."""
    node: Any = tree
    for part in name.split("."):
        node = next((inner for inner in getattr(node, "body", ()) if getattr(inner, "name", "") == part), None)
    body = [ast.dump(statement) for statement in getattr(node, "body", ())]
    empty = [ast.dump(ast.parse(text).body[0]) for text in ("pass", "...", "raise NotImplementedError")]
    return any(text not in empty and not text.startswith(("Expr(value=Constant(", "Expr(value=Str(")) for text in body)


def main() -> None:
    try:
        import resource
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    except (ImportError, ValueError, OSError):
        pass
    json.dump(facts(json.loads(sys.stdin.buffer.read().decode("utf-8", "replace"))), sys.stdout)


if __name__ == "__main__":
    main()
