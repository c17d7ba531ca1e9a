"""Amounts of memory as settings write them."""

_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
SIZE = r"^\d+(\.\d+)? ?([KMGT]i?B)$"
"""How settings write an amount of memory."""


def bytes_of(size: str) -> int:
    """Return the bytes of an amount like 500MB or 1.5 GiB."""
    unit = size.lstrip("0123456789. ")
    return int(float(size.removesuffix(unit)) * _UNITS[unit.upper()])
