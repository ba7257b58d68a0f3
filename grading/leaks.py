"""Finding a solution in a text, however it is disguised: in code, comments, strings, other names, another layout.

A solution is a list of statements. Two searches look for each of them: in the text, as a row of tokens in which names,
brackets, quotes and white space don't matter; and in code, as a statement whose syntax tree is the same but for names
and for the order of the operands of + and *.
"""
from __future__ import annotations

import ast
import copy
import html
import re
from typing import Dict, Iterator, List, NamedTuple, Set, Tuple

from grading.gaps import gap_text
from grading.sheet import Sheet

TOKEN = re.compile(r"[A-Za-z_]\w*|\d+\.?\d*|\*\*|//|[-+*/@<>=!]=|<=|>=|[-+*/@%<>=\[\]:.,]")
OF_NUMPY = {"zeros_like", "zeros", "full", "full_like", "where", "heaviside", "multiply", "greater", "einsum",
            "matmul", "transpose", "subtract", "divide", "array", "exp", "maximum", "outer", "dot", "sum", "shape"}
NAMES = OF_NUMPY | {"Linear", "Sequential", "Sigmoid", "ReLU", "Softmax", "reversed", "range", "len", "float", "random",
                    "for", "in", "not", "and", "or", "if", "else", "lambda"}  # names that mean the same everywhere
ATTRIBUTES = NAMES | {"W", "b", "grad", "data", "T", "backward", "forward", "modules", "parameters", "copy", "astype",
                      "check_gradients", "add", "reduce", "uniform", "randn"}
FEWEST = 5  # a statement with fewer tokens is too common to be told
MARGIN = re.compile(r"^[ \t]*(?:>>>|\.\.\.|[>+|])[ \t]?", re.MULTILINE)  # of examples, mail, patches and tables
COMPILED = (".pyc", ".pyo", ".so", ".pyd")
COMMON = {"v", "=", ",", "+", "-", "."}  # a statement of nothing but these is, too


class Leak(NamedTuple):
    """A solution that was found."""

    task: str
    path: str
    found: str


def plain(text: str) -> str:
    """Return a text as code is written: without the escapes of JSON, HTML, Markdown and LaTeX, and its signs."""
    text = re.sub(r"\\u00([0-9a-f]{2})", lambda found: chr(int(found.group(1), 16)), html.unescape(text))
    text = re.sub(r"</?(?:br|p|pre|code|td|tr|li|div|span)\b[^<>]*>", " ", text)
    for sign, pattern in (("*", r"\\(?:cdot|times)(?![A-Za-z])|[×·⋅]"), ("-", "−"), (r"\1", r"\\([*_])")):
        text = re.sub(pattern, sign, text)
    return text


def tokens(text: str) -> str:
    """Return a text's tokens, one space between each: names are v, brackets and quotes are left out."""
    text = plain(text).replace("\\n", " ").replace("\\t", " ").replace("\\\n", " ")
    text = re.sub(r"([\"'])\s*[,+]\s*\1", " ", text)  # between the parts of a text, or the lines of a list
    found: List[str] = []
    for token in TOKEN.findall(re.sub(r"[\"'()#`|]", " ", text)):
        if token == "return":
            continue
        if not (token[0].isalpha() or token[0] == "_"):
            found.append(token)
        elif found and found[-1] == ".":
            found.pop()
            if token not in ATTRIBUTES:
                continue  # self.input_cache, or self.x: a value as v is
            if found and found[-1] == "v" and token in OF_NUMPY - {"sum", "dot", "shape"}:
                found.pop()  # np.where, numpy.where, or from numpy import where
            found.append(token)
        else:
            found.append(token if token in NAMES else "v")
    return " ".join(found)


def can_be_told(row: str) -> bool:
    """Return whether a statement, as tokens, can be told from other code."""
    parts = row.split()
    return len(parts) >= FEWEST and not set(parts) <= COMMON


def is_telling(statement: ast.stmt) -> bool:
    """Return whether a statement tells more than that a value is passed on: it loops, or computes."""
    if isinstance(statement, (ast.For, ast.While)):
        return True
    return isinstance(statement, ast.AugAssign) or any(
        isinstance(node, (ast.BinOp, ast.Compare)) or isinstance(node, ast.Call) and any(
            isinstance(inner, (ast.Call, ast.BinOp)) for argument in node.args for inner in ast.walk(argument))
        for node in ast.walk(statement))


