"""Oakbank under supervision: the audit log, lineage of decisions, fairness, reasons for declines.

Import from the modules: reasons need shap, the audit log needs nothing.
"""
