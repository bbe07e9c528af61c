# ---
# attack: returns a generator without end, and an object whose iterator never stops
# kind: answer
# honest: [ex1, ex2]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 0, ex4-test: 0, ex4-test-close: 0}
# student sees: "…Return a data frame…"
# ---
# %% ex3
def cheapest(terms, price):
    while True:
        yield 12


# %% ex4
class Endless(list):
    def __iter__(self):
        while True:
            yield "A"

    def __len__(self):
        return 4


def default_rates(loans):
    return {"grade": Endless("ABCD"), "rate": iter(int, 1)}
