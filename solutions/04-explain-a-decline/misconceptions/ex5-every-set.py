# ---
# answers: ex5
# loses: {ex5-test: 1, ex5-test-together: 2}
# why: returns all sets that turn the decision, with names in them that nobody needs
# ---
def turning_points(granted, applicant, typical):
    found = []
    for size in range(1, len(typical) + 1):
        for names in combinations(sorted(typical), size):
            if granted(applicant | {name: typical[name] for name in names}):
                found.append(list(names))
    return found
