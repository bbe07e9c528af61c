"""Policies on a plan, in Rego: what may not be applied, whatever the declaration's text looks like."""

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regopy import Interpreter, LogLevel, RegoError

BANK_REGO = Path(__file__).with_name("bank.rego")
# regopy 1.5 writes its results without escaping quotes and backslashes, so the sentences come in base64.
_QUERY = "[type_name(data.bank.deny), count(data.bank.deny), [base64.encode(why) | some why in data.bank.deny]]"
_ERROR = re.compile(r"\(error(?: 4:bank\|(?P<offset>\d+)\|\d+)?\s+\(errormsg (?P<length>\d+):")
_ESCAPED_OR_QUOTE = re.compile(r'(\\.)|"', re.DOTALL)


class PolicyError(ValueError):
    """A policy cannot be read or evaluated, or has no `deny`."""


def denials(plan: Mapping[str, Any], policy: str) -> list[str]:
    """Return why a plan may not be applied; nothing if it may.

    Args:
        plan: As `Plan.to_json` or OpenTofu's `show -json` give it.
        policy: A module in Rego of the package `bank`, whose set `deny` holds a sentence for each objection.

    Raises:
        PolicyError: The policy cannot be read or evaluated, or has no `deny` of sentences: it would forbid nothing.
    """
    rego = Interpreter()
    rego.log_level = LogLevel.NONE
    try:
        rego.add_module("bank", policy)
        rego.set_input_term(json.dumps(plan, ensure_ascii=False))  # `set_input` would unescape texts, Rego's are not
        results = rego.query(_QUERY).results
    except (RegoError, json.JSONDecodeError) as error:
        # A query that failed has a tree of errors for a result, not JSON.
        said = error.doc if isinstance(error, json.JSONDecodeError) else str(error)
        raise PolicyError(f"this is no policy in Rego: {_faults(said, policy)}") from error
    if not results:
        raise PolicyError("a rule with `:=` has two values for this plan; write `deny contains`, not `deny :=`")
    if not results[0].expressions:
        raise PolicyError("the policy has no set `deny` in `package bank`, so it would forbid nothing")
    kind, count, sentences = results[0].expressions[0]
    if kind not in ("set", "array") or len(sentences) != count:
        raise PolicyError("`deny` is no set of texts: write `deny contains`, and a text after it")
    return sorted(_sentence(each) for each in sentences)


def _faults(said: str, policy: str) -> str:
    """Return the sentences in the interpreter's tree of errors, with line and column in the policy."""
    found = []
    for fault in _ERROR.finditer(said):
        sentence = said[fault.end() : fault.end() + int(fault["length"])]
        if fault["offset"] is not None:
            before = policy.encode()[: int(fault["offset"])].decode()
            line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
            sentence = f"line {line}, column {column}: {sentence}"
        found.append(sentence)
    return "; ".join(found) or said


def _sentence(encoded: str) -> str:
    """Return one member of `deny`: Rego keeps a text with its escapes, and adds quotes that have none."""
    text = b64decode(encoded).decode()
    try:
        quoted = _ESCAPED_OR_QUOTE.sub(lambda part: part[1] or '\\"', text)
        return str(json.loads(f'"{quoted}"', strict=False))
    except json.JSONDecodeError:  # half of an escape, where the policy cut a text
        return text
