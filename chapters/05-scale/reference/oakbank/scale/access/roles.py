"""Who may do what: roles and routes, as two files that casbin reads. What no line allows is refused."""

from collections.abc import Iterable
from pathlib import Path

import casbin

MODEL = Path(__file__).with_name("model.conf")
POLICY = Path(__file__).with_name("policy.csv")


def enforcer(policy: Path = POLICY) -> casbin.Enforcer:
    """Return casbin with a policy: the bank's, unless another is given.

    Raises:
        FileNotFoundError: There is no such file.
    """
    if not policy.is_file():
        raise FileNotFoundError(f"there is no policy {policy}")
    return casbin.Enforcer(str(MODEL), str(policy))


def may(policy: casbin.Enforcer, roles: Iterable[str], route: str, method: str) -> bool:
    """Say whether one of the roles may call a route, which is named as the application names it: `/loans/{id}`."""
    return any(policy.enforce(role, route, method) for role in roles)
