# ---
# answers: ex8
# loses: {ex8-test: 2}
# why: sorts the list that the caller goes on using
# ---
def backfill(months, run, kept, retries):
    """Run the months that are missing, oldest first; return what became of each."""
    report = {}
    months.sort()
    for month in months:
        if month in report:
            continue
        entry = {"status": "failed", "result": None, "attempts": 0}
        if month in kept:
            entry = {"status": "kept", "result": kept[month], "attempts": 0}
        while entry["status"] == "failed" and entry["attempts"] <= retries:
            entry["attempts"] += 1
            try:
                entry |= {"result": run(month), "status": "made"}
            except OSError:
                continue
            except Exception:
                break
        report[month] = entry
    return report
