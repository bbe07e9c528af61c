"""Grading of labs beside nbgrader: warm kernels, a sandbox, an examiner out of reach, and cohorts that lose nothing."""
