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
std::vector<Segment> loaded_segments();

// Calls scan(number of the segment, a copy of words of it) for each segment that is still loaded, until it returns
// false; scan must not throw, because the loader's lock is held. False where it did so, or memory ran out.
bool scan_segments(const std::vector<Segment>& segments,
                   const std::function<bool(size_t, std::span<const uint64_t>)>& scan);

} // namespace heapdiff
