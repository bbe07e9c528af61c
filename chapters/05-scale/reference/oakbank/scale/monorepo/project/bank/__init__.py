"""Fifty models, what they are made of, and who reads their answers."""
