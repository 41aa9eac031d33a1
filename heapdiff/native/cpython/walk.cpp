#include "cpython/walk.hpp"

#include "cpython/interpreter_layout.h"
#include "cpython/sizes.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace heapdiff {

using namespace cpython;

namespace {

uint32_t capped(uint64_t number) { return number < UINT32_MAX ? static_cast<uint32_t>(number) : UINT32_MAX; }

} // namespace

WalkEnd Walker::walk(const ThreadNames& thread_names) noexcept {
    try {
        read_all(thread_names);
    } catch (const std::bad_alloc&) {
        return WalkEnd::out_of_memory;
    }
    if (is_collecting_) return WalkEnd::collecting;
    if (!census_) ok_ &= heap_.start.push(static_cast<uint32_t>(heap_.target.size()));
    if (!ok_) return WalkEnd::out_of_memory;
    if (heap_.object.size() > bounds_.objects || heap_.target.size() >= UINT32_MAX - 1)
        return WalkEnd::too_many_objects;
    return heap_.bytes() > bounds_.bytes ? WalkEnd::too_many_bytes : WalkEnd::complete;
}

void Walker::read_all(const ThreadNames& thread_names) {
    if constexpr (kFreeThreaded) return read_tracked(thread_names);
    read_gc_lists();
    read_roots(thread_names);
    drain();
    name_tasks();
}

// The other threads run again as soon as the last tracked object has been visited. So all is read from within the
// visits: with the first one the roots and what they lead to, with each what it leads to.
void Walker::read_tracked(const ThreadNames& thread_names) {
    struct Visit {
        Walker& walker;
        const ThreadNames& thread_names;
        bool has_begun = false;
    } visits{*this, thread_names};
    auto each = [](PyObject* object, void* argument) noexcept -> int {
        auto& [walker, names, has_begun] = *static_cast<Visit*>(argument);
        try {
            walker.insert(object, 0);
            if (!has_begun) {
                has_begun = true;
                // Another thread may have begun a collection since it was asked.
                walker.is_collecting_ = walker.lists_.collecting();
                if (walker.is_collecting_) return 0;
                walker.read_roots(names);
                walker.drain();
                walker.name_tasks(); // what only native code holds comes later, and stays without a name
            } else {
                walker.drain();
            }
        } catch (const std::bad_alloc&) { // must not go through the frames of C
            walker.ok_ = false;
        }
        return walker.ok_ && !walker.is_over_bounds();
    };
    visit_tracked_objects(each, &visits);
}

bool Walker::is_over_bounds() const noexcept {
    return heap_.object.size() > bounds_.objects || heap_.target.size() >= UINT32_MAX - 1 ||
           heap_.bytes() > bounds_.bytes;
}

void Walker::read_roots(const ThreadNames& thread_names) {
    read_modules();
    read_interpreter();
    for (PyThreadState* thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get()); thread != nullptr;
         thread = PyThreadState_Next(thread)) {
        auto named = std::find_if(thread_names.begin(), thread_names.end(),
                                  [thread](const auto& pair) { return pair.first == thread->thread_id; });
        read_thread(thread, named == thread_names.end() ? std::string() : named->second);
    }
}

void Walker::insert(PyObject* object, uint8_t flags) noexcept {
    bool out_of_memory = false;
    if (heap_.addresses.insert(reinterpret_cast<uint64_t>(object), &out_of_memory)) {
        ok_ &= heap_.object.push(object);
        ok_ &= heap_.flags.push(flags);
    }
    ok_ &= !out_of_memory;
}

uint32_t Walker::type_row(PyTypeObject* type) noexcept {
    bool fresh = false;
    uint32_t row = heap_.types.row(type, &fresh);
    if (fresh) insert(reinterpret_cast<PyObject*>(type), 0);
    ok_ &= row != UINT32_MAX;
    return row;
}

