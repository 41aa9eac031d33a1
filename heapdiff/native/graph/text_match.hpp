// Which text, and which type, of one snapshot is which of another.
#pragma once

#include "graph/array.hpp"
#include "graph/heap.hpp"
#include "graph/tables.hpp"

namespace heapdiff {

// One numbering for the texts and types of two snapshots: base's own numbers, and behind them
// those that only the later snapshot has. Two types of one name are one number.
struct Matching {
    Array<uint32_t> text_of_now;
    Array<uint32_t> place_of_now; // the same, where the name of a thread at its end does not matter
    Array<uint32_t> type_of_base;
    Array<uint32_t> type_of_now;
};

// Texts are sorted on both sides; types are found by (module, name). False without memory.
[[nodiscard]] bool match_tables(const Types& base_types, const Texts& base_texts, const Types& now_types,
                                const Texts& now_texts, Matching& matching) noexcept;

} // namespace heapdiff
