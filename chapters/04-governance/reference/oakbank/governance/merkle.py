"""The Merkle tree of RFC 6962, section 2.1 (RFC 9162 has the same tree): one hash for a list, short proofs about it.

A leaf is hashed as `sha256(0x00 || data)`, an inner node as `sha256(0x01 || left || right)`, so that no node can be
passed off as a leaf. A tree of n leaves is split at the largest power of two below n. Hashes are 32 bytes.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EMPTY = hashlib.sha256(b"").digest()
"""Root of a tree without leaves."""


@dataclass(frozen=True)
class TreeHead:
    """What stands for a whole list: how long it is, and the root of its tree in hex."""

    size: int
    root: str


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that only grows, of which only the roots of its full subtrees are kept: log2(n) hashes for n leaves."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.size = 0
        self._roots: list[bytes] = []  # of full subtrees, the largest first
        for leaf in leaves:
            self.add(leaf)

    def add(self, leaf: bytes) -> None:
        """Add a leaf, given by its hash."""
        self._roots.append(leaf)
        self.size += 1
        full = self.size
        while full % 2 == 0:  # two subtrees of one size have become one
            right, left = self._roots.pop(), self._roots.pop()
            self._roots.append(node_hash(left, right))
            full //= 2

    def head(self) -> TreeHead:
        """Return the tree head of the leaves so far."""
        if not self._roots:
            return TreeHead(0, EMPTY.hex())
        root, *rest = reversed(self._roots)
        for left in rest:
            root = node_hash(left, root)
        return TreeHead(self.size, root.hex())


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root of a tree, given the hashes of its leaves."""
    return bytes.fromhex(Frontier(leaves).head().root)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes that lead from leaf `index` (from 0) to the root, the lowest first (RFC 9162, 2.1.3.1).

    Raises:
        IndexError: There is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"no leaf {index} in a tree of {len(leaves)}")
    begin, end, path = 0, len(leaves), []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(root(leaves[middle:end]))
            end = middle
        else:
            path.append(root(leaves[begin:middle]))
            begin = middle
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, path: Sequence[bytes], head: TreeHead) -> bool:
    """Return whether the path leads from this leaf at this place to the root of the head (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < head.size:
        return False
    at, last, found = index, head.size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at % 2 or at == last:
            found = node_hash(sibling, found)
            while at % 2 == 0 and at:  # a subtree without a right neighbour moves up unchanged
                at, last = at // 2, last // 2
        else:
            found = node_hash(found, sibling)
        at, last = at // 2, last // 2
    return last == 0 and found.hex() == head.root


def consistency_proof(leaves: Sequence[bytes], size: int) -> list[bytes]:
    """Return the hashes that show: the first `size` leaves are those of an earlier tree (RFC 9162, 2.1.4.1).

    Raises:
        IndexError: There was no such tree: `size` must be from 1 to the number of leaves.
    """
    if not 0 < size <= len(leaves):
        raise IndexError(f"no tree of {size} in a tree of {len(leaves)}")
    begin, end, path, whole = 0, len(leaves), [], True
    while size < end:
        middle = begin + _split(end - begin)
        if size <= middle:
            path.append(root(leaves[middle:end]))
            end = middle
        else:
            path.append(root(leaves[begin:middle]))
            begin, whole = middle, False
    if not whole:  # the verifier has the root of the earlier tree, but not of this part of it
        path.append(root(leaves[begin:end]))
    return path[::-1]


def verify_consistency(old: TreeHead, new: TreeHead, path: Sequence[bytes]) -> bool:
    """Return whether the new tree begins with the leaves of the old one (RFC 9162, 2.1.4.2)."""
    if old.size == new.size:
        return old == new and not path
    if not 0 < old.size < new.size or not path:
        return False
    hashes = list(path)
    if old.size & (old.size - 1) == 0:  # a full tree: its root is where both begin
        hashes.insert(0, bytes.fromhex(old.root))
    at, last = old.size - 1, new.size - 1
    while at % 2:
        at, last = at // 2, last // 2
    before = after = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if at % 2 or at == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while at % 2 == 0 and at:
                at, last = at // 2, last // 2
        else:
            after = node_hash(after, sibling)
        at, last = at // 2, last // 2
    return last == 0 and (before.hex(), after.hex()) == (old.root, new.root)


def _split(n: int) -> int:
    """Return the largest power of two below n."""
    return 1 << (n - 1).bit_length() - 1
