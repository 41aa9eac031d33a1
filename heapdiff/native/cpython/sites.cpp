#include "cpython/sites.hpp"

#include <unordered_map>

// Exported by CPython 3.11 to 3.14: what tracemalloc.get_object_traceback calls. Asking it
// directly with the true start of the block finds instances on 3.11 too, where the public function looks
// behind the header only (gh-101430).
// By its symbol, because the header of 3.11 declares it without C linkage and the later ones not at all.
extern "C" PyObject* traceback_of_block(unsigned int domain, uintptr_t address) __asm__("_PyTraceMalloc_GetTraceback");

namespace heapdiff {
namespace {

struct FrameKey {
    std::vector<std::pair<PyObject*, long>> frames;
    bool operator==(const FrameKey& other) const { return frames == other.frames; }
};
struct FrameHash {
    size_t operator()(const FrameKey& key) const {
        size_t hash = 0;
        for (auto& [file, line] : key.frames)
            hash = (hash ^ reinterpret_cast<size_t>(file) ^ static_cast<size_t>(line) << 40) * 0x9E3779B97F4A7C15ull;
        return hash ^ hash >> 29;
    }
};

class SiteReader {
  public:
    SiteReader(RawHeap& raw, SiteTable* sites) : raw_(raw), sites_(*sites) {}

    bool read() {
        if (!sites_.start.push(0) || !sites_.start.push(0) || !raw_.site.resize(raw_.object.size())) return false;
        for (size_t i = 0; i < raw_.object.size(); ++i) {
            const TypeInfo& info = raw_.types[raw_.type[i]];
            uintptr_t block = reinterpret_cast<uintptr_t>(raw_.object[i]) - info.pre_header;
            PyObject* traceback = traceback_of_block(0, block);
            if (traceback == nullptr) {
                PyErr_Clear();
                return false;
            }
            bool good = !PyTuple_CheckExact(traceback) || row(traceback, &raw_.site[i]);
            Py_DECREF(traceback);
            if (!good) return false;
        }
        return true;
    }

  private:
    // The row of a traceback: a tuple of (file name, line), the innermost frame first.
    bool row(PyObject* traceback, uint32_t* number) {
        key_.frames.clear();
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(traceback); ++i) {
            PyObject* frame = PyTuple_GET_ITEM(traceback, i);
            key_.frames.emplace_back(PyTuple_GET_ITEM(frame, 0), PyLong_AsLong(PyTuple_GET_ITEM(frame, 1)));
        }
        auto known = rows_.find(key_);
        if (known == rows_.end()) {
            for (auto& [file, line] : key_.frames) {
                uint32_t text = raw_.texts.intern(file);
                if (text == TextPool::kNoText || !sites_.file.push(text) ||
                    !sites_.line.push(static_cast<uint32_t>(line)))
                    return false;
            }
            known = rows_.emplace(key_, static_cast<uint32_t>(sites_.start.size() - 1)).first;
            if (!sites_.start.push(static_cast<uint32_t>(sites_.file.size()))) return false;
        }
        *number = known->second;
        return true;
    }

    RawHeap& raw_;
    SiteTable& sites_;
    FrameKey key_;
    std::unordered_map<FrameKey, uint32_t, FrameHash> rows_;
};

} // namespace

bool read_sites(RawHeap& raw, SiteTable* sites) noexcept {
    try {
        return SiteReader(raw, sites).read();
    } catch (const std::bad_alloc&) {
        return false;
    }
}

} // namespace heapdiff