def telling(source: str) -> List[ast.stmt]:
    """Return the statements of a solution, the body of a function, that give it away."""
    function = ast.parse(source).body[0]
    return [statement for statement in getattr(function, "body", ()) if is_telling(statement)]


def _as_body(solution: str) -> str:
    return "def gap():\n" + "\n".join("    " + line for line in solution.split("\n"))


TURNED = {ast.Gt: "<", ast.GtE: "<=", ast.Lt: ">", ast.LtE: ">="}


def variants(statement: ast.stmt, source: str) -> Iterator[str]:
    """Yield a statement's text, with its operands in the other order, and with += written out."""
    own = ast.get_source_segment(source, statement) or ""
    yield own
    for node in ast.walk(statement):
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Add)):
            whole, left, right = (ast.get_source_segment(source, part) or "" for part in (node, node.left, node.right))
            sign = "*" if isinstance(node.op, ast.Mult) else "+"
            yield own.replace(whole, f"{right} {sign} {left}")
        if isinstance(node, ast.Compare) and type(node.ops[0]) in TURNED:
            whole, left, right = (ast.get_source_segment(source, part) or "" for part in (
                node, node.left, node.comparators[0]))
            yield own.replace(whole, f"{right} {TURNED[type(node.ops[0])]} {left}")
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, (ast.Add, ast.Sub)):
        target, value = (ast.get_source_segment(source, part) for part in (statement.target, statement.value))
        sign = "+" if isinstance(statement.op, ast.Add) else "-"
        yield f"{target} = {target} {sign} {value}"
        if sign == "+":
            yield f"{target} = {value} + {target}"


class Shape(ast.NodeTransformer):
    """Makes syntax trees comparable: names go, operands of + and * are sorted, and x += y is x = x + y."""

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(id="v", ctx=ast.Load())

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(arg="v", annotation=None)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        value = self.visit(node.value)
        if isinstance(value, ast.Name) and node.attr not in ATTRIBUTES:
            return value
        if isinstance(node.value, ast.Name) and node.value.id in ("np", "numpy"):
            return ast.Name(id=node.attr, ctx=ast.Load())
        return ast.Attribute(value=value, attr=node.attr, ctx=ast.Load())

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        left, right = self.visit(node.left), self.visit(node.right)
        if isinstance(node.op, (ast.Mult, ast.Add)):
            left, right = sorted((left, right), key=ast.dump)
        return ast.BinOp(left=left, op=node.op, right=right)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        left, right, operator = self.visit(node.left), self.visit(node.comparators[0]), node.ops[0]
        if isinstance(operator, (ast.Lt, ast.LtE)) and len(node.ops) == 1:
            left, right, operator = right, left, ast.Gt() if isinstance(operator, ast.Lt) else ast.GtE()
        return ast.Compare(left=left, ops=[operator] + node.ops[1:], comparators=[right] + node.comparators[1:])

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        target = self.visit(node.target)
        return ast.Assign(targets=[target], value=self.visit(ast.BinOp(left=node.target, op=node.op, right=node.value)))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        return ast.Assign(targets=[self.visit(node.target)], value=self.visit(node.value or ast.Constant(None)))

    def visit_Return(self, node: ast.Return) -> ast.AST:
        return ast.Expr(value=self.visit(node.value or ast.Constant(None)))


def shape(statement: ast.AST) -> str:
    """Return what two statements share that are the same but for names and order; a value is one however it is kept."""
    node = Shape().visit(copy.deepcopy(statement))
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        node = ast.Expr(value=node.value)
    return ast.dump(node)


