"""What a model may use of an application, a module each."""
