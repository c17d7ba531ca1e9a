"""A zip or tar is the folder that was packed, and can be nothing else."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.errors import NightRefused
from flows.intake.archive import SUFFIXES, opened_archive
from flows.intake.export import open_export
from tests.flows.conftest import RunNight
from tests.registry import Registry

Files = dict[str, bytes]


def zipped(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def tarred(path: Path, files: Files) -> Path:
    mode = "w:" + path.suffix[1:].replace("tgz", "gz").replace("tar", "")
    with tarfile.open(path, mode) as packed:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return path


def pack(path: Path, files: Files) -> Path:
    return (zipped if path.suffix == ".zip" else tarred)(path, files)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("inside", ["", "export-2026-06-30/"])
def test_an_archive_is_the_folder_that_was_packed(tmp_path: Path, suffix: str, inside: str) -> None:
    export = Registry().usual("A").write(tmp_path / "export")
    files = {f"{inside}{file.name}": file.read_bytes() for file in export.iterdir()}
    archive = pack(tmp_path / f"x{suffix}", files)
    (tmp_path / "scratch").mkdir()
    folder = opened_archive(archive, tmp_path / "scratch", 1000)
    tables = {name: [f.sha256 for f in of] for name, of in open_export(folder).files.items()}
    assert tables == {
        name: [f.sha256 for f in of] for name, of in open_export(export).files.items()
    }


def test_a_folder_is_itself(tmp_path: Path) -> None:
    assert opened_archive(tmp_path, tmp_path, 1) == tmp_path


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize("name", ["../out.csv", "a/../../out.csv", "/out.csv", "..\\out", "C:/x"])
def test_a_name_that_leads_out_is_refused(
    tmp_path: Path, pack: Callable[[Path, Files], Path], name: str
) -> None:
    scratch = tmp_path / "a" / "b"
    scratch.mkdir(parents=True)
    archive = pack(tmp_path / f"x{'.zip' if pack is zipped else '.tar'}", {name: b"x"})
    with pytest.raises(NightRefused, match="leads out of it"):
        opened_archive(archive, scratch, 1000)
    assert not [*tmp_path.rglob("out*")]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as packed:
        member = tarfile.TarInfo("labs.csv")
        member.type, member.linkname = kind, "/etc/passwd"
        packed.addfile(member)
    with pytest.raises(NightRefused, match="a link or a device"):
        opened_archive(tmp_path / "x.tar", tmp_path, 1000)


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    member = zipfile.ZipInfo("labs.csv")
    member.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as packed:
        packed.writestr(member, "/etc/passwd")
    with pytest.raises(NightRefused, match="a link or a device"):
        opened_archive(tmp_path / "x.zip", tmp_path, 1000)


def test_an_archive_that_grows_too_much_is_stopped_while_it_grows(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "x.zip", {"labs.csv": bytes(80 << 20)})
    with pytest.raises(NightRefused, match="raise max_unpack_ratio"):
        opened_archive(archive, tmp_path, 10)
    assert (tmp_path / "export" / "labs.csv").stat().st_size <= 64 << 20


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_are_there_twice_are_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "x.zip", {"labs.csv": b"a", "LABS.csv": b"b"})
    with pytest.raises(NightRefused, match="the same name twice"):
        opened_archive(archive, tmp_path, 1000)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_cut_archive_and_one_without_files_are_refused(tmp_path: Path, suffix: str) -> None:
    archive = pack(tmp_path / f"x{suffix}", {"labs.csv": b"abc" * 1000, "b.csv": b"x" * 9000})
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    (tmp_path / "one").mkdir()
    with pytest.raises(NightRefused, match="not a whole archive"):
        opened_archive(archive, tmp_path / "one", 1000)
    empty = pack(tmp_path / f"empty{suffix}", {})
    (tmp_path / "two").mkdir()
    with pytest.raises(NightRefused, match="without files"):
        opened_archive(empty, tmp_path / "two", 1000)


def test_a_night_runs_on_an_archive(night: RunNight, tmp_path: Path) -> None:
    export = Registry().usual("A").write(tmp_path / "export")
    archive = zipped(tmp_path / "e.zip", {f.name: f.read_bytes() for f in export.iterdir()})
    assert night(archive).patients == 1
