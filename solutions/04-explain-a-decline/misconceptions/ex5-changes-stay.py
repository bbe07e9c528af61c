# ---
# answers: ex5
# loses: {ex5-test: 1, ex5-test-together: 2}
# why: never puts a value back, so the later tries are made on another person
# ---
def turning_points(granted, applicant, typical):
    person = dict(applicant)
    for size in range(1, len(typical) + 1):
        found = []
        for names in combinations(sorted(typical), size):
            for name in names:
                person[name] = typical[name]
            if granted(person):
                found.append(list(names))
        if found:
            return found
    return []
