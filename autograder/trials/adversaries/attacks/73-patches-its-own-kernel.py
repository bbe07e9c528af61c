# ---
# attack: replaces the code that carries its values to the examiner, so that each value says of itself that it is right
# kind: extra cell
# honest: []
# gets: {ex1-test: 0, ex2-test: 0, ex3-test: 0, ex4-test: 0, ex4-test-close: 0}
# student sees: "…"
# ---
# %% before ex1
import gc
import json
import sys

for name, module in list(sys.modules.items()):
    if name.startswith("autograder."):
        for text, thing in list(vars(module).items()):
            if text in ("Writer", "StudentLink"):
                for method in ("message", "value", "_content"):
                    if hasattr(thing, method):
                        setattr(
                            thing,
                            method,
                            lambda self, *args, **kwargs: b'{"value": true, "objects": {}, "changed": {}}',
                        )
            if text == "_test":
                setattr(module, text, lambda *args: {"ok": True, "value": None})
