// Fetching ahead: the heap's arrays are larger than any cache, so a pass asks early for what it reads next.
#pragma once

#include <cstddef>

namespace heapdiff {

// Loop iterations between asking for a number and using it; 8 to 32 measured alike, 4 was slower.
inline constexpr size_t kAhead = 16;

template <class T> void fetch(const T* place) { __builtin_prefetch(place); }
template <class T> void fetch_to_write(const T* place) { __builtin_prefetch(place, 1); }

} // namespace heapdiff
