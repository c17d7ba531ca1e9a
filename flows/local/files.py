"""Local models on disk: the folder that the settings name, and their copies beside each night.

A night keeps the files that it scored with, in its own folder for whoever verifies it, and as text
in the warehouse, so that it can be run again when the folder has others.
"""

from collections.abc import Mapping
from pathlib import Path

from flows.errors import NightRefused
from flows.settings import Settings
from models.local import NONE, LocalModels, read_local
from models.spec import BadModelFile

LOCAL = "local_model_files"
"""Under which name the warehouse remembers the local models of a night."""
PREFIX, SUFFIX = "local_", ".toml"


def local_models(settings: Settings) -> LocalModels:
    """Read the folder of local models. Raises NightRefused: which file, where, what to do."""
    folder = settings.local_models
    if folder is None:
        return NONE
    if not folder.is_dir():
        raise NightRefused(
            f"local_models: {folder} is no folder: make it, or take the setting away"
        )
    return _read(sorted(folder.glob(f"*{SUFFIX}")))


def of_night(folder: Path) -> LocalModels:
    """Read the local models that a published night was scored with. Raises NightRefused."""
    return _read(sorted(folder.glob(f"{PREFIX}*{SUFFIX}")))


def _read(paths: list[Path]) -> LocalModels:
    try:
        return read_local((path.name, path.read_bytes()) for path in paths)
    except BadModelFile as error:
        raise NightRefused(f"a local model cannot be used:\n{error}") from None
    except OSError as error:
        raise NightRefused(f"a local model cannot be read: {error.strerror}") from None


def of_file(path: Path) -> LocalModels:
    """Read one local model file. Raises NightRefused."""
    return _read([path])


def of_texts(texts: Mapping[str, str]) -> LocalModels:
    """Return the local models that the warehouse remembers. Raises NightRefused."""
    try:
        return read_local((file, text.encode()) for file, text in texts.items())
    except BadModelFile as error:
        raise NightRefused(
            f"a local model of that night cannot be used any more:\n{error}"
        ) from None


def texts_of(local: LocalModels) -> dict[str, str]:
    """Return what the warehouse remembers of local models: file by name."""
    return {f"{name}{SUFFIX}": one.text for name, one in local.items()}


def write_local(local: LocalModels, folder: Path) -> None:
    """Write the local models of a night beside its tables."""
    for name, one in local.items():
        (folder / f"{PREFIX}{name}{SUFFIX}").write_bytes(one.content)
