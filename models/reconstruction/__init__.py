"""From the published tables to the constants that the papers do not print.

Of all cohorts that agree with every published figure, the one of maximum entropy assumes nothing
else; how far a constant can move while the figures still hold is its interval. Needs scipy, which
the night does not. `make reconstruct` writes docs/fidelity.md.
"""
