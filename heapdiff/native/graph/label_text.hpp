// Which labels carry the number of a text; all others carry a plain number or nothing.
#pragma once

#include "graph/heap.hpp"
#include "graph/tables.hpp"

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
    case LabelKind::root_machinery:
    case LabelKind::root_event_loop: return true;
    default: return false;
    }
}

// Roots whose text ends in ", thread NAME". Threads are numbered as they start, so that a name tells nothing of the
// place.
constexpr bool names_thread(LabelKind kind) {
    return kind == LabelKind::root_local || kind == LabelKind::root_thread || kind == LabelKind::root_event_loop;
}

// The text up to the thread's name; all of it where it names none.
inline std::string_view place_of_thread(std::string_view text) {
    constexpr std::string_view kThread = ", thread ";
    size_t at = text.rfind(kThread);
    return at == std::string_view::npos ? text : text.substr(0, at + kThread.size());
}

// One text that stands for all of them that differ in the thread's name only; none of them where there is no such.
inline uint32_t of_any_thread(const Texts& texts, std::string_view text, uint32_t otherwise) {
    std::string_view place = place_of_thread(text);
    if (place.size() == text.size()) return otherwise;
    size_t first = texts.first_with(place);
    return first < texts.count() ? static_cast<uint32_t>(first) : otherwise;
}

constexpr bool is_root_kind(LabelKind kind) { return kind >= LabelKind::root_module; }

} // namespace heapdiff
