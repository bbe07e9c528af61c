"""Oakbank at scale: ONNX inference, micro-batching, a load generator, and the flight simulator.

Import from the modules (`oakbank.scale.flight`, ...); each brings only the packages it needs.
"""
