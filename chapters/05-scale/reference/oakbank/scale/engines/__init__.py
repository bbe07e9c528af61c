"""Training and batch scoring on one machine and on an engine: what the engine costs, and from which size on it pays.

Import from the modules (`oakbank.scale.engines.scoring`, ...); only `cluster` and `training` need Dask.
"""
