# ---
# answers: ex5
# why: with limits of its own, on logarithms and standard errors
# ---
def inputs_say(columns):
    stale = [name for name, one in columns.items() if one["age_minutes"] >= 10]
    far = [
        name
        for name, one in columns.items()
        if one["median"] is not None and abs(math.log(one["median"] / one["reference_median"])) > 0.6
    ]
    if stale or far:
        return {"cause": "stale" if stale else "feed", "column": (stale or far)[0]}
    people = sum(one["psi"] > 0.1 for one in columns.values()) > 1
    return {"cause": "applicants" if people else None, "column": None}


def outcomes_say(months):
    bad = {one["feed"] for one in months if (one["defaults"] - one["expected"]) / math.sqrt(one["expected"]) > 3}
    return None if not bad else "echo" if bad == {"broken"} else "recession"