class Inlined(ast.NodeTransformer):
    """Puts the value of a name that is used once, by the next statement, where it is used."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        for first, second in reversed(list(zip(body, body[1:]))) if isinstance(body, list) else ():
            if isinstance(first, ast.Assign) and isinstance(first.targets[0], ast.Name):
                name = first.targets[0].id
                uses = [inner for inner in ast.walk(second) if isinstance(inner, ast.Name) and inner.id == name]
                if len(uses) == 1 and isinstance(uses[0].ctx, ast.Load):
                    _replace(second, uses[0], first.value)
                    body.remove(first)
        return node


def _replace(node: ast.AST, old: ast.AST, new: ast.AST) -> None:
    """Put another expression in place of one below a node."""
    for parent in ast.walk(node):
        for field, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, field, new)
            elif isinstance(value, list):
                setattr(parent, field, [new if part is old else part for part in value])


class Search:
    """The solutions of a sheet, ready to be looked for."""

    def __init__(self, sheet: Sheet, reference: Dict[str, str]) -> None:
        self.given = [(entry["task"], entry["file"]) for entry in sheet.get("given", ())]
        self.rows: List[Tuple[str, str]] = []  # (task, tokens)
        self.shapes: Dict[str, str] = {}  # by shape, the task
        self.too_short: List[Tuple[str, str]] = []  # (task, solution) that can't be told from other code
        for task in sheet.gap_tasks:
            for solution in list(task.solutions) + [reference[task.number]]:
                source = _as_body(solution)
                statements = [statement for statement in telling(source)
                              if can_be_told(tokens(ast.get_source_segment(source, statement) or ""))]
                if not statements and (task.number, solution) not in self.too_short:
                    self.too_short.append((task.number, solution))
                for statement in statements:
                    self.shapes.setdefault(shape(statement), task.number)
                    self.rows += [(task.number, row) for row in map(tokens, variants(statement, source))
                                  if can_be_told(row)]
        self.rows = sorted(set(self.rows))

    def is_given(self, task: str, path: str) -> bool:
        """Return whether a file, or a folder such as "lib/", may hold what looks like a task's solution."""
        return any(number in (task, "all") and (path == file or file.endswith("/") and path.startswith(file))
                   for number, file in self.given)

    def look(self, path: str, text: str) -> List[Leak]:
        """Return the solutions that a file's text holds."""
        found: Set[Leak] = set()
        for whole in {f" {tokens(text)} ", f" {tokens(MARGIN.sub('', text))} "}:
            for task, row in self.rows:
                if not self.is_given(task, path) and any(
                        whole[:place].rstrip()[-1:] not in tuple("+-*/@%")  # or it is part of another product
                        for place in _places(whole, f" {row} ")):
                    found.add(Leak(task, path, row))
        for tree in (ast.parse(text), Inlined().visit(ast.parse(text))) if path.endswith(".py") else ():
            for node in ast.walk(tree):
                if isinstance(node, ast.stmt) and not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    task_number = self.shapes.get(shape(node)) if _is_small(node) else None
                    if task_number and not self.is_given(task_number, path):
                        found.add(Leak(task_number, path, (ast.get_source_segment(text, node) or "")[:100]))
        return sorted(found)


def _places(whole: str, part: str) -> Iterator[int]:
    place = whole.find(part)
    while place >= 0:
        yield place
        place = whole.find(part, place + 1)


def _is_small(node: ast.stmt) -> bool:
    return (node.end_lineno or 0) - node.lineno <= 6


def search(files: Dict[str, bytes], sheet: Sheet, reference: Dict[str, str]) -> List[Leak]:
    """Return every solution in released files, and every compiled file: in that, it can't be told."""
    looking = Search(sheet, reference)
    found = [Leak("all", path, "compiled code") for path in sorted(files) if path.endswith(COMPILED)]
    for path, content in sorted(files.items()):
        text = _printable(content) if path.endswith(".pyc") else content.decode("utf-8", "replace")
        found += looking.look(path, text)
    return found


def _printable(content: bytes) -> str:
    return " ".join(part.decode("ascii") for part in re.findall(rb"[ -~]{4,}", content))


def reference_solutions(sheet: Sheet, texts: Dict[str, str]) -> Dict[str, str]:
    """Return what the reference has in each gap, without comments, by the task's number."""
    found = {}
    for task in sheet.gap_tasks:
        assert task.gap is not None
        lines = (gap_text(texts[task.gap.file], task.gap.name) or "pass").split("\n")
        code = [re.sub(r"\s+#.*$", "", line) for line in lines if not line.lstrip().startswith("#")]
        found[task.number] = "\n".join(code)
    return found
