"""Files appear whole or not at all."""

import os
import stat
import threading
from pathlib import Path

import pytest

from heapdiff.files import put_text, whole_file


def test_the_text_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_text("old and longer")

    put_text(str(path), "new")

    assert path.read_text() == "new"


def test_a_block_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_text("old")

    with pytest.raises(RuntimeError), whole_file(str(path)) as descriptor:
        os.write(descriptor, b"half")
        raise RuntimeError

    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("report.md", "old")]


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "file").write_text("old")
    (tmp_path / "link").symlink_to(folder / "file")

    put_text(str(tmp_path / "link"), "new")

    assert (tmp_path / "link").is_symlink()
    assert (folder / "file").read_text() == "new"


def test_a_pipe_gets_the_text_written_into_it(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(path.read_text()))
    reader.start()

    put_text(str(path), "text")

    reader.join(30)
    assert (read, stat.S_ISFIFO(path.lstat().st_mode)) == (["text"], True)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="folder"), whole_file(str(tmp_path)):
        pass
