# ---
# answers: ex5
# loses: {ex5-test-outcomes: 2}
# why: takes any month with more defaults than expected for a bad one
# ---
def inputs_say(columns):
    for name, one in columns.items():
        if one["age_minutes"] > 9:
            return {"cause": "stale", "column": name}
    for name, one in columns.items():
        if one["median"] is not None and not 0.65 < one["median"] / one["reference_median"] < 1.5:
            return {"cause": "feed", "column": name}
    moved = [name for name, one in columns.items() if one["psi"] > 0.1]
    return {"cause": "applicants" if len(moved) >= 2 else None, "column": None}


def outcomes_say(months):
    bad = [one["feed"] for one in months if one["defaults"] > one["expected"]]
    if not bad:
        return None
    return "recession" if "whole" in bad else "echo"
