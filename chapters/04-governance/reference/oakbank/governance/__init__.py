"""Oakbank under supervision: the audit log, lineage of decisions, fairness, reasons for declines.

Import from the modules: reasons need shap, roles the gate of chapter 3, the audit log needs neither.
"""
