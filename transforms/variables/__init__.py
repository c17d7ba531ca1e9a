"""The derived variables: one module each, one row per patient."""
