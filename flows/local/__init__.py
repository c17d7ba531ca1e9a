"""Local models: their files, and making them on the registry's own outcomes."""
