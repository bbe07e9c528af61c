# ---
# answers: ex8
# loses: {ex8-test: 2}
# why: asks for the result instead of the month, and so runs a month again whose result is None
# ---
def backfill(months, run, kept, retries):
    report = {}
    for month in sorted(set(months)):
        if kept.get(month):
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
