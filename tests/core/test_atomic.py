"""Files that are either whole or not there."""

import os
import stat
from pathlib import Path

import pytest

from sweet_keras.core.atomic import atomic_folder, atomic_write


@pytest.fixture
def umask():
    """Sets the umask for the test and gives it."""
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_new_file_appears_when_the_block_ends(kind, tmp_path):
    path = tmp_path / "a.sweet"
    with atomic_write(kind(path)) as temporary:
        assert isinstance(temporary, Path)
        assert temporary.parent == tmp_path  # the same file system, or it could not be renamed
        assert temporary.suffix == ".sweet"
        temporary.write_bytes(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.sweet"]


def test_an_old_file_is_replaced(tmp_path):
    path = tmp_path / "a.sweet"
    path.write_bytes(b"old and longer")
    with atomic_write(path) as temporary:
        temporary.write_bytes(b"new")
        assert path.read_bytes() == b"old and longer"
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.sweet"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("old", [None, b"old"])
def test_a_failure_leaves_everything_as_it_was(old, error, tmp_path):
    path = tmp_path / "a.sweet"
    if old is not None:
        path.write_bytes(old)
    with pytest.raises(error), atomic_write(path) as temporary:
        temporary.write_bytes(b"half")
        raise error
    assert os.listdir(tmp_path) == ([] if old is None else ["a.sweet"])
    assert old is None or path.read_bytes() == old


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_failing_disk_leaves_everything_as_it_was(function, tmp_path, monkeypatch):
    path = tmp_path / "a.sweet"
    path.write_bytes(b"old")

    def fail(*_args, **_kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(os, function, fail)
    with pytest.raises(OSError, match="disk full"), atomic_write(path) as temporary:
        temporary.write_bytes(b"new")
    assert os.listdir(tmp_path) == ["a.sweet"]
    assert path.read_bytes() == b"old"


def test_the_content_is_on_the_disk_before_the_name_is(tmp_path, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace

    def recording_fsync(descriptor):
        mode = os.fstat(descriptor).st_mode
        events.append("folder" if stat.S_ISDIR(mode) else "file")
        fsync(descriptor)

    def recording_replace(*args):
        events.append("rename")
        replace(*args)

    monkeypatch.setattr(os, "fsync", recording_fsync)
    monkeypatch.setattr(os, "replace", recording_replace)
    with atomic_write(tmp_path / "a.sweet") as temporary:
        temporary.write_bytes(b"new")
    assert events == ["file", "rename", "folder"]


def test_the_file_has_the_permissions_of_any_new_file(umask, tmp_path):
    path = tmp_path / "a.sweet"
    with atomic_write(path) as temporary:
        temporary.write_bytes(b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    assert os.umask(umask) == umask


def test_files_of_a_folder_have_the_permissions_of_any_new_file(tmp_path):
    with atomic_folder(tmp_path / "folder") as made:
        (made / "weights").write_text("numbers")
        (made / "weights").chmod(0o600)  # as safetensors leaves it
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((tmp_path / "folder/weights").stat().st_mode) == 0o666 & ~mask


def test_a_name_without_a_folder_lies_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with atomic_write("a.sweet") as temporary:
        temporary.write_bytes(b"new")
    assert (tmp_path / "a.sweet").read_bytes() == b"new"


@pytest.mark.parametrize("path", ["missing/a.sweet", "file/a.sweet", "missing/deeper/a.sweet"])
def test_a_folder_that_does_not_exist_is_refused(path, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ValueError, match="`path` must lie in an existing folder") as caught:
        with atomic_write(tmp_path / path):
            pytest.fail("the block was entered")
    assert str(caught.value).endswith(f"Received: {str(tmp_path / path)!r}")
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "a.sweet").mkdir()
    with pytest.raises(ValueError, match="`path` must be a file"):
        with atomic_write(tmp_path / "a.sweet"):
            pytest.fail("the block was entered")
    assert os.listdir(tmp_path) == ["a.sweet"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_without_write_permission(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError), atomic_write(tmp_path / "a.sweet"):
            pytest.fail("the block was entered")
    finally:
        tmp_path.chmod(0o700)


def test_a_whole_folder_or_none(tmp_path):
    target = tmp_path / "made"
    with atomic_folder(target) as folder:
        (folder / "deeper").mkdir()
        (folder / "deeper" / "a.txt").write_bytes(b"old")
        assert not target.exists()
    assert (target / "deeper" / "a.txt").read_bytes() == b"old"
    with pytest.raises(RuntimeError, match="half"), atomic_folder(target) as folder:
        (folder / "b.txt").write_bytes(b"half")
        raise RuntimeError("half")
    assert os.listdir(target) == ["deeper"]
    # What somebody else put there stays, unless it is known that it may go.
    with pytest.raises(ValueError, match=r"nothing but what is replaced.*deeper.a\.txt"):
        with atomic_folder(target) as folder:
            (folder / "b.txt").write_bytes(b"new")
    assert os.listdir(target) == ["deeper"]
    with atomic_folder(target, replaced=[os.path.join("deeper", "a.txt")]) as folder:
        (folder / "b.txt").write_bytes(b"new")
    assert os.listdir(target) == ["b.txt"]
    with atomic_folder(target) as folder:
        (folder / "b.txt").write_bytes(b"newer")
    assert (target / "b.txt").read_bytes() == b"newer"
    with pytest.raises(ValueError, match="`path` must be a folder"):
        with atomic_folder(target / "b.txt"):
            pytest.fail("the block was entered")
    assert os.listdir(tmp_path) == ["made"]
    with pytest.raises(ValueError, match="`path` must lie in an existing folder"):
        with atomic_folder(tmp_path / "missing" / "made"):
            pytest.fail("the block was entered")
