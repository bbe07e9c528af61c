"""Small changes to a source that another programmer could have made by mistake, place by place."""

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Edit:
    """Replace the characters from `start` to `end`. `family` is what the sample is spread over."""

    family: str
    kind: str
    start: int
    end: int
    text: str


_COMPARE: dict[type[ast.cmpop], tuple[str, dict[str, str]]] = {
    ast.Lt: ("<", {"lt-to-le": "<=", "lt-to-ge": ">="}),
    ast.LtE: ("<=", {"le-to-lt": "<", "le-to-gt": ">"}),
    ast.Gt: (">", {"gt-to-ge": ">=", "gt-to-le": "<="}),
    ast.GtE: (">=", {"ge-to-gt": ">", "ge-to-lt": "<"}),
    ast.Eq: ("==", {"eq-to-ne": "!="}),
    ast.NotEq: ("!=", {"ne-to-eq": "=="}),
    ast.In: ("in", {"in-to-not-in": "not in"}),
    ast.NotIn: ("not in", {"not-in-to-in": "in"}),
    ast.Is: ("is", {"is-to-is-not": "is not"}),
    ast.IsNot: ("is not", {"is-not-to-is": "is"}),
}
_ARITHMETIC: dict[type[ast.operator], tuple[str, str, str]] = {
    ast.Add: ("add-to-sub", "+", "-"),
    ast.Sub: ("sub-to-add", "-", "+"),
    ast.Mult: ("mul-to-div", "*", "/"),
    ast.Div: ("div-to-mul", "/", "*"),
    ast.FloorDiv: ("floordiv-to-div", "//", "/"),
    ast.Mod: ("mod-to-floordiv", "%", "//"),
    ast.Pow: ("pow-to-mul", "**", "*"),
    ast.BitAnd: ("and-to-or", "&", "|"),
    ast.BitOr: ("or-to-and", "|", "&"),
    ast.LShift: ("left-to-right", "<<", ">>"),
    ast.RShift: ("right-to-left", ">>", "<<"),
}
_UNARY: dict[type[ast.unaryop], tuple[str, str]] = {
    ast.Not: ("drop-not", "not"),
    ast.Invert: ("drop-invert", "~"),
    ast.USub: ("drop-minus", "-"),
}
_PAIRS = (
    ("min", "max"), ("minimum", "maximum"), ("argmin", "argmax"), ("idxmin", "idxmax"), ("any", "all"),
    ("ceil", "floor"), ("head", "tail"), ("isna", "notna"), ("union", "intersection"), ("startswith", "endswith"),
)  # fmt: skip
_SWAP = {old: new for pair in _PAIRS for old, new in (pair, pair[::-1])}
_METHOD_SWAP = _SWAP | {"sum": "mean", "mean": "median"}
_FUNCTIONS = frozenset({"abs", "round", "float", "int", "bool", "str", "list", "dict", "set", "tuple", "reversed"})
_MATHS = frozenset({"abs", "sqrt", "exp", "log", "asarray", "array"})
_METHODS = frozenset({
    "abs", "astype", "clip", "copy", "drop_duplicates", "dropna", "fillna", "lower", "reset_index", "round",
    "sort_index", "sort_values", "strip", "to_numpy", "tolist", "upper",
})  # fmt: skip
_ATOMS = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant, ast.List, ast.Dict, ast.Set, ast.ListComp,
          ast.DictComp, ast.SetComp, ast.GeneratorExp)  # fmt: skip
_SIMPLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete, ast.Raise, ast.Assert)

_BLANK = (tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)

_Node: TypeAlias = (
    ast.expr | ast.stmt | ast.keyword | ast.arg | ast.excepthandler  # what has a place in the text
)


class SourceText:
    """A source with its tokens, and the places of syntax nodes in it as offsets of characters."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tree = ast.parse(source)
        self._lines = source.split("\n")
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._tokens = [
            (self._starts[token.start[0] - 1] + token.start[1], token.string)
            for token in tokenize.generate_tokens(io.StringIO(source).readline)
            if token.type not in _BLANK
        ]

    def _offset(self, line: int, column: int) -> int:
        before = self._lines[line - 1].encode()[:column].decode()  # the tree counts bytes
        return self._starts[line - 1] + len(before)

    def start(self, node: _Node) -> int:
        """Return where a node begins."""
        return self._offset(node.lineno, node.col_offset)

    def end(self, node: _Node) -> int:
        """Return the place after a node."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._offset(node.end_lineno, node.end_col_offset)

    def of(self, node: _Node) -> str:
        """Return the text of a node."""
        return self.source[self.start(node) : self.end(node)]

    def safe(self, node: ast.expr) -> str:
        """Return an expression such that it can stand anywhere in a line."""
        text = self.of(node)
        return text if isinstance(node, _ATOMS) and "\n" not in text else f"({text})"

    def between(self, left: int, right: int, operator: str) -> tuple[int, int]:
        """Return the place of an operator of one or two words between two operands."""
        words = operator.split()
        found = [(at, word) for at, word in self._tokens if left <= at < right and word in words]
        return found[0][0], found[-1][0] + len(found[-1][1])

    def before(self, place: int, word: str) -> int:
        """Return where the last `word` before a place begins."""
        return max(at for at, found in self._tokens if found == word and at < place)

    def after(self, place: int) -> int:
        """Return where the first token at or after a place begins."""
        return min(at for at, _ in self._tokens if at >= place)

    def lines(self, start: int, end: int) -> tuple[int, int]:
        """Return the first and the last line, from 0, of what lies between two places."""
        return self.source.count("\n", 0, start), self.source.count("\n", 0, max(start, end))

    def replace(self, node: _Node, family: str, kind: str, text: str) -> Edit:
        """Return the edit that puts a text in place of a node."""
        return Edit(family, kind, self.start(node), self.end(node), text)


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that may be changed, in the order of the text."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns") or isinstance(node, ast.JoinedStr):
            continue  # Python 3.11 does not know the places inside an f-string
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _nodes(child)


