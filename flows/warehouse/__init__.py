"""The warehouse: what the registry said, and when."""
