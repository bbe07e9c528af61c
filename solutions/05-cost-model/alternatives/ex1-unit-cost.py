# ---
# answers: ex1
# why: the course's own unit_cost for each hour in which somebody asks
# ---
def day_bill(loads, seconds, each, hour, least):
    count = []
    for load in loads:
        count.append(unit_cost(load, seconds, each, hour, least).replicas if load else least)
    asked = np.sum(np.multiply(loads, 3600))
    total = np.float64(hour) * np.sum(count)
    return {
        "work": np.sum(loads) * seconds / np.sum(count),
        "request": total / asked if asked > 0 else None,
        "eur": total,
        "machines": [int(one) for one in count],
    }
