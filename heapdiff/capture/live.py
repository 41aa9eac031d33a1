"""The live heap in, a Snapshot or a Census out: prepare, read it in one pause, finish with the GIL free."""

import gc
import sys
import time
from typing import Final

import attrs

from heapdiff.capture.bounds import default_max_bytes
from heapdiff.capture.epochs import running_epoch
from heapdiff.capture.extension_types import plan_extensions
from heapdiff.capture.patience import when_idle
from heapdiff.capture.process import read_process
from heapdiff.capture.threads import thread_names
from heapdiff.capture.tracing import traced_frames
from heapdiff.native import capture, census
from heapdiff.snapshot.census import Census
from heapdiff.snapshot.limits import limits_of
from heapdiff.snapshot.model import Limit, Snapshot

__all__ = ["take_census", "take_snapshot"]

_EPOCH_VOID = Limit(
    "epoch-void", "The program used gc.freeze() or gc.unfreeze() within the epoch, so identity is no longer exact."
)
# What a build whose threads run at once does not allow.
_RUN_AT_ONCE: Final = "t" in sys.abiflags
_FROZEN = Limit(
    "frozen-objects",
    "This free-threaded interpreter does not list what gc.freeze() has put away; those objects are seen where another "
    "object refers to them, and garbage among them is not.",
)
_SITES_AFTERWARDS = Limit(
    "sites-afterwards",
    "Allocation sites were looked up when the other threads ran again; where one of them had freed an object by then, "
    "the site is that of what took its place, or none.",
)
_MAX_OBJECTS = 2**32 - 3  # object numbers have 32 bits


def take_snapshot(
    *, collect: bool = False, sites: bool = True, max_objects: int | None = None, max_bytes: int | None = None
) -> Snapshot:
    """A picture of every object that this process holds, with references, sizes and roots.

    The GIL is held while the heap is read, for about as long as one ``gc.collect()``; where there is
    none, the other threads are stopped. Numbering and sorting follow without it. No Python code of
    anybody runs in between, no reference is taken, no ``__dict__`` is made, and the picture holds no
    object. Only functions that were given to ``register_type`` run, before.

    Args:
        collect: Run ``gc.collect()`` first. It is not needed to tell garbage apart: what no root
            reaches is known as such.
        sites: Look up where each object was allocated, while tracemalloc traces (``start_tracing``).
            It lengthens the pause by one to three microseconds an object.
        max_objects: Refuse a heap of more objects.
        max_bytes: Refuse to take more memory than this; None is half of what the machine or the
            cgroup has left.

    Raises:
        CaptureBusyError: A garbage collection is running.
        CaptureLimitError: A bound was passed; nothing is left allocated.
        UnsupportedInterpreterError: The interpreter's heap is laid out in an unknown way.
        MemoryError: The operating system refused memory.
    """
    frames = traced_frames()
    if collect:
        gc.collect()
    process = read_process(collected_before=collect, traced_frames=frames)
    names = thread_names()
    started = time.perf_counter()
    bounds = _bounds(max_objects, max_bytes)
    plan = plan_extensions(*bounds)
    columns, pause, pause_cpu, unseen = when_idle(capture, names, *bounds, sites and frames is not None, plan.rows)
    limits = plan.limits
    pause, pause_cpu = pause + plan.pause_seconds, pause_cpu + plan.pause_cpu_seconds
    del plan  # and what it holds
    process = process.with_pause(pause, pause_cpu, time.perf_counter() - started)
    if _RUN_AT_ONCE and process.gc_frozen_objects:
        limits = (*limits, _FROZEN)
    if _RUN_AT_ONCE and sites and frames is not None and (process.thread_count or 2) > 1:
        limits = (*limits, _SITES_AFTERWARDS)
    epoch = running_epoch()
    if epoch is not None:
        if epoch.holds_in(columns):
            process = attrs.evolve(process, epoch_start=epoch.start_time)
        else:
            limits = (*limits, _EPOCH_VOID)
    return Snapshot(
        columns, process, (*limits_of(columns, traced=frames is not None and sites, unseen=unseen), *limits)
    )


def take_census(*, max_objects: int | None = None, max_bytes: int | None = None) -> Census:
    """Objects and shallow bytes by type: the cheap picture, without references.

    Args:
        max_objects: Refuse a heap of more objects.
        max_bytes: Refuse to take more memory than this; None is half of what is left.

    Raises:
        CaptureBusyError, CaptureLimitError, UnsupportedInterpreterError, MemoryError: As take_snapshot.
    """
    process = read_process(collected_before=False, traced_frames=traced_frames())
    started = time.perf_counter()
    bounds = _bounds(max_objects, max_bytes)
    plan = plan_extensions(*bounds)
    columns, pause, pause_cpu = when_idle(census, *bounds, plan.rows)
    pause, pause_cpu = pause + plan.pause_seconds, pause_cpu + plan.pause_cpu_seconds
    limits = plan.limits
    del plan  # and what it holds
    return Census(columns, process.with_pause(pause, pause_cpu, time.perf_counter() - started), limits)


def _bounds(max_objects: int | None, max_bytes: int | None) -> tuple[int, int]:
    for name, bound in (("max_objects", max_objects), ("max_bytes", max_bytes)):
        if bound is not None and not isinstance(bound, int):
            raise TypeError(f"{name} is a {type(bound).__name__}; it must be a whole number of at least 1, or None")
        if bound is not None and bound < 1:
            raise ValueError(f"{name} is {bound}; it must be at least 1, or None")
    objects = _MAX_OBJECTS if max_objects is None else min(max_objects, _MAX_OBJECTS)
    return objects, default_max_bytes() if max_bytes is None else min(max_bytes, 2**62)
