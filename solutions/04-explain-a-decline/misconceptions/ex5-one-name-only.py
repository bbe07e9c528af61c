# ---
# answers: ex5
# loses: {ex5-test-together: 2}
# why: tries each name by itself and gives up
# ---
def turning_points(granted, applicant, typical):
    return [[name] for name in sorted(typical) if granted(applicant | {name: typical[name]})]
