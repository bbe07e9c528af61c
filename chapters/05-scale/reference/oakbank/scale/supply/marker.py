"""Whether a file acted when it was loaded: attacks here write one line into a file, and do no more."""

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Final

MARKER: Final = "ran.txt"
"""What an attack writes, in the working directory."""


def attempt(action: Callable[[], object]) -> bool:
    """Do something that may be an attack, and print what refuses it, in one line.

    Returns:
        Whether the attack acted. The marker is removed, so that the next attempt begins without it.
    """
    marker = Path(MARKER)
    marker.unlink(missing_ok=True)
    try:
        action()
    except Exception as error:
        print(f"{type(error).__name__}: {textwrap.shorten(str(error), 110)}")
    acted = marker.exists()
    marker.unlink(missing_ok=True)
    return acted
