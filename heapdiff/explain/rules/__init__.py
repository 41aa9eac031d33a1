"""The evidence on one grower in, a verdict or None out: what a known pattern of growth looks like.

One rule, one function. They are listed from the general to the particular; the last that has an answer
gives the verdict.
"""

from __future__ import annotations

from heapdiff.explain.evidence import Rule
from heapdiff.explain.rules.caches import lru_cache_keys_pin_objects, unbounded_lru_cache
from heapdiff.explain.rules.callbacks import (
    interpreter_callbacks,
    listener_never_removed,
    logging_handlers,
    logging_loggers,
)
from heapdiff.explain.rules.code import module_loaded, runtime_classes
from heapdiff.explain.rules.containers import (
    bounded_cache_filling,
    growing_buffer,
    unbounded_mapping,
    unbounded_sequence,
)
from heapdiff.explain.rules.general import growing_population
from heapdiff.explain.rules.metrics import metric_labels
from heapdiff.explain.rules.outside import native_held, unclosed_resource
from heapdiff.explain.rules.running import (
    context_variable,
    exception_pins_frames,
    pending_task,
    stored_exception,
    thread_local,
)
from heapdiff.explain.rules.weak import dead_weakrefs, weak_mapping_held_by_value

__all__ = ["DEFAULT_RULES"]

DEFAULT_RULES: tuple[Rule, ...] = (
    growing_population,
    # what sort of thing grows
    unbounded_sequence,
    unbounded_mapping,
    growing_buffer,
    # what the new objects are
    runtime_classes,
    pending_task,
    stored_exception,
    unclosed_resource,
    # who holds
    listener_never_removed,
    thread_local,
    context_variable,
    metric_labels,
    native_held,
    interpreter_callbacks,
    # known places
    unbounded_lru_cache,
    lru_cache_keys_pin_objects,
    weak_mapping_held_by_value,
    dead_weakrefs,
    logging_handlers,
    logging_loggers,
    exception_pins_frames,
    # it came to rest
    bounded_cache_filling,
    module_loaded,
)
