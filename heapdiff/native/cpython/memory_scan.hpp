// Memory outside the heap that may hold references: the interpreter state and the data of loaded libraries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace heapdiff {

struct MemoryField {
    const char* name;
    size_t offset;
};
// The named fields of the interpreter state; none when heapdiff was compiled against another release.
std::span<const MemoryField> interpreter_fields();

// A writable segment of a loaded library or of the program itself.
struct Segment {
    std::string library; // file name without folders
    uint64_t begin, end;
};
// Throws bad_alloc. To be called with the GIL held: it takes the loader's lock, and a process that another thread
// forked meanwhile would find that lock taken for ever.
std::vector<Segment> loaded_segments();

// Calls scan with copies of the segment's words; what has been unloaded meanwhile is left out. False when memory ran
// out.
bool scan_segment(const Segment& segment, const std::function<void(std::span<const uint64_t>)>& scan);

} // namespace heapdiff
