#include "cpython/memory_scan.hpp"

#include "cpython/interpreter_layout.h"
#include "cpython/versions.hpp"

#include "graph/array.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <link.h>
#include <sys/uio.h>
#include <unistd.h>

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

// Words of this process, copied by the operating system: memory that is not readable is an error and not a signal.
// Where the system call is forbidden (old container profiles), they are read as any program reads its own data.
__attribute__((no_sanitize("address", "thread"))) size_t copy_words(uint64_t begin, size_t count, uint64_t* copy) {
    iovec to{copy, count * 8}, from{reinterpret_cast<void*>(begin), count * 8};
    ssize_t bytes = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
    if (bytes >= 0) return static_cast<size_t>(bytes) / 8;
    if (errno == EFAULT) return 0;
    auto* words = reinterpret_cast<const volatile uint64_t*>(begin);
    for (size_t i = 0; i < count; ++i) copy[i] = words[i];
    return count;
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

bool scan_segments(const std::vector<Segment>& segments,
                   const std::function<bool(size_t, std::span<const uint64_t>)>& scan) {
    constexpr size_t kPage = 4096, kRoom = size_t{1} << 17;
    Array<uint64_t> room;
    bool good = room.resize(kRoom);
    each_writable_segment([&](const char*, uint64_t begin, uint64_t end) noexcept {
        for (size_t i = 0; i < segments.size() && good; ++i) {
            if (segments[i].begin != begin || segments[i].end != end) continue;
            for (uint64_t at = begin; at < end && good;) {
                size_t words = copy_words(at, std::min<size_t>(kRoom, (end - at) / 8), room.data());
                good = scan(i, {room.data(), words});
                at = words != 0 ? at + words * 8
                                : (at + kPage) & ~uint64_t{kPage - 1}; // over the page that cannot be read
            }
        }
    });
    return good;
}

} // namespace heapdiff
