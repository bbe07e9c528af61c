# ---
# answers: ex8
# loses: {ex8-test-faults: 2}
# why: counts the first call among the retries
# ---
def backfill(months, run, kept, retries):
    report = {}
    for month in sorted(set(months)):
        if month in kept:
            report[month] = {"status": "kept", "result": kept[month], "attempts": 0}
            continue
        for attempt in range(1, max(retries, 1) + 1):
            try:
                report[month] = {"status": "made", "result": run(month), "attempts": attempt}
                break
            except OSError:
                report[month] = {"status": "failed", "result": None, "attempts": attempt}
            except Exception:
                report[month] = {"status": "failed", "result": None, "attempts": attempt}
                break
    return report
