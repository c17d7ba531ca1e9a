"""The command `thyrisk` and its subcommands."""
