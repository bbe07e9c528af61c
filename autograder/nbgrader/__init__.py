"""nbgrader driven from here: releases, its gradebook, its own `autograde` with our kernels, stock grading."""
