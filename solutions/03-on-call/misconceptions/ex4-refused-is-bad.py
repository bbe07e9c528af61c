# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: counts what the contract refuses as the version's fault
# ---
def lay_blame(requests):
    slow = [one for one in requests if sum(one["milliseconds"].values()) > 1000]
    bad = Counter(one["version"] for one in requests if one["status"] >= 400 or one in slow)
    size = Counter(one["version"] for one in requests)
    guilty = None
    for version, n in size.items():
        m, a = size.total() - n, bad[version]
        b = bad.total() - a
        q = (a + b) / (n + m)
        if m and 0 < q < 1 and (a / n - b / m) / math.sqrt(q * (1 - q) * (1 / n + 1 / m)) >= 4:
            guilty = version
    longest = Counter(max(one["milliseconds"], key=one["milliseconds"].get) for one in slow)
    errors = Counter(one["error"] for one in requests if one["error"])
    return {
        "version": guilty,
        "part": longest.most_common(1)[0][0] if slow and len(slow) >= 0.05 * len(requests) else None,
        "error": errors.most_common(1)[0][0] if errors else None,
    }
