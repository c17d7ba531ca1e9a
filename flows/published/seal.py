"""What ties nights together and to their key: the hash of the night before, the signature."""

import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.disk import sha256
from flows.published.nights import RUN
from flows.secrets import Keys

SIGNATURE = "signature"
_PURPOSE = b"thyrisk run.json\n"


def sha256_of_run(out: Path, night: str | None) -> str | None:
    """Return the sha256 of a night's run.json; None where there is none."""
    path = out / night / RUN if night else None
    return sha256(path) if path and path.is_file() else None


def signature(report: Mapping[str, Any], keys: Keys) -> str | None:
    """Sign what run.json says, the digests of the outputs among it; None without a key.

    HMAC-SHA256 with the key of the pseudonyms over the sorted JSON without the signature.
    """
    if keys.pseudonym is None:
        return None
    said = {name: value for name, value in report.items() if name != SIGNATURE}
    text = json.dumps(said, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hmac.digest(keys.pseudonym, _PURPOSE + text.encode(), "sha256").hex()
