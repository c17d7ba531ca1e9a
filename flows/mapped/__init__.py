"""A hospital's own files as an export: read, mapped to tables, and every record accounted for."""
