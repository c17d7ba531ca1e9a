"""A hospital's own files as the tables of the contract: what is declared, compiled to SQL."""
