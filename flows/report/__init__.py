"""report.html: one self-contained page of a night, made from what the night publishes."""
