# ---
# answers: ex6
# why: three months in a row instead of two, as an array
# ---
def find_concept_drift(surprises, delay):
    high = np.array(surprises, dtype=float) > 4
    lasting = high[:-2] & high[1:-1] & high[2:]
    return int(np.argmax(lasting)) - delay if lasting.any() else None
