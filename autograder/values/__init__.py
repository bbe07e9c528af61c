"""How values cross between a student's kernel and the examiner's, so that nothing of the student's runs there."""
