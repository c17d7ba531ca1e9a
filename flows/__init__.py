"""Everything that touches the world: the command, Prefect, files, the DuckDB warehouse."""
