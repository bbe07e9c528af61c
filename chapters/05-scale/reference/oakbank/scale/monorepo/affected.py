"""Which tests a change needs, by imports and declared data, and whether the declarations are complete."""

import ast
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import grimp

from oakbank.scale.monorepo.project import MODELS, build

PACKAGE = "bank"
READS = "READS"
"""Name at a module's top: a list of the data files that it reads, relative to the repository."""
ALWAYS = ("data/applicants.json", "expected.json", "tests/__init__.py")
"""What every test reads: a change of it runs them all."""
TEAMS = (*MODELS, "decisions", "letters")
"""What is built: each has a module of the package and a file in `tests/`."""
_WATCH = """
import importlib, json, sys
from pathlib import Path
top = Path.cwd()
opened = set()
def hook(event, args):
    if event == "open" and isinstance(args[0], str) and args[0].startswith(str(top)):
        opened.add(Path(args[0]).relative_to(top).as_posix())
sys.path.insert(0, str(top))
rows = json.load(open("data/applicants.json"))
sys.addaudithook(hook)
for name in json.loads(sys.argv[1]):
    opened.clear()
    importlib.import_module("bank.models." + name).score(rows[0])
    print(json.dumps([name, sorted(one for one in opened if not one.endswith((".py", ".pyc")))]))
"""


def _graph(folder: Path) -> grimp.ImportGraph:
    sys.path.insert(0, str(folder.resolve()))
    try:
        return grimp.build_graph(PACKAGE, cache_dir=None)
    finally:
        sys.path.remove(str(folder.resolve()))


def _module(name: str) -> str:
    return f"{PACKAGE}.models.{name}" if name in MODELS else f"{PACKAGE}.{name}"


def _file(folder: Path, module: str) -> Path:
    path = folder.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def declared(folder: Path, module: str) -> list[str]:
    """Return the data files that a module declares by `READS = [...]`, without running it.

    Raises:
        ValueError: `READS` is no list of texts.
    """
    for node in ast.parse(_file(folder, module).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(one) for one in node.targets] == [READS]:
            files = ast.literal_eval(node.value)
            if not isinstance(files, list) or not all(isinstance(one, str) for one in files):
                raise ValueError(f"{module}: {READS} must be a list of texts, not {files!r}")
            return files
    return []


def affected(folder: Path, changed: Iterable[str]) -> list[str]:
    """Return the names of what has to be built after a change: by imports, declared data and own tests.

    A file of which nothing is known, such as the build's own settings, reaches everything.

    Args:
        folder: The repository, as it is with the change.
        changed: Files, relative to it, as `git diff --name-only` prints them.
    """
    graph, reached = _graph(folder), set[str]()
    readers: dict[str, set[str]] = {}
    for module in graph.modules:
        for file in declared(folder, module):
            readers.setdefault(file, set()).add(module)
    for file in changed:
        module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        of_package = file.endswith("/__init__.py")  # it runs before any module of its package
        test = file.removeprefix("tests/test_").removesuffix(".py")
        if module in graph.modules:
            within = graph.find_descendants(module) if of_package else set()
            reached |= {module, *within, *graph.find_downstream_modules(module, as_package=of_package)}
        elif test in TEAMS:
            reached.add(_module(test))
        elif file in readers:
            for reader in readers[file]:
                reached |= {reader, *graph.find_downstream_modules(reader)}
        elif not file.startswith("data/") or file in ALWAYS:
            return list(TEAMS)
    return [name for name in TEAMS if _module(name) in reached]


def undeclared(folder: Path) -> dict[str, list[str]]:
    """Score an applicant by each model, and return the data files that a model opens and does not declare."""
    command = [sys.executable, "-B", "-c", _WATCH, json.dumps(MODELS)]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)  # noqa: S603
    found = {}
    for line in done.stdout.splitlines():
        name, opened = json.loads(line)
        if missing := sorted(set(opened) - set(declared(folder, _module(name))) - set(ALWAYS)):
            found[name] = missing
    return found


def is_hermetic(folder: Path, name: str) -> bool:
    """Return whether a test passes in a folder that holds nothing but what is declared, as in a sandbox of Bazel's."""
    graph = _graph(folder)
    modules = {_module(name), *graph.find_upstream_modules(_module(name))}
    files = {_file(folder, module).relative_to(folder).as_posix() for module in modules}
    files |= {file for module in modules for file in declared(folder, module)} | set(ALWAYS)
    packages = {"/".join(module.split(".")[:depth]) for module in modules for depth in range(1, module.count(".") + 1)}
    files |= {f"{package}/__init__.py" for package in packages} | {f"tests/test_{name}.py"}
    with tempfile.TemporaryDirectory() as empty:
        for file in sorted(files):
            target = Path(empty, file)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / file, target)
        return not build(Path(empty), [name])
