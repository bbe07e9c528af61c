"""Warm kernels: Jupyter kernels, and other processes, forked from one that has imported the heavy libraries."""
