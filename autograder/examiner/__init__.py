"""Grading one submission: the student's kernel, the examiner's, their conversation, and the marks."""
