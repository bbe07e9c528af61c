"""The steps of nbgrader's `autograde`, by name: for settings, which are read without importing any of them."""

STOCK = (
    "nbgrader.preprocessors.Execute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
)
"""What nbgrader does itself when it autogrades."""
OURS = ("autograder.nbgrader.plugin.Examine", *STOCK[1:])
"""The same with our kernels, sandbox and examiner in the place of nbgrader's `Execute`."""
