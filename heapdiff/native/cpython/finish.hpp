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

// Numbers objects by address, texts and types in sorted order; replaces addresses by numbers; works out
// which references nothing in the graph explains, and where they are. `raw` and `sites` are used up.
// `interpreter` is the address of the interpreter state, `segments` the libraries that were loaded.
Status finish_snapshot(RawHeap& raw, SiteTable& sites, const void* interpreter, const std::vector<Segment>& segments,
                       ColumnStore* store) noexcept;

// The same for a census: the columns type_module, type_name, type_flags, objects, bytes.
Status finish_census(RawHeap& raw, ColumnStore* store) noexcept;

} // namespace heapdiff
