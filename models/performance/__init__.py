"""How well predictions hold on outcomes: discrimination, calibration, accuracy, usefulness.

Pure: frames of predictions and outcomes in, frames of figures out. Each module is one idea, its
docstring the definition with equation and source; `docs/validation.md` compares the definitions.
"""
