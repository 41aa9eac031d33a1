"""A program and its arguments in; out comes what ``python`` itself would have done with them, exit code and all."""

import io
import os
import runpy
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType, TracebackType

import attrs

__all__ = ["Program", "run_program"]

_OURS = str(Path(__file__).parent) + os.sep


@attrs.frozen
class Program:
    """What to run: a script (or a folder or archive with ``__main__.py``), or a module as ``python -m`` does."""

    target: str
    arguments: tuple[str, ...]
    is_module: bool = False

    @property
    def name(self) -> str:
        """A short name for file names: the script's without its folder and ending, or the module's last part."""
        if self.is_module:
            return self.target.removesuffix(".__main__").rpartition(".")[2]
        return Path(self.target).resolve().stem


def run_program(program: Program) -> None:
    """Runs the program as ``__main__`` with the ``sys.argv`` and ``sys.path[0]`` it is used to.

    Returns when the program has come to its end. Whatever else ends it ends this process in the same way:
    SystemExit passes through; any other exception is shown by ``sys.excepthook`` with the frames of the
    program alone, and leaves as SystemExit(1), an interrupt as KeyboardInterrupt that is not shown again.

    Raises:
        OSError: The script cannot be read.
    """
    sys.argv = [program.target, *program.arguments]
    main = ModuleType("__main__")
    vars(main)["__builtins__"] = sys.modules["builtins"]
    if "__annotations__" in vars(sys.modules["__main__"]):  # the interpreter makes them up to 3.13
        vars(main)["__annotations__"] = {}
    try:
        if program.is_module:
            _enter(main, os.getcwd())
            # Not public, but it is what `python -m` calls: the loader, the spec and the messages are the same.
            runpy._run_module_as_main(program.target)  # type: ignore[attr-defined]
        elif Path(program.target).is_file() and not _is_archive(program.target):
            _run_script(main, program.target)
        else:
            os.stat(program.target)  # a name that does not exist is told before anything has changed
            _enter(main, os.path.abspath(program.target))
            runpy._run_module_as_main("__main__", alter_argv=False)  # type: ignore[attr-defined]
    except SystemExit:
        raise
    except OSError as error:
        if error.__traceback__ is not None and _own_frames_only(error.__traceback__):
            raise
        _show(error)
    except BaseException as error:
        _show(error)


def _run_script(main: ModuleType, target: str) -> None:
    path = os.path.abspath(target)
    with io.open_code(path) as file:
        source = file.read()
    vars(main).update(__file__=path, __cached__=None, __loader__=SourceFileLoader("__main__", path))
    _enter(main, os.path.dirname(os.path.realpath(path)))
    exec(compile(source, path, "exec", dont_inherit=True), vars(main))


def _enter(main: ModuleType, first_path: str) -> None:
    sys.modules["__main__"] = main
    if not sys.flags.safe_path:  # python -P puts nothing in front
        sys.path[0] = first_path


def _is_archive(target: str) -> bool:
    with io.open_code(target) as file:
        return file.read(4) == b"PK\x03\x04"


def _show(error: BaseException) -> None:
    """Shows the error as the interpreter would have, and leaves as the interpreter would have."""
    traceback = _without_own_frames(error.__traceback__)
    error.__traceback__ = traceback
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, traceback
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    sys.excepthook(type(error), error, traceback)
    if isinstance(error, KeyboardInterrupt):
        # The interpreter ends itself by SIGINT when this one arrives at the top, as shells want it.
        sys.excepthook = _show_nothing
        raise KeyboardInterrupt
    raise SystemExit(1)


def _show_nothing(*_: object) -> None:
    """An excepthook for what has been shown."""


def _without_own_frames(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_OURS):
        traceback = traceback.tb_next
    return traceback


def _own_frames_only(traceback: TracebackType) -> bool:
    return _without_own_frames(traceback) is None
