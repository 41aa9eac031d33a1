// Which objects of a later snapshot were there in an earlier one of the same process.
#pragma once

#include "graph/array.hpp"
#include "graph/heap.hpp"
#include "graph/paths.hpp"
#include "graph/text_match.hpp"

namespace heapdiff {

// `survived` gets a 1 for each object of `now` that is live, and whose address had a live object
// of the same type name in `base`. The allocator may have reused the address for another object
// of the type in between: that such an object counts as a survivor is a limit of this evidence.
//
// Where both heaps were read in the same epoch, that is after the same gc.freeze(), what is in the
// permanent generation was there before, and what is not is no such object: `survived` gets a 2
// where identity is proven (frozen, immortal or static in both), and a 0 where it is disproven (frozen
// in `base` alone). `recycled` counts the latter.
Status survivors(const Heap& base, const PathsView& base_paths, const Heap& now, const PathsView& now_paths,
                 const Matching& matching, bool same_epoch, Array<uint8_t>& survived, uint64_t& recycled) noexcept;

} // namespace heapdiff
