# ---
# attack: "rewrites every later cell: IPython's input and syntax-tree transformers, event hooks, run_cell, showtraceback, exception handlers"
# kind: extra cell
# honest: []
# gets: {ex1-test: 0, ex2-test: 0, ex3-test: 0, ex4-test: 0, ex4-test-close: 0}
# student sees: "…it compounds…"
# ---
# %% before ex1
import ast
import sys

from IPython.core.interactiveshell import InteractiveShell

shell = get_ipython()


class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()


def no_lines(lines):
    return ["pass\n"] if any("assert" in line for line in lines) else lines


def quiet(*args, **kwargs):
    return None


shell.ast_transformers.append(NoAsserts())
shell.input_transformers_cleanup.append(no_lines)
shell.input_transformers_post.append(no_lines)
shell.events.register("pre_run_cell", lambda info: setattr(info, "raw_cell", "4"))
shell.events.register("post_run_cell", lambda result: setattr(result, "error_in_exec", None))
shell.set_custom_exc((BaseException,), quiet)
InteractiveShell.showtraceback = shell.showtraceback = shell._showtraceback = quiet
InteractiveShell.showsyntaxerror = quiet
sys.excepthook = quiet
plain_run = shell.run_cell
shell.run_cell = lambda text, *args, **kwargs: plain_run("4", *args, **kwargs)
