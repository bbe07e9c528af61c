"""Attacks on the data, the model and the service, and what holds against each.

The modules are imported one by one.
"""
