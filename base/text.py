"""Text: made fit to be shown, and what a user means by a few letters."""

import re

from base.errors import UserError

LONGEST = 20_000
"""Characters of one output that are shown."""

# ECMA-48: control strings (OSC, DCS, SOS, PM, APC) up to their end, control sequences, other escapes.
_ESCAPES = re.compile(
    r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# What reorders or hides text (Unicode TR 36, 39), and halves of surrogate pairs, which no file can hold.
_HIDDEN = re.compile(
    "[\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def without_escapes(text: str) -> str:
    """Return `text` without terminal sequences, such as colours."""
    return _ESCAPES.sub("", text)


def safe_text(text: str) -> str:
    """Return `text` without terminal sequences and control characters, what reorders or hides shown as escapes."""
    lines = without_escapes(text.replace("\r\n", "\n")).replace("\r", "\n")
    return _HIDDEN.sub(lambda found: rf"\u{ord(found[0]):04x}", _CONTROLS.sub("", lines))


def shorten(text: str, longest: int = LONGEST) -> str:
    """Return at most `longest` characters of `text`, and how many more there are."""
    more = len(text) - longest
    return text if more <= 0 else f"{text[:longest]}\n… and {more:,} characters more"


def one_line(text: str, longest: int) -> str:
    """Return a text from who knows where as one printable line of at most `longest` characters."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


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
