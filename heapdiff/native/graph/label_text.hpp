// Which labels carry the number of a text; all others carry a plain number or nothing.
#pragma once

#include "graph/heap.hpp"

namespace heapdiff {

constexpr bool has_text(LabelKind kind) {
    switch (kind) {
    case LabelKind::attribute:
    case LabelKind::key:
    case LabelKind::key_of_type:
    case LabelKind::cell:
    case LabelKind::local:
    case LabelKind::internal:
    case LabelKind::root_module:
    case LabelKind::root_local:
    case LabelKind::root_thread:
    case LabelKind::root_interpreter:
    case LabelKind::root_static_type:
    case LabelKind::root_native:
    case LabelKind::root_machinery: return true;
    default: return false;
    }
}

constexpr bool is_root_kind(LabelKind kind) { return kind >= LabelKind::root_module; }

} // namespace heapdiff
