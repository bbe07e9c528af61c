"""A lab as an instructor wrote it: its text, the answer key, the known wrong answers, what depends on what."""
