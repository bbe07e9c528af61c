# ---
# attack: "rewrites the callback's code, default values and name, calls it with objects of its own, and calls it for ever"
# kind: answer
# honest: [ex1, ex2, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 0, ex4-test: 2, ex4-test-close: 4}
# student sees: "…still running after 3 s…"
# ---
# %% ex3
class Term(int):
    def __reduce__(self):
        return exec, ("import os; os._exit(0)",)

    def __hash__(self):
        return hash(18)

    def __eq__(self, other):
        return True


def cheapest(terms, price):
    try:
        price.__code__ = (lambda term: 0).__code__
        price.__defaults__ = (0,)
        price.__name__ = "assert"
    except BaseException as error:
        print(error)
    try:
        price(Term(5))
    except BaseException as error:
        print(error)
    while True:
        price(terms[0])
