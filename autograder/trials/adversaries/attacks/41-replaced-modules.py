# ---
# attack: puts its own modules in the place of numpy and pandas, in sys.modules and by an import hook
# kind: extra cell
# honest: []
# gets: {ex1-test: 0, ex2-test: 0, ex3-test: 0, ex4-test: 0, ex4-test-close: 0}
# student sees: "…12.68 % a year…"
# ---
# %% before ex1
import builtins
import importlib.abc
import importlib.machinery
import sys
import types


class Fake(types.ModuleType):
    def __getattr__(self, name):
        return lambda *args, **kwargs: True


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec):
        return Fake(spec.name)

    def exec_module(self, module):
        pass


for name in ("numpy", "numpy.testing", "pandas", "pandas.testing", "math", "json"):
    sys.modules[name] = Fake(name)
sys.meta_path.insert(0, Finder())
np = pd = Fake("numpy")
builtins.__import__ = lambda name, *args, **kwargs: sys.modules.get(name, Fake(name))
