# ---
# answers: ex5
# why: an OrderedDict and a frozenset of fields; hits are NumPy truth values
# ---
from collections import OrderedDict


def replay(requests, size):
    cache, hits = OrderedDict(), np.zeros(len(requests), dtype=bool)
    for number, (application, version) in enumerate(requests):
        fields = dict(application)
        fields.pop("application_id", None)
        asked = version, frozenset(fields.items())
        if asked in cache:
            hits[number] = True
            cache.move_to_end(asked)
        elif size > 0:
            if len(cache) == size:
                cache.popitem(last=False)
            cache[asked] = None
    return list(hits)
