# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: takes differences, so a restart looks like minus thousands of requests
# ---
def increases(readings):
    grown, last = [], None
    for reading in readings:
        grown.append(None if reading is None or last is None else reading - last)
        last = last if reading is None else reading
    return grown[1:]
