"""Reviews: how they are taken, kept for ever, and brought together for a night."""
