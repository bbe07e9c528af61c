"""From what was handed in to one notebook a student, and from that to the notebook that is graded."""
