"""Pictures and tables of a student's, made fit to be shown to who marks: nothing of them runs or loads anything."""

import base64
import binascii
import html
import io
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup, escape
from PIL import Image

from autograder.model import PICTURES
from base.text import safe_text

PIXELS = 16_000_000
"""A larger picture is not shown: it may be small as a file and huge in a browser."""
LARGEST_SVG = 2_000_000  # characters
MOST = 50
"""Pictures of one text that are shown."""
LARGEST_TABLE = 100_000
"""Characters of a table that are looked at."""

_DATA = re.compile(r"data:image/(png|jpe?g|gif|svg\+xml);base64,([A-Za-z0-9+/=]*+)")
_NEAR = 300  # characters around a picture's data in which its tag has to be
_BEFORE = re.compile(r"(?:!\[([^\]\n]*)\]\(<?|<img\b[^<>]*?\bsrc\s*=\s*[\"']?)\Z")
_AFTER = re.compile(r">?(?:[ \t]+\"[^\"\n]*\")?[ \t]*\)|[\"']?[^<>]*>")


@dataclass(frozen=True)
class Picture:
    """A picture within a text; `data` is base64, not looked at yet."""

    alt: str
    kind: str
    data: str


def pieces(text: str) -> Iterator[str | Picture]:
    """Split a markdown text at the pictures whose data stand in it, as `![alt](data:...)` or `<img src="data:...">`."""
    start = count = 0
    for found in _DATA.finditer(text):
        before = _BEFORE.search(text, max(start, found.start() - _NEAR), found.start())
        after = _AFTER.match(text, found.end(), found.end() + _NEAR)
        if before is None or after is None or count == MOST:
            continue
        yield text[start : before.start()]
        yield Picture(re.sub(r"[^\w .,-]", "", before[1] or ""), _kind(found[1]), found[2])
        start, count = after.end(), count + 1
    yield text[start:]


def _kind(media: str) -> str:
    return {"jpg": "jpeg", "svg+xml": "svg"}.get(media, media)


def safe_picture(kind: str, text: str) -> str | None:
    """Return base64 of a picture that a browser may show in an `img`, where no script of it runs; None if it is none.

    Args:
        kind: Of `PICTURES`.
        text: Base64 of the picture; of `svg` its source.
    """
    if kind == "svg":
        return _safe_svg(text)
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=[kind.upper()]) as image:
                if image.width * image.height > PIXELS:
                    return None
                image.verify()
    except (
        binascii.Error,
        ValueError,
        OSError,
        SyntaxError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ):
        return None  # Pillow tells a broken PNG by OSError or SyntaxError
    return base64.b64encode(content).decode("ascii")


def _safe_svg(source: str) -> str | None:
    """Return base64 of an SVG; within an `img` it is a picture: browsers run and load nothing there."""
    if len(source) > LARGEST_SVG or "<svg" not in source or "<!entity" in source.lower():
        return None
    return base64.b64encode(safe_text(source).encode("utf-8")).decode("ascii")


def decoded(picture: Picture) -> str | None:
    """Return what `safe_picture` says of a picture in a text."""
    if picture.kind != "svg":
        return safe_picture(picture.kind, picture.data)
    try:
        return _safe_svg(base64.b64decode(picture.data, validate=True).decode("utf-8"))
    except ValueError:
        return None


def tag(kind: str, data: str, alt: str) -> Markup:
    """Return an `img` that holds its picture; `data` as `safe_picture` gives it."""
    return Markup('<img alt="{}" src="data:{};base64,{}">').format(alt, PICTURES[kind], data)


