"""From received text to typed rows, and what is set aside."""