void Walker::drain() noexcept {
    // The list of objects is its own queue: what is found is read later, in the order in which it was found.
    constexpr size_t kBlock = 256;
    while (next_ < heap_.object.size() && ok_) {
        size_t end = std::min(heap_.object.size(), next_ + kBlock);
        size_t first = census_ ? 0 : heap_.target.size();
        if (census_) heap_.target.clear();
        for (; next_ < end && ok_; ++next_) {
            prefetch(next_);
            read_object(heap_.object[next_], next_);
        }
        insert_targets(first);
        if (is_over_bounds()) return;
    }
}

void Walker::prefetch(size_t i) noexcept {
    constexpr size_t kFar = 24, kNear = 12;
    size_t n = heap_.object.size();
    if (i + kFar < n) __builtin_prefetch(heap_.object[i + kFar]);
    if (i + kNear >= n) return;
    PyObject* object = heap_.object[i + kNear]; // its header has arrived: fetch what hangs on it
    PyTypeObject* type = Py_TYPE(object);
    if (type == &PyList_Type) __builtin_prefetch(reinterpret_cast<PyListObject*>(object)->ob_item);
    else if (type == &PyDict_Type) __builtin_prefetch(reinterpret_cast<PyDictObject*>(object)->ma_keys);
    else if (has_managed_dict(type)) __builtin_prefetch(reinterpret_cast<void**>(object)[kDictWord]);
}

void Walker::insert_targets(size_t first) noexcept {
    // In two strides, so that the words of the set arrive before they are read.
    size_t stride = words_.size();
    size_t n = heap_.target.size();
    for (size_t i = first; i < n && ok_; i += stride) {
        size_t count = std::min(stride, n - i);
        for (size_t j = 0; j < count; ++j) {
            words_[j].first = heap_.addresses.word(heap_.target[i + j], &words_[j].second);
            if (words_[j].first == nullptr) {
                ok_ = false;
                return;
            }
            __builtin_prefetch(words_[j].first, 1);
        }
        for (size_t j = 0; j < count; ++j) {
            auto [word, mask] = words_[j];
            if (*word & mask) continue;
            *word |= mask;
            ok_ &= heap_.object.push(reinterpret_cast<PyObject*>(heap_.target[i + j]));
            ok_ &= heap_.flags.push(0);
        }
    }
}

// Modules and errors alone are marked, so nothing else is looked up.
uint8_t Walker::mark_of(PyObject* object, const TypeInfo& info) const noexcept {
    bool may_be = info.base_shape == Shape::module || info.base == &PyTraceBack_Type ||
                  PyType_FastSubclass(info.type, Py_TPFLAGS_BASE_EXC_SUBCLASS);
    uint32_t mark = may_be ? marks_.find(object) : PointerMap::kAbsent;
    return mark == PointerMap::kAbsent ? 0 : static_cast<uint8_t>(mark);
}

bool Walker::is_own(PyObject* object, const TypeInfo& info) noexcept {
    if (info.own) return true;
    switch (info.base_shape) {
    case Shape::function: return is_own_name(reinterpret_cast<PyFunctionObject*>(object)->func_module);
    case Shape::frame: {
        const auto* frame = reinterpret_cast<FrameObject*>(object)->frame;
        return frame != nullptr && is_own_name(frame_module(frame));
    }
    case Shape::type: {
        uint32_t row = type_row(reinterpret_cast<PyTypeObject*>(object));
        return ok_ && heap_.types[row].own;
    }
    default:
        return info.type == &PyCFunction_Type && is_own_name(reinterpret_cast<PyCFunctionObject*>(object)->m_module);
    }
}

void Walker::read_object(PyObject* object, size_t i) noexcept {
    uint32_t row = type_row(Py_TYPE(object));
    if (!ok_) return;
    const TypeInfo& info = heap_.types[row];
    ok_ &= heap_.type.push(row);
    uint8_t flags = heap_.flags[i] | mark_of(object, info);
    if (is_immortal(object)) flags |= kImmortal;
    if (is_own(object, info)) flags |= kOwn;
    if (info.gc && collector_bits(object) & kTrackedBit) flags |= kTracked;
    if (info.gc && collector_bits(object) & kFrozenBit) flags |= kFrozen;
    heap_.flags[i] = flags;
    if (!census_) {
        ok_ &= heap_.count.push(count_of(object));
        ok_ &= heap_.start.push(static_cast<uint32_t>(heap_.target.size()));
    }
    read_size(object, info, i); // after the count, which it may raise
    if (instances_ != nullptr) keep_instance(object, info, row, flags);
    size_t first = heap_.target.size();
    references(object, info);
    if (info.extension) extension(object, info, first);
    if (info.body_hides && !census_) read_body(object, info, i);
}

