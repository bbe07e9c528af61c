"""Names that can be moved: what a workflow uses by a tag or a branch, and not by the hash of its content.

A tag is a pointer, and whoever owns the repository (or has stolen its token) points it elsewhere. The hash of a commit,
and the digest of an image, name their content.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

COMMIT = re.compile(r"[^@]+@[0-9a-f]{40}([0-9a-f]{24})?")
DIGEST = re.compile(r"[^@]+@sha256:[0-9a-f]{64}")


def movable(workflow: str) -> list[str]:
    """Return which actions and images a workflow of GitHub Actions names by something that can be moved.

    Args:
        workflow: Its text, YAML.

    Returns:
        The references as they are written, in their order. An action of the same repository (`./...`) is none.

    Raises:
        ValueError: It is no YAML.
    """
    try:
        read = yaml.safe_load(workflow)
    except yaml.YAMLError as error:
        raise ValueError(f"the workflow is no YAML: {error}") from error
    return [name for kind, name in _used(read) if not _fixed(kind, name)]


def _fixed(kind: str, name: str) -> bool:
    if kind == "image" or name.startswith("docker://"):
        return DIGEST.fullmatch(name) is not None
    return name.startswith("./") or COMMIT.fullmatch(name) is not None


def _used(node: Any) -> Iterator[tuple[str, str]]:
    # `container` is an image, or a mapping that has one.
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str) and key in ("uses", "image", "container"):
                yield "action" if key == "uses" else "image", value
            elif key not in ("with", "env"):
                yield from _used(value)
    elif isinstance(node, list):
        for one in node:
            yield from _used(one)
