"""A file that appears whole or not at all: written aside, brought to the disk, renamed."""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator

__all__ = ["put_text", "whole_file"]

_READABLE = 0o666  # less what the umask takes away


def put_text(name: str, text: str) -> None:
    """Make the text the contents of the file; what is no file, such as a pipe or ``/dev/stderr``, gets it written into.

    Where the name is a link, the file that it leads to is replaced.

    Raises:
        OSError: It cannot be written; the file is as it was.
    """
    data = text.encode("utf-8", "backslashreplace")
    if os.path.abspath(name).startswith("/dev/") or (os.path.exists(name) and not stat.S_ISREG(os.stat(name).st_mode)):
        with open(name, "wb") as stream:
            stream.write(data)
        return
    with whole_file(os.path.realpath(name), _READABLE) as descriptor, open(descriptor, "wb", closefd=False) as file:
        file.write(data)


@contextlib.contextmanager
def whole_file(name: str, mode: int = 0o600) -> Iterator[int]:
    """A descriptor whose contents become the file when the block ends well, and vanish otherwise.

    Where the name is a link, the link is replaced and what it leads to stays as it is.

    Args:
        name: The file.
        mode: Its permissions, less what the umask takes away.

    Raises:
        OSError: There is something else of that name, or the file cannot be written.
    """
    folder = os.path.dirname(name) or "."
    if os.path.isdir(name):
        raise OSError(errno.EISDIR, "it is a folder")
    if os.path.lexists(name) and not stat.S_ISREG(kind := os.lstat(name).st_mode) and not stat.S_ISLNK(kind):
        # A rename would put a file in the place of /dev/full.
        raise OSError(errno.EINVAL, "there is something else than a file of that name")
    temporary = os.path.join(folder, f".heapdiff-{os.getpid()}-{os.urandom(4).hex()}.tmp")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, mode)
    try:
        try:
            yield descriptor
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, name)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    # The rename itself lives in the folder, and is lost with the power when that is not written. The
    # file is whole by now, so a folder that cannot be opened or written out is no reason to fail.
    with contextlib.suppress(OSError):
        folder_descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder_descriptor)
        finally:
            os.close(folder_descriptor)
