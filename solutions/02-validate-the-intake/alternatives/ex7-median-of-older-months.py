# ---
# answers: ex7
# why: "other limits, found on the same months, and what is usual from all months at hand"
# ---
def inspect(month, history):
    limits = {"volume": 1.6, "missing": 0.045, "unknown": 0.04, "unit": 1.75, "stale": 0.4}
    found = feed_findings(month, history[-1], usual([*history, month]), limits)
    gone = [name for name in usual(history)["columns"] if name not in month]
    return [pair for pair in found if pair[1] != "missing_column"] + [(name, "missing_column") for name in gone]
