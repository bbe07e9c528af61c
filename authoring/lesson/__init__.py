"""What a lesson has to keep to, and the tools that hold it to that."""
