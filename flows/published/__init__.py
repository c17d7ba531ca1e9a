"""The published nights: written, found, proved, asked."""
