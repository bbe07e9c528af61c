# ---
# answers: ex3
# loses: {ex3-test: 2}
# why: the key lacks the model's version, so an old model's answer is given
# ---
def from_cache(log, life):
    """Return for each request whether it was answered from the cache."""
    computed, hits = {}, []
    for one in log:
        key = one["applicant"], one["amount"]
        hit = key in computed and one["at"] - computed[key] <= life
        hits.append(hit)
        if not hit:
            computed[key] = one["at"]
    return hits


def pays_from(asked, price, fill, cache_day):
    """Return the hits a day from which the cache pays, or None."""
    hits = (cache_day + asked * fill) / (price + fill)
    return hits if hits <= asked else None
