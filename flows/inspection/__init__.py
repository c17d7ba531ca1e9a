"""Files as they come, looked at before there is a mapping."""
