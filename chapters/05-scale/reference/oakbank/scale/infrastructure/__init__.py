"""The bank's infrastructure as code: declared, planned, applied, compared with the world, and judged before it changes.

A small tool of the same shape as OpenTofu, over the AWS API; `bank.tf` declares the same to OpenTofu itself.
"""

from oakbank.scale.infrastructure.bank import BANK_TF, declare
from oakbank.scale.infrastructure.emulator import emulated, work_as_nobody
from oakbank.scale.infrastructure.plan import Change, Plan, make_plan
from oakbank.scale.infrastructure.policy import BANK_REGO, PolicyError, denials
from oakbank.scale.infrastructure.workspace import DeniedError, InfrastructureError, StalePlanError, Workspace

__all__ = [
    "BANK_REGO",
    "BANK_TF",
    "Change",
    "DeniedError",
    "InfrastructureError",
    "Plan",
    "PolicyError",
    "StalePlanError",
    "Workspace",
    "declare",
    "denials",
    "emulated",
    "make_plan",
    "work_as_nobody",
]
