"""Text: what is taken out of it, and what a user means by a few letters."""

import re

from base.errors import UserError

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def plain(text: str) -> str:
    """Return `text` without terminal colours."""
    return _ANSI.sub("", text)


def pick(wanted: str, names: list[str], kind: str) -> str:
    """Return the one of `names` that `wanted` means: the name itself, or the start of exactly one."""
    if wanted in names:
        return wanted
    fitting = [name for name in names if name.startswith(wanted)]
    if len(fitting) == 1:
        return fitting[0]
    if not names:
        raise UserError(f"there are no {kind}s yet")
    if fitting and wanted:
        raise UserError(f"{wanted!r} could be {', '.join(fitting)}: give a few letters more")
    raise UserError(f"there is no {kind} {wanted!r}; there are: {', '.join(names)}")
