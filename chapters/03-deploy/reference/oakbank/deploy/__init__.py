"""Oakbank in production: the scoring service, the batch job, the monitors, the trigger, the gate.

Import from the modules: the service needs FastAPI, the monitors do not.
"""
