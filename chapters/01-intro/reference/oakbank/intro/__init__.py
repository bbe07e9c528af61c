"""Oakbank's first model, and what becomes of it when it is left alone."""

from oakbank.intro.first_model import first_model
from oakbank.intro.life import live

__all__ = ["first_model", "live"]
