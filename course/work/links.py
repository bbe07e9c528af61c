"""Links of a copy: they lead to other copies, and of what has none they name the place in the course's folder."""

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

_LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:[^\[\]\n]|\\.)*)\]\((?P<to>[^()\s]+)\)")


def rewritten(text: str, source: str, copies: Mapping[str, str], root: Path) -> str:
    """Return the markdown of a copy.

    Args:
        text: The markdown as it is in the course's folder.
        source: Its file there, relative to `root`; it is one of `copies`.
        copies: Where the copies of the course's files are in the learner's folder, by their place in the course's.
        root: The course's folder.
    """
    here = posixpath.dirname(copies[source])

    def lead(link: re.Match[str]) -> str:
        url = urlsplit(link["to"])
        if url.scheme or url.netloc or not url.path or url.path.startswith("/"):
            return link[0]
        place = posixpath.normpath(posixpath.join(posixpath.dirname(source), unquote(url.path)))
        if place in copies:
            to = quote(posixpath.relpath(copies[place], here or "."))
            return f"{link['image']}[{link['text']}]({to}{'#' + url.fragment if url.fragment else ''})"
        if place.startswith("..") or not (root / place).exists():
            return link[0]  # an example, or code
        return f"{link['text']} (`{place}`)"

    return _LINK.sub(lead, text)
