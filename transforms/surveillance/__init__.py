"""Surveillance: what past nights predicted beside what came, night after night."""
