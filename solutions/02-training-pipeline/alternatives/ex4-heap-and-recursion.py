# ---
# answers: ex4
# why: a heap for the order and recursion for what changed; imports of its own, and a warning on stderr
# ---
import heapq
import warnings


def stale(steps, changed):
    def dirty(name):
        return name in changed or any(dirty(source) for source in steps.get(name, []))

    if not changed:
        warnings.warn("nothing changed", stacklevel=2)
    readers = {name: [] for name in steps}
    waits = dict.fromkeys(steps, 0)
    for name, sources in steps.items():
        for source in set(sources) & set(steps):
            readers[source].append(name)
            waits[name] += 1
    ready = [name for name in steps if waits[name] == 0]
    heapq.heapify(ready)
    order = []
    while ready:
        name = heapq.heappop(ready)
        order.append(name)
        for reader in readers[name]:
            waits[reader] -= 1
            if waits[reader] == 0:
                heapq.heappush(ready, reader)
    return list(filter(dirty, order))
