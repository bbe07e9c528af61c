"""Errors that end in a sentence, not in a traceback."""


class UserError(RuntimeError):
    """Something the user can put right; the message says what. The command prints it without a traceback."""


class BuildError(UserError):
    """A source that no file can be generated from; the message names it and says what to change."""
