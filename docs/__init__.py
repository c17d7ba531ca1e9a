"""The manual; what of it is made from the code, `generate` makes."""
