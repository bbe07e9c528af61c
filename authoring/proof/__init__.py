"""The proof of a lab: its solution, its release, wrong answers, other right ones and mutants, all graded."""
