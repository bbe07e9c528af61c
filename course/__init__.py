"""The `course` command, the syllabus, the generators and the checks."""
