"""Contracts of every table at every stage: the ground floor, which imports nothing of ours."""
