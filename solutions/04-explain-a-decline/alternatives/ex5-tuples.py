# ---
# answers: ex5
# why: goes through all sets as bits, and returns tuples of names
# ---
def turning_points(granted, applicant, typical):
    names = sorted(typical)
    turning = []
    for bits in range(1, 2 ** len(names)):
        chosen = tuple(name for place, name in enumerate(names) if bits >> place & 1)
        changed = dict(applicant)
        for name in chosen:
            changed[name] = typical[name]
        if granted(changed):
            turning.append(chosen)
    smallest = min(map(len, turning), default=0)
    return sorted(chosen for chosen in turning if len(chosen) == smallest)
