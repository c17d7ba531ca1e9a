"""Pure polars: frames in, frames out. No I/O, no clock, no environment.

A patient's result is a function of that patient's rows, the date, the settings and the models:
nothing but the measures looks at other patients, and `reading` where two share a key.
"""
