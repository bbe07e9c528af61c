"""What an author runs: every generated file from its one truth, the rules for texts, and the proof of labs."""
