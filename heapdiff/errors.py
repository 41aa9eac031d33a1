"""Every exception heapdiff raises on purpose; each says where, what was found, and the way out."""

__all__ = [
    "AcceptFileError",
    "CaptureBusyError",
    "CaptureError",
    "CaptureLimitError",
    "EpochRefusedError",
    "HeapGrowthError",
    "HeapdiffError",
    "NothingFoundError",
    "SnapshotCorruptError",
    "SnapshotFileError",
    "SnapshotForeignError",
    "SnapshotTruncatedError",
    "SnapshotVersionError",
    "UnreachableObjectError",
    "UnsupportedInterpreterError",
    "WorkloadError",
]


class HeapdiffError(Exception):
    """Something heapdiff cannot do with what it was given; programming mistakes stay ValueError or TypeError."""


class CaptureError(HeapdiffError):
    """The heap could not be captured; nothing is left allocated."""


class CaptureBusyError(CaptureError):
    """A collection or another capture is running, so part of the heap cannot be seen now."""


class CaptureLimitError(CaptureError):
    """The heap is larger than the bound that was given, or than the memory that is left."""


class EpochRefusedError(CaptureError):
    """An epoch cannot start: another one runs, or the program itself uses gc.freeze()."""


class UnsupportedInterpreterError(CaptureError):
    """This interpreter's heap has a layout that this build of heapdiff does not know."""


class AcceptFileError(HeapdiffError):
    """A file of accepted growth cannot be read or written, or an entry of it does not say what it must."""


class SnapshotFileError(HeapdiffError):
    """A snapshot file cannot be read or written."""


class SnapshotForeignError(SnapshotFileError):
    """The file is not a heapdiff snapshot."""


class SnapshotVersionError(SnapshotFileError):
    """The file's format is newer than this heapdiff reads."""


class SnapshotTruncatedError(SnapshotFileError):
    """The file ends before its contents do."""


class SnapshotCorruptError(SnapshotFileError):
    """The file's contents contradict its checksums or themselves."""


class UnreachableObjectError(HeapdiffError):
    """No root holds the object, so nothing retains it and no chain leads to it."""


class NothingFoundError(HeapdiffError):
    """A name that was asked for does not occur in the snapshot."""


class WorkloadError(HeapdiffError):
    """A workload cannot be run as often as needed, or not here."""


class HeapGrowthError(HeapdiffError, AssertionError):
    """Something grows with every iteration, or outlives what it was made in; the message is the report."""

    def __init__(self, message: str, report: object = None) -> None:
        super().__init__(message)
        self.report = report  # the GrowthReport; None where a block ran once
