"""What a text types of a system: names as its documentation spells them, and commands.

`import mlflow` and `client = mlflow.MlflowClient()` make `client.get_run(…)` count as `mlflow.MlflowClient.get_run`. A
cell `%%writefile NAME.py` is Python like any other. A command counts in a line `!docker run …`, in a cell `%%shell` or
`%%bash`, and as words in a list (`["docker", "run"]`); so does a line of a file that is not Python's, in a cell
`%%writefile Jenkinsfile`.
Strings and comments of Python do not count; in prose, Python between fences does, as the solution of *Your turn* is.
"""

import ast
import re
from collections.abc import Iterable

from authoring.lesson.text import FENCE, Cell
from base.errors import BuildError

OURS = ("oakbank", "course")
"""Packages of this repository: their names show our wrapper, not the system."""
OWN_SYSTEM = re.compile(r"\b(Oakbank|reference system)\b")
"""Systems of the syllabus that are ours."""

_SHELL_CELL = re.compile(r"\A%%(bash|sh|shell|writefile(?!.*\.py$))\b.*\n", re.MULTILINE)
_OTHER_LANGUAGE = re.compile(r"\A%%(?!time|capture|writefile( -a)? \S+\.py\n)")
_MAGIC = re.compile(r"^(\s*)[!%].*$", re.MULTILINE)


class Typed:
    """The names and commands of some texts, read in order."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.commands: list[list[str]] = []
        self._known: dict[str, str] = {}

    def holds(self, what: str) -> bool:
        """Say whether a name (`mlflow.start_run`) or command (`docker run`, which begins a command) was typed."""
        words = what.split()
        return what in self.names or any(command[: len(words)] == words for command in self.commands)

    def read(self, cells: Iterable[Cell], source: str) -> None:
        """Add what the cells of a file type.

        Raises:
            BuildError: Code is not Python; the message names file and line.
        """
        for cell in cells:
            if cell.code:
                self._code(cell.source, cell.line, source)
                continue
            for fence in FENCE.finditer(cell.source):
                if fence["language"] == "python":
                    self._code(fence["body"], cell.line_at(fence.start("body")), source)

    def _code(self, code: str, line: int, source: str) -> None:
        if shell := _SHELL_CELL.match(code):
            self._shell(code[shell.end() :])
        if _OTHER_LANGUAGE.match(code):
            return
        self._shell("\n".join(re.findall(r"^\s*!(.+)$", code, re.MULTILINE)))
        try:
            tree = ast.parse(_MAGIC.sub(r"\1pass", code))
        except SyntaxError as error:
            raise BuildError(f"{source}:{line - 1 + (error.lineno or 1)}: no Python: {error.msg}") from None
        for node in ast.walk(tree):
            self._learn(node)
        for node in ast.walk(tree):
            if name := self._full(node):
                self.names.add(name)
            if isinstance(node, ast.List | ast.Tuple):
                words = [item.value for item in node.elts if isinstance(item, ast.Constant)]
                self.commands.append([word for word in words if isinstance(word, str)])

    def _shell(self, text: str) -> None:
        lines = text.replace("\\\n", " ").splitlines()
        self.commands += [line.split() for line in lines if line.strip()]

    def _learn(self, node: ast.AST) -> None:
        """Note what a name stands for: a module, something of it, or an object of a class."""
        if isinstance(node, ast.Import):
            self._known |= {one.asname: one.name for one in node.names if one.asname}
            self._known |= {root: root for one in node.names if not one.asname for root in [one.name.split(".")[0]]}
        elif isinstance(node, ast.ImportFrom) and node.module:
            self._known |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
        elif (
            isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Name)
        ):
            made = self._full(node.value.func)
            if made and made.rpartition(".")[2][:1].isupper():
                self._known[node.targets[0].id] = made

    def _full(self, node: ast.AST) -> str:
        """Return the full name of `a.b.c` where `a` is known, else nothing."""
        parts = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self._known:
            return ""
        return ".".join([self._known[node.id], *reversed(parts)])


def typed_faults(systems: list[str], declared: dict[str, list[str]], typed: Typed) -> list[str]:
    """Return the systems of a lesson that nobody types, and what is declared and not there."""
    faults = []
    for system in systems:
        if not declared.get(system):
            faults.append(f"{system}: name in the syllabus, under `typed`, what a learner types of it: its calls as "
                          "`mlflow.start_run`, its commands as `docker run`")  # fmt: skip
    for system, names in declared.items():
        for name in names:
            if name.split(".")[0] in OURS and not OWN_SYSTEM.search(system):
                faults.append(f"{system}: `{name}` is ours: name what the system itself calls it, and type that")
            elif not typed.holds(name):
                faults.append(f"{system}: `{name}` stands in no code cell, and in no solution of a lab that "
                              "measures this lesson: type it, or take it out of the syllabus")  # fmt: skip
    return faults
