"""Keys that are given for a night and never written: for pseudonyms and for encryption."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.errors import UsageError

_AES_BYTES = (16, 24, 32)
_SHORTEST_KEY = 16


class _FromEnvironment(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="THYRISK_", frozen=True)

    pseudonym_key: SecretStr | None = None
    pseudonym_key_file: Path | None = None
    encryption_key: SecretStr | None = None
    encryption_key_file: Path | None = None


@dataclass(frozen=True, repr=False)
class Keys:
    """The keys of a night; None where the option is off."""

    pseudonym: bytes | None = None
    encryption: bytes | None = None

    @property
    def fingerprint(self) -> str | None:
        """What tells one pseudonym key from another without giving it away."""
        if self.pseudonym is None:
            return None
        return hmac.digest(self.pseudonym, b"thyrisk fingerprint", "sha256").hex()[:12]

    def pseudonyms(self, ids: pl.Series) -> pl.Series:
        """Return the pseudonym of each identifier: HMAC-SHA256, its first 128 bits.

        No library has HMAC as an expression: each distinct identifier is hashed once.
        """
        assert self.pseudonym is not None  # noqa: S101
        key = hmac.new(self.pseudonym, digestmod=hashlib.sha256)

        def pseudonym(text: str) -> str:
            keyed = key.copy()
            keyed.update(text.encode())
            return keyed.hexdigest()[:32]

        distinct = ids.drop_nulls().unique()
        hashed = pl.Series([pseudonym(text) for text in distinct], dtype=pl.String)
        return ids.replace_strict(distinct, hashed, default=None, return_dtype=pl.String)

    @property
    def writing(self) -> pl.ParquetEncryptionProperties | None:
        """How polars encrypts parquet."""
        key = self.encryption
        return None if key is None else pl.ParquetEncryptionProperties(footer_key=key)

    @property
    def reading(self) -> pl.ParquetDecryptionProperties | None:
        """How polars decrypts parquet."""
        key = self.encryption
        return None if key is None else pl.ParquetDecryptionProperties(footer_key=key)


NO_KEYS = Keys()
"""Neither pseudonyms nor encryption."""


def load_keys() -> Keys:
    """Read the keys from THYRISK_PSEUDONYM_KEY[_FILE] and THYRISK_ENCRYPTION_KEY[_FILE].

    The pseudonym key is any text of 16 characters or more; the encryption key is 16, 24 or 32
    bytes in base64. Raises UsageError.
    """
    given = _FromEnvironment()
    pseudonym = _read("pseudonym_key", given.pseudonym_key, given.pseudonym_key_file)
    encryption = _read("encryption_key", given.encryption_key, given.encryption_key_file)
    if pseudonym is not None and len(pseudonym) < _SHORTEST_KEY:
        raise UsageError(f"pseudonym_key: too short; want {_SHORTEST_KEY} characters or more")
    return Keys(pseudonym, None if encryption is None else _aes_key(encryption))


def _read(name: str, text: SecretStr | None, path: Path | None) -> bytes | None:
    if text is not None and path is not None:
        raise UsageError(f"{name}: given twice, as a variable and as a file")
    if text is not None:
        return text.get_secret_value().encode()
    if path is None:
        return None
    try:
        return path.read_bytes().strip()
    except OSError as error:
        raise UsageError(f"{name}_file: cannot read {path}: {error.strerror}") from error


def _aes_key(text: bytes) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) not in _AES_BYTES:
        raise UsageError(
            "encryption_key: want 16, 24 or 32 bytes in base64, as `openssl rand -base64 32` gives"
        )
    return key
