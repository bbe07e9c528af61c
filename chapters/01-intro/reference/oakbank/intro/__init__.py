"""Oakbank's first model, what becomes of it when it is left alone, and the service that answers with it.

Import from the modules (`oakbank.intro.loans`, ...): a service needs none of the packages that trained its model.
"""
