"""The live heap in, a Snapshot out. Only this room and native touch a living object."""

from heapdiff.capture.epochs import Epoch, epoch, start_epoch
from heapdiff.capture.extension_types import register_type
from heapdiff.capture.live import take_census, take_snapshot
from heapdiff.capture.tracing import start_tracing, stop_tracing

__all__ = [
    "Epoch",
    "epoch",
    "register_type",
    "start_epoch",
    "start_tracing",
    "stop_tracing",
    "take_census",
    "take_snapshot",
]