def _conditions(node: ast.AST) -> list[ast.expr]:
    """Return the conditions that a node branches on. A loop's is none: always true would never end."""
    if isinstance(node, ast.If | ast.IfExp):
        return [node.test]
    return list(node.ifs) if isinstance(node, ast.comprehension) else []


def _branches(node: ast.AST, text: SourceText) -> Iterator[Edit]:
    """A condition that always or never holds: if both are caught, so are swapped branches."""
    for condition in _conditions(node):
        yield text.replace(condition, "condition", "always", "True")
        alone = isinstance(node, ast.If) and not node.orelse and len(node.body) == 1
        if not (alone and isinstance(node, ast.If) and isinstance(node.body[0], _SIMPLE)):  # else as dropping the one
            yield text.replace(condition, "condition", "never", "False")


def _comparisons(node: ast.AST, text: SourceText, conditions: frozenset[int]) -> Iterator[Edit]:
    if not isinstance(node, ast.Compare):
        return
    operands = [node.left, *node.comparators]
    for operator, left, right in zip(node.ops, operands, operands[1:], strict=False):
        word, changes = _COMPARE[type(operator)]
        start, end = text.between(text.end(left), text.start(right), word)
        for kind, new in changes.items():
            boundary = {word, new} in ({"<", "<="}, {">", ">="})
            if boundary or id(node) not in conditions or len(node.ops) > 1:  # else as always and never
                yield Edit("comparison", kind, start, end, new)


def _operators(node: ast.AST, text: SourceText) -> Iterator[Edit]:
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        kind, word, new = _ARITHMETIC[type(node.op)]
        yield Edit("operator", kind, *text.between(text.end(node.left), text.start(node.right), word), new)
    elif isinstance(node, ast.AugAssign) and type(node.op) in _ARITHMETIC:
        kind, word, new = _ARITHMETIC[type(node.op)]
        place = text.between(text.end(node.target), text.start(node.value), f"{word}=")
        yield Edit("operator", f"augmented-{kind}", *place, f"{new}=")
        yield Edit("operator", "augmented-to-plain", *place, "=")
    elif isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY and not isinstance(node.operand, ast.Constant):
        kind, word = _UNARY[type(node.op)]
        yield Edit("operator", kind, text.start(node), text.after(text.start(node) + len(word)), "")
    elif isinstance(node, ast.BoolOp):
        for value in node.values:  # if both are caught, so is `and` for `or`
            neutral = "True" if isinstance(node.op, ast.And) else "False"
            yield text.replace(value, "operator", "drop-operand", neutral)


def _constants(node: ast.AST, text: SourceText) -> Iterator[Edit]:
    if isinstance(node, ast.Constant):
        value = node.value
        if isinstance(value, bool):
            yield text.replace(node, "constant", f"{value}-to-{not value}".lower(), str(not value))
        elif isinstance(value, int):
            yield text.replace(node, "constant", "one-more", str(value + 1))
            yield text.replace(node, "constant", "one-less", str(value - 1))
        elif isinstance(value, float):
            yield text.replace(node, "constant", "twice", repr(value * 2 or 1.0))
            yield text.replace(node, "constant", "half", repr(value / 2 or -1.0))
    # Other strings are mostly names of columns and keys, and a wrong one only ever crashes.
    words = {ast.Return: ("value",), ast.IfExp: ("body", "orelse")}.get(type(node), ())
    for word in [getattr(node, name) for name in words]:
        if isinstance(word, ast.Constant) and isinstance(word.value, str) and word.value:
            yield text.replace(word, "constant", "no-text", '""')


