# ---
# answers: ex2
# why: the algorithms of RFC 9162, from below
# ---
def hashed(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def root_of(lines):
    stack = []
    for number, line in enumerate(lines, start=1):
        stack.append(hashed(b"\0", line.encode("utf-8")))
        while number % 2 == 0:
            right, left = stack.pop(), stack.pop()
            stack.append(hashed(b"\1", left, right))
            number //= 2
    found = stack.pop()
    while stack:
        found = hashed(b"\1", stack.pop(), found)
    return found.hex()


def included(line, place, path, size, root):
    if place < 0 or place >= size:
        return False
    at, last, found = place, size - 1, hashed(b"\0", line.encode("utf-8"))
    for text in path:
        if last == 0:
            return False
        other = bytes.fromhex(text)
        if at % 2 == 1 or at == last:
            found = hashed(b"\1", other, found)
            while at % 2 == 0 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            found = hashed(b"\1", found, other)
        at, last = at >> 1, last >> 1
    return last == 0 and found.hex() == root
