"""What lessons use of the course's own code."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from IPython.display import Code

from course.lesson import show_source


class Greeter:
    """Greets."""

    def greet(self, name: str) -> str:
        """Return a greeting.

        Twice.
        """
        hello = f"hello {name}"
        return f"{hello} {hello}"


def plain(x: int) -> int:
    return x


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    seen: list[Any] = []
    monkeypatch.setattr("IPython.display.display", seen.append)
    return seen


def test_code_is_shown_from_its_left_edge_in_colours_and_as_text(shown: list[Any]) -> None:
    show_source(Greeter.greet, plain)
    assert all(isinstance(code, Code) for code in shown)
    method, function = map(repr, shown)
    assert method.startswith('def greet(self, name: str) -> str:\n    """Return a greeting.')
    assert function == "def plain(x: int) -> int:\n    return x"
    assert '<span class="k">def</span>' in shown[0]._repr_html_()


def test_a_docstring_can_be_left_out_and_the_beginning_too(shown: list[Any]) -> None:
    show_source(Greeter.greet, Greeter, plain, docstring=False)
    show_source(Greeter, begin='hello = f"')
    lines = [repr(code).splitlines() for code in shown]
    assert lines[0][:2] == ["def greet(self, name: str) -> str:", '    hello = f"hello {name}"']
    assert lines[1][:3] == ["class Greeter:", "", "    def greet(self, name: str) -> str:"]
    assert lines[2] == ["def plain(x: int) -> int:", "    return x"]
    assert lines[3] == ['hello = f"hello {name}"', 'return f"{hello} {hello}"']


def test_a_lessons_own_folder_is_empty_and_goes_with_the_kernel(tmp_path: Path) -> None:
    code = "from course.lesson import own_folder; own_folder(); import os; print(os.getcwd(), os.listdir())"
    env = os.environ | {"TMPDIR": str(tmp_path)}
    told = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    folder, _, content = told.stdout.strip().partition(" ")
    assert Path(folder).parent == tmp_path
    assert content == "[]"
    assert list(tmp_path.iterdir()) == []
