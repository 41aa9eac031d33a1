#include "cpython/memory_scan.hpp"

#include "cpython/interpreter_layout.h"
#include "cpython/versions.hpp"

#include "graph/array.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <link.h>
#include <new>
#include <sys/uio.h>
#include <unistd.h>

namespace heapdiff {
namespace {

// Copies memory of this process by way of the operating system: what is not mapped any more, because another thread
// has closed a library, is an error and not a signal.
class MemoryReader {
  public:
    MemoryReader() = default;
    MemoryReader(const MemoryReader&) = delete;
    MemoryReader& operator=(const MemoryReader&) = delete;
    ~MemoryReader() {
        if (file_ >= 0) close(file_);
    }
    // The words that could be copied from there on.
    size_t read(uint64_t begin, size_t count, uint64_t* copy) noexcept {
        ssize_t bytes = -1;
        if (file_ < 0) {
            iovec to{copy, count * 8}, from{reinterpret_cast<void*>(begin), count * 8};
            bytes = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
            // Old container profiles forbid the call.
            if (bytes < 0 && errno != EFAULT) file_ = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
        }
        if (file_ >= 0) bytes = pread(file_, copy, count * 8, static_cast<off_t>(begin));
        return bytes < 0 ? 0 : static_cast<size_t>(bytes) / 8;
    }

  private:
    int file_ = -1;
};

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
    struct Found {
        std::vector<Segment> segments;
        bool good = true;
    } found;
    dl_iterate_phdr(
        [](dl_phdr_info* library, size_t, void* argument) noexcept {
            auto* all = static_cast<Found*>(argument);
            const char* slash = std::strrchr(library->dlpi_name, '/');
            const char* name = library->dlpi_name[0] == '\0' ? "the program"
                               : slash != nullptr            ? slash + 1
                                                             : library->dlpi_name;
            try {
                for (int i = 0; i < library->dlpi_phnum; ++i) {
                    const auto& header = library->dlpi_phdr[i];
                    if (header.p_type != PT_LOAD || !(header.p_flags & PF_W)) continue;
                    uint64_t begin = library->dlpi_addr + header.p_vaddr;
                    all->segments.push_back(
                        {name, (begin + 7) & ~uint64_t{7}, (begin + header.p_memsz) & ~uint64_t{7}});
                }
            } catch (const std::bad_alloc&) { // the loader's lock is held
                all->good = false;
            }
            return 0;
        },
        &found);
    if (!found.good) throw std::bad_alloc();
    return std::move(found.segments);
}

bool scan_segment(const Segment& segment, const std::function<void(std::span<const uint64_t>)>& scan) {
    constexpr size_t kPage = 4096, kRoom = size_t{1} << 17;
    Array<uint64_t> room;
    if (!room.resize(kRoom)) return false;
    MemoryReader memory;
    for (uint64_t at = segment.begin; at < segment.end;) {
        size_t words = memory.read(at, std::min<size_t>(kRoom, (segment.end - at) / 8), room.data());
        scan({room.data(), words});
        at = words != 0 ? at + words * 8 : (at + kPage) & ~uint64_t{kPage - 1}; // over the page that cannot be read
    }
    return true;
}

} // namespace heapdiff
