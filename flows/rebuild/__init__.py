"""Making a damaged warehouse anew, from a backup, from exports, and from what is left of it."""
