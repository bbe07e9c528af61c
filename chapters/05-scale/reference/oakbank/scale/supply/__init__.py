"""What comes into the bank from outside, and what may come in: model files, signatures, actions.

One rule in four places: the list of what may come in belongs to whoever lets it in, and is never read from what wants
to come in. The modules are imported one by one.
"""