def _plain_number(node: ast.expr) -> bool:
    """Whether the constants in a bound already make it one more and one less."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        return isinstance(node.right, ast.Constant)
    return isinstance(node.operand if isinstance(node, ast.UnaryOp) else node, ast.Constant)


def _moved(node: ast.expr, family: str, text: SourceText) -> Iterator[Edit]:
    if not _plain_number(node):
        yield text.replace(node, family, "bound-one-more", f"{text.safe(node)} + 1")
        yield text.replace(node, family, "bound-one-less", f"{text.safe(node)} - 1")


def _bounds(node: ast.AST, text: SourceText) -> Iterator[Edit]:
    if isinstance(node, ast.Slice) and node.step is None:
        for bound in (node.lower, node.upper):
            if bound is not None:
                yield from _moved(bound, "bound", text)
                yield text.replace(bound, "bound", "drop-bound", "")
        if node.lower is None and node.upper is not None:
            yield Edit("bound", "not-the-first", text.start(node), text.start(node), "1")
        if node.upper is None and node.lower is not None:
            yield Edit("bound", "not-the-last", text.end(node), text.end(node), "-1")
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        for argument in node.args:
            yield from _moved(argument, "bound", text)


def _elements(node: ast.AST, text: SourceText) -> Iterator[Edit]:
    """Something left out of what is put together: a key of a cache, say, or a record."""
    if isinstance(node, ast.Dict):
        parts: list[ast.expr] = node.values
    elif isinstance(node, ast.List | ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        parts = node.elts
    else:
        return
    for part in parts:
        if not isinstance(part, ast.Constant | ast.Starred | ast.Slice):
            yield text.replace(part, "element", "drop-element", "None")


def _statements(node: ast.AST, text: SourceText) -> Iterator[Edit]:
    """Dropped statements and results, and the other way to leave a pass through a loop."""
    if isinstance(node, _SIMPLE):
        constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not constant and not (isinstance(node, ast.AnnAssign) and node.value is None):
            yield text.replace(node, "statement", "drop-statement", "pass")
    elif isinstance(node, ast.Return):
        nothing = node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None)
        new, kind = ("pass", "drop-return") if nothing else ("return None", "return-none")
        yield text.replace(node, "statement", kind, new)
    elif isinstance(node, ast.Break):
        yield text.replace(node, "statement", "break-to-continue", "continue")
    elif isinstance(node, ast.Continue):
        yield text.replace(node, "statement", "continue-to-break", "break")
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        for one in node.decorator_list:
            yield Edit("statement", "drop-decorator", text.before(text.start(one), "@"), text.end(one), "")


def _keywords(node: ast.AST, text: SourceText) -> Iterator[Edit]:
    """Calls without one of their keyword arguments: a dropped `stratify=` changes much and crashes nothing."""
    if not isinstance(node, ast.Call):
        return
    given: list[_Node] = sorted([*node.args, *node.keywords], key=text.start)
    for keyword in node.keywords:
        at = given.index(keyword)
        start = text.before(text.start(keyword), ",") if at else text.start(keyword)
        end = text.end(keyword) if at or len(given) == 1 else text.start(given[1])
        yield Edit("keyword", f"drop-keyword-{keyword.arg or 'mapping'}", start, end, "")


def _calls(node: ast.AST, text: SourceText) -> Iterator[Edit]:
    """Functions swapped for their opposites, and calls dropped around their argument."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
        return
    method = isinstance(node.func, ast.Attribute)
    name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
    end = text.end(node.func)
    if new := (_METHOD_SWAP if method else _SWAP).get(name):
        yield Edit("call", f"{name}-to-{new}", end - len(name), end, new)
    if name == "sorted" and not method and node.args:
        yield text.replace(node, "call", "sorted-to-list", f"list({text.of(node.args[0])})")
        if not any(keyword.arg == "reverse" for keyword in node.keywords):
            parts: list[_Node] = [*node.args, *node.keywords]
            given = ", ".join(text.of(one) for one in parts)
            yield text.replace(node, "call", "sorted-reversed", f"sorted({given}, reverse=True)")
    single = len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred)
    if (single and name in (_MATHS if method else _FUNCTIONS)) or (name == "round" and not method and node.args):
        yield text.replace(node, "call", f"drop-{name}", text.safe(node.args[0]))
    elif isinstance(node.func, ast.Attribute) and name in _METHODS:
        yield text.replace(node, "call", f"drop-{name}", text.safe(node.func.value))


def edits_of(text: SourceText) -> list[Edit]:
    """Return every edit of a source, in the order of the text."""
    nodes = list(_nodes(text.tree))
    conditions = frozenset(id(condition) for node in nodes for condition in _conditions(node))
    last = {id(node.body[-1]) for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    found: list[Edit] = []
    for node in nodes:
        found += _comparisons(node, text, conditions)
        for operator in (_branches, _operators, _constants, _bounds, _elements, _keywords, _calls):
            found += operator(node, text)
        found += [one for one in _statements(node, text) if one.kind != "drop-return" or id(node) not in last]
    return sorted(found, key=lambda edit: edit.start)
