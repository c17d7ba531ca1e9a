# ruff: noqa: T201
"""The long run: `python -m tests.law NUMBER [SEED]`."""

import sys

from tests.law.law import every_kind, run_long

tried = run_long(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
missed = every_kind() - tried.damages.keys()
for line in tried.broken[:50]:
    print(line)
print(
    f"{tried.number} damages of {len(tried.damages)} kinds; {len(missed)} kinds not tried; "
    f"{len(tried.broken)} answers became others"
)
sys.exit(bool(tried.broken or missed))