# --- tables ---

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*+)([^<>]*+)>")
_ATTRIBUTE = re.compile(r"(?<![a-zA-Z-])([a-zA-Z-]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([\w#.%-]++))")
_UNREAD = "script", "style", "template", "iframe", "object", "svg", "math", "head", "title", "textarea", "noscript"
_ID = re.compile(r"#([\w-]{1,100})\s*\Z")
_STYLES = "color", "background-color", "font-weight", "font-style", "text-align", "text-decoration"
_VALUE = re.compile(r"[#\w.,%() -]{1,60}")
_TABLE = "table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption"
_INLINE = "b", "i", "em", "strong", "code", "sub", "sup", "p", "pre", "ul", "ol", "li", "h1", "h2", "h3", "h4"
_ALLOWED = frozenset((*_TABLE, *_INLINE))


def _declarations(text: str) -> str:
    """Return the declarations of a style that colour or emphasise, and no others."""
    kept = []
    for part in text.split(";"):
        name, _, value = (piece.strip().lower() for piece in part.partition(":"))
        if name in _STYLES and _VALUE.fullmatch(value) and "url" not in value and "expression" not in value:
            kept.append(f"{name}: {value}")
    return "; ".join(dict.fromkeys(kept))


def _styles(text: str) -> dict[str, str]:
    """Return the declarations of style sheets by the id that they are for, as pandas' Styler writes them."""
    found: dict[str, str] = {}
    for sheet in _between(text, "style"):
        for rule in sheet.split("}"):
            selectors, _, body = rule.partition("{")
            if said := _declarations(body):
                for selector in selectors.split(","):
                    if one := _ID.search(selector[-120:]):
                        found[one[1]] = f"{found[one[1]]}; {said}" if one[1] in found else said
    return found


def _between(text: str, name: str) -> Iterator[str]:
    """Return what stands in the elements of that name; one that is not closed ends with the text."""
    lower, at = text.lower(), 0
    while (start := lower.find(f"<{name}", at)) >= 0:
        end = lower.find(f"</{name}", start)
        at = end if end >= 0 else len(text)
        yield text[start:at].partition(">")[2]


def _without(text: str, begin: str, end: str) -> str:
    """Return a text without what stands from each `begin` to the first `>` of the next `end`."""
    lower, kept, at = text.lower(), list[str](), 0
    while (start := lower.find(begin, at)) >= 0:
        kept.append(text[at:start])
        last = lower.find(end, start)
        close = lower.find(">", last) if last >= 0 else -1
        at = close + 1 if close >= 0 else len(text)
    return "".join([*kept, text[at:]])


def _opened(name: str, attributes: str, styles: dict[str, str]) -> Markup:
    found = {key.lower(): html.unescape(a or b or c) for key, a, b, c in _ATTRIBUTE.findall(attributes)}
    kept = [(key, found[key]) for key in ("colspan", "rowspan") if re.fullmatch(r"[0-9]{1,3}", found.get(key, ""))]
    style = "; ".join(filter(None, (styles.get(found.get("id", ""), ""), _declarations(found.get("style", "")))))
    kept += [("style", style)] if style else []
    return Markup("<{}{}>").format(name, Markup().join(Markup(' {}="{}"').format(*one) for one in kept))


def safe_table(text: str) -> Markup:
    """Return HTML with tables, emphasis and colours only: every tag is written anew, the rest is text.

    Elements are closed in the order in which they were opened, so that nothing reaches beyond what is returned.
    """
    text = _without(safe_text(text[:LARGEST_TABLE]), "<!--", "-->")
    styles = _styles(text)
    for name in _UNREAD:
        text = _without(text, f"<{name}", f"</{name}")
    made, opened, at = list[Markup](), list[str](), 0
    for found in _TAG.finditer(text):
        made.append(escape(html.unescape(text[at : found.start()])))
        at, name = found.end(), found[2].lower()
        if name == "br":
            made.append(Markup("<br>"))
        if name not in _ALLOWED:
            continue
        if not found[1]:
            opened.append(name)
            made.append(_opened(name, found[3], styles))
        elif name in opened[-100:]:
            while True:
                made.append(Markup("</{}>").format(opened[-1]))
                if opened.pop() == name:
                    break
    made.append(escape(html.unescape(text[at:])))
    made += [Markup("</{}>").format(name) for name in reversed(opened)]
    return Markup().join(made)
