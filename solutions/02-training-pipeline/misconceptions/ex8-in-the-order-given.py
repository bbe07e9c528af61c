# ---
# answers: ex8
# loses: {ex8-test: 2}
# why: runs the months in the order of the list, and twice what stands there twice
# ---
def backfill(months, run, kept, retries):
    report = {}
    for month in months:
        if month in kept:
            report[month] = {"status": "kept", "result": kept[month], "attempts": 0}
            continue
        for attempt in range(1, retries + 2):
            try:
                report[month] = {"status": "made", "result": run(month), "attempts": attempt}
                break
            except OSError:
                report[month] = {"status": "failed", "result": None, "attempts": attempt}
            except Exception:
                report[month] = {"status": "failed", "result": None, "attempts": attempt}
                break
    return report
