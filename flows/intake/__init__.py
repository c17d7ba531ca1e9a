"""What comes in: the export's files and their rows, as text."""
