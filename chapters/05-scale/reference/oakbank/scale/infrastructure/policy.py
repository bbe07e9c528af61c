"""Policies on a plan, in Rego: what may not be applied, whatever the declaration's text looks like."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regopy import Interpreter, LogLevel, RegoError

_SAID = re.compile(r"errormsg \d+:([^)]+)\)")  # the sentences in the interpreter's tree of errors
BANK_REGO = Path(__file__).with_name("bank.rego")


class PolicyError(ValueError):
    """A policy cannot be read, or has no `deny`."""


def denials(plan: Mapping[str, Any], policy: str) -> list[str]:
    """Return why a plan may not be applied; nothing if it may.

    Args:
        plan: As `Plan.to_json` or OpenTofu's `show -json` give it.
        policy: A module in Rego of the package `bank`, whose set `deny` holds a sentence for each objection.

    Raises:
        PolicyError: The policy cannot be read, or has no `deny`: then it would forbid nothing.
    """
    rego = Interpreter()
    rego.log_level = LogLevel.NONE
    try:
        rego.add_module("bank", policy)
        rego.set_input(dict(plan))
        (result,) = rego.query("data.bank.deny").results
    except RegoError as error:
        said = "; ".join(_SAID.findall(str(error))) or str(error)
        raise PolicyError(f"this is no policy in Rego: {said}") from error
    if not result.expressions:
        raise PolicyError("the policy has no set `deny` in `package bank`, so it would forbid nothing")
    return sorted(str(why) for why in result.expressions[0])
