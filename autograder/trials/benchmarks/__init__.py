"""Benchmarks of grading: one command measures, keeps the numbers in `results.json` and prints them in README.md.

`python -m autograder.trials.benchmarks throughput` grades the same submissions by stock `nbgrader autograde`, by
this grader and by otter-grader's `otter run`, and runs the bare cells for comparison.
`python -m autograder.trials.benchmarks cohort` grades cohorts of growing size, and watches time and memory.
"""
