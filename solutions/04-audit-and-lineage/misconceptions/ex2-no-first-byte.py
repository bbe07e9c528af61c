# ---
# answers: ex2
# loses: {ex2-test: 1, ex2-test-proof: 2}
# why: hashes lines and pairs alike, so that a pair of hashes can pass for a line
# ---
def root_of(lines):
    """Return the root of the tree of lines, in hexadecimal digits."""

    def top(leaves):
        if len(leaves) == 1:
            return leaves[0]
        half = left_of(len(leaves))
        return node(top(leaves[:half]), top(leaves[half:]))

    return top([leaf(line) for line in lines]).hex()


def leaf(line):
    """Return the hash of a line."""
    return hashlib.sha256(line.encode()).digest()


def node(left, right):
    """Return the hash of two halves."""
    return hashlib.sha256(left + right).digest()


def left_of(n):
    """Return the largest power of two below n."""
    return 1 << (n - 1).bit_length() - 1


def included(line, place, path, size, root):
    """Return whether the path leads from a line at a place to the root."""

    def top(place, size, path):
        if size == 1 or not path:
            return leaf(line) if size == 1 and not path else b"nothing"
        half, other, rest = left_of(size), bytes.fromhex(path[-1]), path[:-1]
        if place < half:
            return node(top(place, half, rest), other)
        return node(other, top(place - half, size - half, rest))

    return 0 <= place < size and top(place, size, path).hex() == root
