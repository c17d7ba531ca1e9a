"""Pure transformations of frames: reading, variables, review, measures.

A patient's result is a function of that patient's rows, the date, the settings and the models:
nothing here looks at another patient but measures, and `reading`, where two patients' rows share a
key.
"""
