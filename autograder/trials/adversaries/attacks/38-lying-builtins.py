# ---
# attack: "replaces builtins that tests stand on: AssertionError, print, isinstance, len, abs, all, any, round, sorted, float"
# kind: extra cell
# honest: []
# gets: {ex1-test: 0, ex2-test: 0, ex3-test: 0, ex4-test: 0, ex4-test-close: 0}
# student sees: "…12.68 % a year…"
# ---
# %% before ex1
import builtins


class Silent(Warning):
    def __new__(cls, *args):
        return None


class Four(float):
    def __new__(cls, *args):
        return float.__new__(cls, 4)


builtins.AssertionError = Silent
builtins.print = lambda *args, **kwargs: None
builtins.isinstance = lambda thing, kind: True
builtins.abs = lambda thing: 0
builtins.all = builtins.any = lambda things: True
builtins.round = lambda *args: 4.0
builtins.sorted = lambda things, **kwargs: [6, 18, 30, 42]
builtins.float = Four
