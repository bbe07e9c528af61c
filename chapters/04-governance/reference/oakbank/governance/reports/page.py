"""A report as one HTML file that loads nothing: pictures are in it, and text from records stays text."""

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from oakbank.governance.reports.document import Document


def html(document: Document) -> str:
    """Return a report as a page. The same report gives the same text."""
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return pages.get_template("page.html").render(
        document=document,
        gaps=sum(section.gaps for section in document.sections),
        kind=lambda block: type(block).__name__,
        base64=lambda content: base64.b64encode(content).decode(),
    )
