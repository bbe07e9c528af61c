"""What the packages of the reference system export: what later chapters use, nothing else, and by one way."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from authoring.repository import ROOT
from tests.test_house import package_chapters, plant


def exports(init: Path) -> dict[str, str]:
    """Return the module of each name that a package's `__init__` has from one of its modules."""
    nodes = ast.parse(init.read_text(encoding="utf-8")).body
    return {alias.name: f"{node.module}" for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}


def imports_elsewhere(root: Path, package: str, chapter: str) -> Iterator[tuple[str, str, str]]:
    """Yield place, module and name of what later chapters' code, lessons and labs import of a package.

    The packages of one chapter are later than one another as far as code goes; its lessons and labs are no later.
    """
    for pattern in ("chapters/*/reference/**/*.py", "chapters/*/lessons/**/*.py", "solutions/**/*.py"):
        for path in sorted(root.glob(pattern)):
            name = path.relative_to(root)
            same_package = f"/oakbank/{package}/" in name.as_posix()
            if same_package or ("reference" not in name.parts and name.parts[1][:2] <= chapter[:2]):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(f"oakbank.{package}."):
                    for alias in node.names:
                        yield f"{name.as_posix()}:{node.lineno}", f"{node.module}", alias.name


def wrong_exports(root: Path) -> list[str]:
    """Return each export that nobody needs, that hides a module, or that later code takes from elsewhere."""
    found = []
    for package, chapter in package_chapters(root).items():
        folder = root / "chapters" / chapter / "reference" / "oakbank" / package
        public = exports(folder / "__init__.py")
        used = list(imports_elsewhere(root, package, chapter))
        needed = {name for _, module, name in used if module == f"oakbank.{package}"}
        found += [f"oakbank.{package}: no later chapter uses {name}" for name in sorted(set(public) - needed)]
        modules = {path.stem for path in folder.glob("*.py")} | {
            path.name for path in folder.iterdir() if path.is_dir()
        }
        found += [f"oakbank.{package}: {name} is also a module" for name in sorted(set(public) & modules)]
        found += [
            f"{place}: {name} is to be had from oakbank.{package}"
            for place, module, name in used
            if public.get(name) == module
        ]
    return found


def test_packages_export_what_later_chapters_use() -> None:
    """And where they export anything, later chapters take it from there."""
    assert wrong_exports(ROOT) == []
    chapters = package_chapters(ROOT)
    folders = {name: ROOT / "chapters" / chapter / "reference" / "oakbank" for name, chapter in chapters.items()}
    assert {name for name, folder in folders.items() if exports(folder / name / "__init__.py")} == {
        "world",
        "pipelines",
    }


@pytest.mark.parametrize(
    ("init", "later", "fault"),
    [
        ("Lake, Tide", "from oakbank.world import Lake", "oakbank.world: no later chapter uses Tide"),
        ("Lake, lake", "from oakbank.world import Lake, lake", "oakbank.world: lake is also a module"),
        (
            "Lake",
            "from oakbank.world import Lake\nfrom oakbank.world.lake import Lake, depth",
            "chapters/02-b/lessons/01-c.py:2: Lake is to be had from oakbank.world",
        ),
    ],
)
def test_a_wrong_export_is_found(tmp_path: Path, init: str, later: str, fault: str) -> None:
    """One of each kind; what a lesson of the package's own chapter imports does not count."""
    package = "chapters/01-a/reference/oakbank/world"
    plant(tmp_path, f"{package}/lake.py", "")
    plant(
        tmp_path, "chapters/01-a/lessons/01-c.py", "from oakbank.world import Tide\nfrom oakbank.world.lake import Lake"
    )
    plant(tmp_path, f"{package}/__init__.py", "from oakbank.world.lake import Lake")
    plant(tmp_path, "chapters/02-b/lessons/01-c.py", "from oakbank.world import Lake")
    assert wrong_exports(tmp_path) == []
    plant(tmp_path, f"{package}/__init__.py", f"from oakbank.world.lake import {init}")
    plant(tmp_path, "chapters/02-b/lessons/01-c.py", later)
    assert wrong_exports(tmp_path) == [fault]
