"""A place for code that nobody trusts. No root needed."""
