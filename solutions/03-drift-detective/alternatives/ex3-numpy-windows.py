# ---
# answers: ex3
# why: windows over an array; the month is a NumPy integer
# ---
def first_alarm(signal, threshold, patience):
    high = np.asarray(signal, dtype=float) >= threshold
    if len(high) < patience:
        return None
    rows = np.lib.stride_tricks.sliding_window_view(high, patience).all(axis=1)
    starts = np.flatnonzero(rows)
    return starts[0] if starts.size else None
