# ---
# answers: ex4
# loses: {ex4-test-plan: 2}
# why: has the job on demand pay for a restart
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
    hours = []
    for pieces in range(1, 201):
        each = work / pieces
        hours.append(expected_hours(work, each, save, restart, between))
    eur = min(hours) * spot
    return {
        "young": min(work, math.sqrt(2 * save * between)),
        "pieces": 1 + hours.index(min(hours)),
        "eur": eur,
        "where": "spot" if eur < (work + save + restart) * demand else "demand",
    }
