"""Readers of formats: each gives frames of text, one row per record of a file."""
