# ---
# answers: ex4
# loses: {ex4-test-plan: 2}
# why: looks for the minimum only beside Young's number of pieces
# ---
def finished(work, interval, save, restart, quiet):
    """Return after how many hours the job is done."""
    clock, done, used = 0, 0, 0
    for length in [*quiet, math.inf]:
        while done < work:
            piece = min(interval, work - done)
            if used + piece + save > length:
                break
            used += piece + save
            done += piece
        if done >= work:
            return clock + used
        clock, used = clock + length, restart


def spot_plan(work, save, restart, between, spot, demand):
    """Return "young", "pieces", "eur" and "where" of a job."""
    save, restart = save / 60, restart / 60
    count = min(200, round(work / min(work, math.sqrt(2 * save * between))))
    hours = {}
    for pieces in range(max(1, count - 2), min(200, count + 2) + 1):
        each = work / pieces
        hours[pieces] = expected_hours(work, each, save, restart, between)
    eur = min(hours.values()) * spot
    return {
        "young": min(work, math.sqrt(2 * save * between)),
        "pieces": min(hours, key=hours.get),
        "eur": eur,
        "where": "spot" if eur < (work + save) * demand else "demand",
    }
