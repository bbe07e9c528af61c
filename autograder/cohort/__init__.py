"""Grading all submissions of a lab: engines, the files of the results, what a command shows of it."""
