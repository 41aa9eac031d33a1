#include "cpython/memory_scan.hpp"

#include "cpython/interpreter_layout.h"
#include "cpython/versions.hpp"

#include <cstring>
#include <link.h>

namespace heapdiff {
namespace {

template <class Visit> void each_writable_segment(Visit visit) {
    dl_iterate_phdr(
        [](dl_phdr_info* library, size_t, void* argument) {
            const char* slash = std::strrchr(library->dlpi_name, '/');
            const char* name = library->dlpi_name[0] == '\0' ? "the program"
                               : slash != nullptr            ? slash + 1
                                                             : library->dlpi_name;
            for (int i = 0; i < library->dlpi_phnum; ++i) {
                const auto& header = library->dlpi_phdr[i];
                if (header.p_type != PT_LOAD || !(header.p_flags & PF_W)) continue;
                uint64_t begin = library->dlpi_addr + header.p_vaddr;
                (*static_cast<Visit*>(argument))(name, (begin + 7) & ~uint64_t{7},
                                                 (begin + header.p_memsz) & ~uint64_t{7});
            }
            return 0;
        },
        &visit);
}

} // namespace

std::span<const MemoryField> interpreter_fields() {
    static const std::vector<MemoryField> fields = [] {
        std::vector<MemoryField> all;
        if (Py_Version != heapdiff_compiled_version) return all;
        for (const heapdiff_field* field = heapdiff_interpreter_fields; field->name != nullptr; ++field)
            all.push_back({field->name, field->offset});
        return all;
    }();
    return fields;
}

std::vector<Segment> loaded_segments() {
    std::vector<Segment> segments;
    each_writable_segment(
        [&](const char* name, uint64_t begin, uint64_t end) { segments.push_back({name, begin, end}); });
    return segments;
}

void scan_segments(const std::vector<Segment>& segments,
                   const std::function<void(size_t, const uint64_t*, size_t)>& scan) {
    each_writable_segment([&](const char*, uint64_t begin, uint64_t end) {
        for (size_t i = 0; i < segments.size(); ++i)
            if (segments[i].begin == begin && segments[i].end == end)
                scan(i, reinterpret_cast<const uint64_t*>(begin), (end - begin) / 8);
    });
}

} // namespace heapdiff
