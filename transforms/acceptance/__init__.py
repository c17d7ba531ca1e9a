"""Tonight beside the nights before: figures, how they moved, and how far they may."""
