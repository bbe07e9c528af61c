"""Fifty models in one repository: which of them a change reaches, and what each build says of it; lesson 05/01.

monorepo.write_project(Path("bank"), env)             # a git repository, with a branch for each of CHANGES
monorepo.affected(Path("bank"), ["data/rates.csv"])   # ['m07', 'm21', 'm35'], if they declare that they read it
monorepo.build(Path("bank"), ["m07", "letters"])      # the names whose tests fail: set()
"""

from oakbank.scale.monorepo.affected import affected, declared, is_hermetic, undeclared
from oakbank.scale.monorepo.project import CHANGES, MODELS, build, write_project

__all__ = ["CHANGES", "MODELS", "affected", "build", "declared", "is_hermetic", "undeclared", "write_project"]
