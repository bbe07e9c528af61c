"""A course of one lesson and one lab, small enough to build and prove in seconds; what tests plant faults in."""

import shutil
from pathlib import Path

import yaml

from authoring.repository import ROOT

LESSON = "chapters/01-intro/lessons/01-first.py"
NOTEBOOK = "chapters/01-intro/notebooks/01-first.ipynb"
LAB = "01-mini"
LAB_TEXT = f"solutions/{LAB}/{LAB}.py"
SOURCE = f"solutions/{LAB}/{LAB}.ipynb"
RELEASE = f"labs/{LAB}/{LAB}.ipynb"

SYLLABUS = {
    "chapters": [
        {
            "id": "01-intro",
            "title": "A start",
            "outcomes": ["Say what a test of a course is.", "Plant a fault in it.", "See that the fault is found."],
            "lessons": [
                {
                    "number": 1,
                    "name": "01-first",
                    "title": "First",
                    "idea": "One idea is enough for a test.",
                    "topics": ["one topic"],
                    "systems": ["Python"],
                    "status": "ready",
                },
                {
                    "number": 2,
                    "name": "02-second",
                    "title": "Second",
                    "idea": "Another idea, for another day.",
                    "topics": ["another topic"],
                    "systems": ["Python"],
                    "tours": ["a far system"],
                    "status": "planned",
                },
            ],
            "labs": [
                {
                    "name": LAB,
                    "title": "Mini",
                    "idea": "Two functions, each with its test.",
                    "lessons": [1],
                    "minutes": 45,
                    "status": "ready",
                }
            ],
        }
    ],
    "capstone": {
        "name": "01-end",
        "title": "The end",
        "idea": "Nothing to do here, in a test.",
        "minutes": None,
        "status": "planned",
    },
}

LESSON_TEXT = """# %% [markdown]
# # 01 First
#
# ## You will
#
# - count
# - count further
# - stop counting
#
# ## You need
#
# Nothing.
#
# ## Time
#
# 2 minutes to read, 1 second to run.
#
# ## The story so far
#
# There was nothing. Now there is a test.

# %% [markdown]
# ## Counting
#
# One and one:

# %%
total = 1 + 1
total

# %%
total = 1 + 1
total

# %% [markdown]
# ## What this does not prove
#
# ```text
# ## not a heading
# ```
#
# ## Check yourself
#
# <details><summary>One?</summary>Yes.</details>
#
# <details><summary>Two?</summary>Yes.</details>
#
# ## Take-away
#
# Counted.
#
# ## Go further
#
# Count on.
"""

LAB_SOURCE = '''# %% [markdown]
# # 01 Mini

# %% locked="setup"
import math

# %% [markdown]
# ## Exercise 1

# %% answer="ex1"
def area(radius):
    """Return the area of a circle."""
    ### BEGIN SOLUTION
    return math.pi * radius**2
    ### END SOLUTION

# %% test="ex1" points=2
# Covers a point. Not shown: a real circle.
assert area(0) == 0, "area(0): a point has no area; did you return something?"
### BEGIN HIDDEN TESTS
assert abs(area(3) - 28.274333882308138) < 1e-9, "area(3) is nine times area(1)"
### END HIDDEN TESTS

# %% answer="ex2"
def longest(words):
    """Return the longest of the words, the first one of equals."""
    ### BEGIN SOLUTION
    return max(words, key=lambda word: len(word))
    ### END SOLUTION

# %% test="ex2" points=3
# Covers two words.
assert longest(["a", "bb"]) == "bb", "longest: bb is longer than a"

# %% test="ex2" part="ties" points=1
# Covers a tie.
assert longest(["ab", "cd"]) == "ab", "longest: of equals the first"
'''

WRONG = {
    "ex1-a-square": ("ex1", {"ex1-test": 2}, "def area(radius):\n    return radius * radius"),
    "ex1-circumference": ("ex1", {"ex1-test": 2}, "def area(radius):\n    return 2 * math.pi * radius"),
    "ex1-rounded-pi": ("ex1", {"ex1-test": 2}, "def area(radius):\n    return 3.14 * radius**2"),
    "ex2-shortest": ("ex2", {"ex2-test": 3}, "def longest(words):\n    return min(words, key=len)"),
    "ex2-the-last": ("ex2", {"ex2-test-ties": 1}, "def longest(words):\n    return max(reversed(words), key=len)"),
    "ex2-alphabet": ("ex2", {"ex2-test": 3, "ex2-test-ties": 1}, "def longest(words):\n    return len(words)"),
}

EXCUSED = "authoring/lesson/excused.yml"
"""The lesson is older than some gates; `tests/test_lesson_gates.py` has one that passes them all."""

LOCK = """version = 1
requires-python = ">=3.11"

[[package]]
name = "mini-course"
version = "0.1"
source = { editable = "." }
dependencies = [
    { name = "alpha", extra = ["more"] },
    { name = "numbers", version = "1.0", source = { registry = "r" }, marker = "python_full_version < '3.12'" },
    { name = "numbers", version = "2.0", source = { registry = "r" }, marker = "python_full_version >= '3.12'" },
    { name = "windows-only", marker = "sys_platform == 'win32'" },
]

[package.dev-dependencies]
dev = [{ name = "linter" }]

[[package]]
name = "alpha"
version = "1.2"
source = { registry = "r" }
dependencies = [{ name = "beta" }]

[package.optional-dependencies]
more = [{ name = "gamma" }]
less = [{ name = "linter" }]

[[package]]
name = "beta"
version = "3.4"
source = { registry = "r" }

[[package]]
name = "gamma"
version = "5.6"
source = { registry = "r" }

[[package]]
name = "linter"
version = "9.9"
source = { registry = "r" }

[[package]]
name = "numbers"
version = "1.0"
source = { registry = "r" }

[[package]]
name = "numbers"
version = "2.0"
source = { registry = "r" }

[[package]]
name = "windows-only"
version = "7.8"
source = { registry = "r" }
"""


def write(root: Path, name: str, text: str) -> Path:
    """Write one file of the mini course; returns its path."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def misconception(root: Path, name: str, answers: str, loses: dict[str, float], source: str) -> Path:
    """Write one misconception of the mini lab; returns its path."""
    head = f"# ---\n# answers: {answers}\n# loses: {loses}\n# why: it is wrong\n# ---\n".replace("'", "")
    return write(root, f"solutions/{LAB}/misconceptions/{name}.py", head + source + "\n")


def make_course(root: Path) -> Path:
    """Write the whole mini course into `root`; returns it."""
    write(root, "course/syllabus.yml", yaml.safe_dump(SYLLABUS, sort_keys=False))
    write(root, "README.md", "# Mini\n\n<!-- generated: chapters -->\n<!-- end generated -->\n\nBye.\n")
    write(root, "pyproject.toml", '[project]\nname = "mini-course"\nrequires-python = ">=3.11,<3.14"\n')
    write(root, "uv.lock", LOCK)
    write(root, LESSON, LESSON_TEXT)
    write(root, EXCUSED, "{turn: [01/01], outcomes: [01/01], typed: [01/01]}")
    write(root, LAB_TEXT, LAB_SOURCE)
    write(root, f"solutions/{LAB}/data.csv", "a,b\n1,2\n")
    for name, (answers, loses, source) in WRONG.items():
        misconception(root, name, answers, {key: float(value) for key, value in loses.items()}, source)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    return root
