"""Pure polars: frames in, frames out. No I/O, no clock, no environment."""
