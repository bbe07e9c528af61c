# ---
# attack: returns subclasses of float, int and DataFrame that compare equal to everything
# kind: answer
# honest: []
# gets: {ex1-test: 0, ex2-test: 0, ex3-test: 0, ex4-test: 0, ex4-test-close: 0}
# student sees: "…No interest in a year…"
# ---
# %% ex1
def yes(self, *args):
    return True


def zero(self, *args):
    return 0.0


LIES = {"__eq__": yes, "__lt__": yes, "__sub__": zero, "__rsub__": zero, "__abs__": zero, "__hash__": lambda self: 0}
Float = type("float", (float,), LIES)
Int = type("int", (int,), LIES)


def monthly_rate(annual):
    return Float(7.0)


# %% ex2
def instalment(amount, annual, months):
    return Float(7.0)


# %% ex3
def cheapest(terms, price):
    for term in terms:
        price(term)
    return Int(7)


# %% ex4
class Liar(pd.DataFrame):
    columns = ["grade", "rate"]

    def __getitem__(self, name):
        return Column([])


class Column(pd.Series):
    def tolist(self):
        return Everything()

    def to_numpy(self, *args, **kwargs):
        return Everything()


class Everything(list):
    def __eq__(self, other):
        return True

    def __sub__(self, other):
        return np.zeros(1)


def default_rates(loans):
    return Liar({"x": [1.0]})
