// From what the walk found to the columns of a snapshot. Needs no GIL.
#pragma once

#include "cpython/columns.hpp"
#include "cpython/memory_scan.hpp"
#include "cpython/walk.hpp"

namespace heapdiff {

// A traceback table, rows as tracemalloc gives them; row 0 is empty.
struct SiteTable {
    Array<uint32_t> start, file, line; // file: a text of the pool
};

// What lies around the heap and may hold references into it.
struct Surroundings {
    const void* interpreter;              // the interpreter state
    const std::vector<Segment>& segments; // of the libraries that were loaded
    bool audited;                         // whether to tell which objects have fewer references than were found
};

// Numbers objects by address, texts and types in sorted order; replaces addresses by numbers; works out
// which references nothing in the graph explains, and where they are. `raw` and `sites` are used up.
Status finish_snapshot(RawHeap& raw, SiteTable& sites, const Surroundings& around, ColumnStore* store) noexcept;

// The same for a census: the columns type_module, type_name, type_flags, objects, bytes.
Status finish_census(RawHeap& raw, ColumnStore* store) noexcept;

} // namespace heapdiff
