# ---
# answers: ex3
# why: looks back through what was computed, and solves for the misses
# ---
def from_cache(log, life):
    computed, hits = [], []
    for one in log:
        found = any(
            old["applicant"] == one["applicant"]
            and old["amount"] == one["amount"]
            and old["version"] == one["version"]
            and old["at"] >= one["at"] - life
            for old in computed
        )
        if not found:
            computed.append(one)
        hits.append(np.bool_(found))
    return tuple(hits)


def pays_from(asked, price, fill, cache_day):
    # The misses that are just affordable: cache_day + misses * (price + fill) == asked * price.
    misses = (asked * price - cache_day) / (price + fill)
    if misses < 0:
        return None
    return asked - misses
