# ---
# answers: ex4
# why: a word for each group, and the worst of them
# ---
def gate(granted, group, limit, least):
    found = rates(granted, group)
    if len(found) < 2 or any(one["n"] < least for one in found.values()):
        return "not enough data"
    ordered = sorted(found.values(), key=lambda one: one["rate"])
    high, words = ordered[-1], set()
    for one in ordered[:-1]:
        low, up = ratio_interval(one["granted"], one["n"], high["granted"], high["n"])
        words.add("refuse" if up < limit else "pass" if low >= limit else "not enough data")
    return min(words, key=["refuse", "not enough data", "pass"].index)
