"""The grader on trial: submissions that attack it, and benchmarks against nbgrader and Otter-Grader."""
