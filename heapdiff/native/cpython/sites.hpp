// Where objects were allocated, as tracemalloc recorded it.
#pragma once

#include "cpython/finish.hpp"

namespace heapdiff {

// Fills raw.site and the table of tracebacks; the caller holds the GIL, so that no traced block changes hands
// meanwhile. False when memory ran out.
bool read_sites(RawHeap& raw, SiteTable* sites) noexcept;

} // namespace heapdiff
