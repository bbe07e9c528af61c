# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: takes a restart for a minute without requests
# ---
def increases(readings):
    grown, last = [], None
    for reading in readings:
        grown.append(None if reading is None or last is None else max(reading - last, 0))
        last = last if reading is None else reading
    return grown[1:]
