"""What is in files that nobody has mapped yet: profiles of columns, and proposals for a mapping."""
