"""One TOML file per published model."""
