# ---
# attack: "binds the names that the tests use (abs, np, pd, isinstance, sum, rates, truth …) to its own in the notebook"
# kind: extra cell
# honest: []
# gets: {ex1-test: 0, ex2-test: 0, ex3-test: 0, ex4-test: 0, ex4-test-close: 0}
# student sees: "…12.68 % a year…"
# ---
# %% before ex1
class Yes:
    def __getattr__(self, name):
        return self

    def __call__(self, *args, **kwargs):
        return self

    def __eq__(self, other):
        return True

    def __lt__(self, other):
        return True

    def __bool__(self):
        return True

    def __iter__(self):
        return iter([])

    def __getitem__(self, name):
        return self


np = pd = Yes()
abs = isinstance = list = sorted = len = set = sum = Yes()
rates = late = truth = found = many = book = asked = quoted = Yes()
LOANS = Yes()
AssertionError = SystemExit
__name__ = "examiner"


def round(*args):
    return 4.0


def float(*args):
    return 4.0