void Walker::read_size(PyObject* object, const TypeInfo& info, size_t i) noexcept {
    ExtensionBytes besides;
    if (info.extension) besides = heap_.extensions.measure(object, info.extension);
    if (besides.native_memory || (info.native_memory && !besides.sized)) heap_.flags[i] |= kNativeMemory;
    if (kFreeThreaded && info.size_rule == SizeRule::native_call) {
        // The answer would be an int object, and nothing may be allocated now.
        ok_ &= heap_.shallow.push(0);
        if (heap_.unsized.push({static_cast<uint32_t>(i), besides.bytes})) Py_INCREF(object);
        else ok_ = false;
        return;
    }
    uint64_t bytes = shallow_bytes(object, info) + besides.bytes;
    ok_ &= heap_.shallow.push(capped(bytes));
    if (bytes >= UINT32_MAX) ok_ &= heap_.large_bytes.push({static_cast<uint32_t>(i), bytes});
}

// The references to the object that are counted, capped.
uint32_t Walker::count_of(PyObject* object) const noexcept {
    Py_ssize_t count = own_count(object);
    if (Py_ssize_t id = per_thread_id(object)) {
        if (Py_Version != heapdiff_compiled_version) return 0; // not known
        for (PyThreadState* thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get()); thread != nullptr;
             thread = PyThreadState_Next(thread))
            count += heapdiff_thread_count(thread, id);
    }
    return count < 0 ? UINT32_MAX : capped(static_cast<uint64_t>(count));
}

void Walker::keep_instance(PyObject* object, const TypeInfo& info, uint32_t row, uint8_t flags) noexcept {
    Instances& all = *instances_;
    if (row >= all.wanted.size() && !all.wanted.resize(row + 1)) {
        ok_ = false;
        return;
    }
    uint8_t& wanted = all.wanted[row];
    if (wanted == 0) {
        wanted = 1;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(all.types) && !info.own; ++i)
            if (PyType_IsSubtype(info.type, reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(all.types, i))))
                wanted = 2;
    }
    if (wanted != 2 || flags & kOwn || Py_REFCNT(object) <= 0 || ++all.count > all.most) return;
    if (all.kept.push(object)) Py_INCREF(object);
    else ok_ = false;
}

void Walker::read_body(PyObject* object, const TypeInfo& info, size_t i) noexcept {
    if (info.may_end_early && !has_time_zone(object)) return;
    constexpr uint64_t kLowest = uint64_t{1} << 16, kHighest = uint64_t{1} << 47;
    for (auto at = static_cast<uint32_t>(sizeof(PyObject)); at + 8 <= static_cast<size_t>(info.type->tp_basicsize);
         at += 8) {
        uint64_t word = *reinterpret_cast<uint64_t*>(reinterpret_cast<char*>(object) + at);
        if ((word & 7) == 0 && word >= kLowest && word < kHighest)
            ok_ &= heap_.body_words.push({static_cast<uint32_t>(i), at, word});
    }
}

void measure_unsized(RawHeap& heap) {
    bool good = true;
    for (const ObjectBytes& unsized : heap.unsized.span()) {
        PyObject* object = heap.object[unsized.object];
        uint64_t bytes = shallow_bytes(object, heap.types[heap.type[unsized.object]]) + unsized.bytes;
        heap.shallow[unsized.object] = capped(bytes);
        if (bytes >= UINT32_MAX) good &= heap.large_bytes.push({unsized.object, bytes});
        Py_DECREF(object);
    }
    heap.unsized.release();
    auto large = heap.large_bytes.span();
    std::sort(large.begin(), large.end(), [](auto& a, auto& b) { return a.object < b.object; });
    if (!good) throw std::bad_alloc();
}

} // namespace heapdiff
