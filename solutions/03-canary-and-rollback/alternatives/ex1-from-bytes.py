# ---
# answers: ex1
# why: reads the first four bytes
# ---
def arm(applicant, share, salt):
    first = hashlib.sha256((salt + ":" + applicant).encode("utf-8")).digest()[:4]
    half, place = divmod(2 * int.from_bytes(first, "big") / 2**32, 1)
    if place / 2 >= share:
        return "champion"
    return "baseline" if half else "canary"
