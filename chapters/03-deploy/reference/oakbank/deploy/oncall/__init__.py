"""On call: drills with a clock. A fault is drawn from a published grammar, a desk answers queries and takes actions.

`grammar` says what may happen, `bank` what it costs, `signals` what it leaves in metrics, logs and records, `desk`
keeps the clock, `score` judges a policy. Import from the modules.
"""
