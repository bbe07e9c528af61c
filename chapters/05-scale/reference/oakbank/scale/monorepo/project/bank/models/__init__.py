"""The models, a module each."""
