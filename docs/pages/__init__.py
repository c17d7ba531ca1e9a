"""The pages of the manual that are made from the code: one module per kind of page."""
