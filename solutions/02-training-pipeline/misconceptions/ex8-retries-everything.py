# ---
# answers: ex8
# loses: {ex8-test-faults: 2}
# why: tries again whatever went wrong, so bad data are read three times
# ---
def backfill(months, run, kept, retries):
    report = {}
    for month in sorted(set(months)):
        if month in kept:
            report[month] = {"status": "kept", "result": kept[month], "attempts": 0}
            continue
        for attempt in range(1, retries + 2):
            try:
                report[month] = {"status": "made", "result": run(month), "attempts": attempt}
                break
            except Exception:
                report[month] = {"status": "failed", "result": None, "attempts": attempt}
    return report
