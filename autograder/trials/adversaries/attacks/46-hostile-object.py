# ---
# attack: "returns objects that lie about their class, hang in `__len__`, exit in `__iter__` and raise in `__getattribute__`"
# kind: answer
# honest: [ex1, ex2]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 0, ex4-test: 0, ex4-test-close: 0}
# student sees: "SystemExit…"
# ---
# %% ex3
class Hostile:
    @property
    def __class__(self):
        return int

    def __getattribute__(self, name):
        raise SystemExit(name)

    def __repr__(self):
        raise KeyboardInterrupt

    __str__ = __eq__ = __hash__ = __int__ = __index__ = __repr__


def cheapest(terms, price):
    return Hostile()


# %% ex4
import os


class Frame(pd.DataFrame):
    def __len__(self):
        return 10**18

    def __iter__(self):
        os._exit(0)

    def __getattr__(self, name):
        os._exit(0)

    shape = property(lambda self: (10**18, 2))


def default_rates(loans):
    return Frame({"grade": ["A"], "rate": [0.0]})
