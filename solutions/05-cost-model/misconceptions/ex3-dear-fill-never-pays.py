# ---
# answers: ex3
# loses: {ex3-test-pays: 2}
# why: thinks that a cache never pays whose entry costs more than an answer
# ---
def from_cache(log, life):
    """Return for each request whether it was answered from the cache."""
    computed, hits = {}, []
    for one in log:
        key = one["applicant"], one["amount"], one["version"]
        hit = key in computed and one["at"] - computed[key] <= life
        hits.append(hit)
        if not hit:
            computed[key] = one["at"]
    return hits


def pays_from(asked, price, fill, cache_day):
    """Return the hits a day from which the cache pays, or None."""
    if fill > price:
        return None
    hits = (cache_day + asked * fill) / (price + fill)
    return hits if hits <= asked else None
