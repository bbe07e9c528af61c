# ---
# answers: ex5
# loses: {ex5-test: 1, ex5-test-together: 2}
# why: stops at the first set, so which way out the applicant hears of depends on the alphabet
# ---
def turning_points(granted, applicant, typical):
    for size in range(1, len(typical) + 1):
        for names in combinations(sorted(typical), size):
            if granted(applicant | {name: typical[name] for name in names}):
                return [list(names)]
    return []
