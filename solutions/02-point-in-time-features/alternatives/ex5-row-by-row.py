# ---
# answers: ex5
# why: copies and loops, compares as text
# ---
def leaks(build, applications, outcomes, month):
    turned = outcomes.copy()
    turned["defaulted"] = [
        not bad if known >= month else bad
        for known, bad in zip(turned["known_month"], turned["defaulted"], strict=True)
    ]
    gone = outcomes.drop(columns=[]).loc[[known < month for known in outcomes["known_month"]]]
    rows = [position for position, m in enumerate(applications["month"]) if m <= month]
    views = [build(applications, table).iloc[rows] for table in (outcomes, turned, gone)]
    return sorted(
        c
        for c in views[0]
        if any(list(map(repr, map(float, views[0][c]))) != list(map(repr, map(float, v[c]))) for v in views[1:])
    )
