# ---
# attack: returns an object with the methods of a data frame that decides at each call what to answer
# kind: answer
# honest: [ex1, ex2, ex3]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 0, ex4-test-close: 0}
# student sees: "…Return a data frame…"
# ---
# %% ex4
class Zero:
    def __sub__(self, other):
        return np.zeros(4)

    __rsub__ = __sub__


class Column:
    def __init__(self, grades):
        self.grades = grades

    def tolist(self):
        return self.grades

    def to_numpy(self):
        return Zero()

    def __iter__(self):
        return iter(self.grades)


class DataFrame:
    columns = ["grade", "rate"]

    def __init__(self, loans):
        self.grades = sorted(set(loans["grade"]))

    def __getitem__(self, name):
        return Column(self.grades)


DataFrame.__module__ = "pandas.core.frame"


def default_rates(loans):
    return DataFrame(loans)
