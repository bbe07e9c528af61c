# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: "takes the last months that occur, not the months of the calendar: a quiet segment looks busy"
# ---
def recent(applications, asked, window=3):
    counts = applications.groupby(["segment", "month"]).size()
    found = []
    for m, s in zip(asked["month"], asked["segment"], strict=True):
        own = counts[s] if s in counts else counts.iloc[:0].droplevel(0)
        found.append(int(own[own.index < m].tail(window).sum()))
    return found
