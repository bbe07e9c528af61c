# ---
# answers: ex8
# why: counts down by recursion, and takes the kept months out first
# ---
def backfill(months, run, kept, retries):
    def attempt(month, left, calls=1):
        try:
            return {"status": "made", "result": run(month), "attempts": calls}
        except OSError:
            if left > 0:
                return attempt(month, left - 1, calls + 1)
        except BaseException as error:
            print(month, error)
        return {"status": "failed", "result": None, "attempts": calls}

    wanted = sorted(dict.fromkeys(months))
    done = {month: {"status": "kept", "result": kept[month], "attempts": 0} for month in wanted if month in kept}
    return {month: done[month] if month in done else attempt(month, retries) for month in wanted}
