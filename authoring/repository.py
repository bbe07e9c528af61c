"""This repository: where it is, and how its commands are spelt."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "python3 bootstrap.py"
"""How a learner starts any verb: it works in each shell after the first set-up, with nothing on PATH."""
KEPT = "var/kept"
"""Where generated notebooks go that a person worked in and asks to have put aside."""
