// The words every graph algorithm shares: the heap as flat arrays, labels, and which references hold.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace heapdiff {

using ObjectId = uint32_t;
inline constexpr ObjectId kRoot = 0;          // the virtual root; its references are the GC roots
inline constexpr uint32_t kNone = UINT32_MAX; // no object, no edge, no node

enum class Status { ok, out_of_memory, malformed };

// A label is 32 bits: 5 bits of kind, 27 bits of payload (a text number or a plain number).
// The names are those of heapdiff/snapshot/labels.py.
enum class LabelKind : uint32_t {
    field = 0,       // number: the n-th reference a C type reports, without a name
    attribute = 1,   // text: .name
    key = 2,         // text: ['name'], the value under an identifier
    key_of_type = 3, // text: [<str>], the value under a key that is data
    key_object = 4,  // a key of a dict
    element = 5,     // number: [7]
    member = 6,      // an element of a set
    dict = 7,        // the namespace of an instance, module or class
    cell = 8,        // text: a closure variable
    local = 9,       // text: a local variable of a suspended generator or a kept frame
    stack = 10,      // number: a slot of an evaluation stack
    type = 11,       // an object's class
    internal = 12,   // text: innards of functions, code, types
    weak = 13,       // does not hold
    weak_callback = 14,
    cache_entry = 15, // what a functools.lru_cache keeps
    root_module = 16,
    root_local = 17,
    root_thread = 18,
    root_interpreter = 19,
    root_static_type = 20,
    root_immortal = 21,
    root_native = 22,
    root_own = 23,        // heapdiff's own frames; does not hold
    root_machinery = 24,  // modules that refer to everything: sys, builtins, importlib, …
    root_event_loop = 25, // text: "asyncio, thread MainThread"
    count
};

inline constexpr uint32_t kPayloadBits = 27;
inline constexpr uint32_t kPayloadMask = (1u << kPayloadBits) - 1;
constexpr LabelKind kind_of(uint32_t label) { return static_cast<LabelKind>(label >> kPayloadBits); }
constexpr uint32_t payload_of(uint32_t label) { return label & kPayloadMask; }
constexpr uint32_t make_label(LabelKind kind, uint32_t payload = 0) {
    return static_cast<uint32_t>(kind) << kPayloadBits | (payload & kPayloadMask);
}

enum ObjectFlag : uint8_t {
    kTracked = 1, // in a list of the cyclic collector
    kFrozen = 2,  // in its permanent generation
    kImmortal = 4,
    kOwn = 8,           // made by heapdiff itself
    kStatic = 16,       // not allocated: part of a library
    kNativeMemory = 32, // has memory of its own that could not be sized
    kModule = 64,       // in sys.modules: a root names it
    kLastError = 128,   // what sys.last_exc, last_value and last_traceback keep
};

// One snapshot, as the columns of docs/snapshot-format.md. Objects are 0 … n-1 in the order of
// their addresses; object 0 is the virtual root.
struct Heap {
    std::span<const uint32_t> type;         // n: row of the type table
    std::span<const uint32_t> shallow;      // n: bytes; UINT32_MAX: see large_object
    std::span<const uint64_t> address;      // n
    std::span<const uint8_t> flags;         // n: ObjectFlag
    std::span<const uint32_t> start;        // n + 1: first reference of each object
    std::span<const uint32_t> target;       // m
    std::span<const uint32_t> label;        // m
    std::span<const uint32_t> large_object; // objects of 4 GiB and more, ascending
    std::span<const uint64_t> large_bytes;

    size_t object_count() const { return type.size(); }
    uint64_t shallow_bytes(ObjectId object) const {
        uint32_t bytes = shallow[object];
        if (bytes != UINT32_MAX) [[likely]]
            return bytes;
        auto large = std::lower_bound(large_object.begin(), large_object.end(), object);
        if (large != large_object.end() && *large == object)
            return large_bytes[static_cast<size_t>(large - large_object.begin())];
        return bytes;
    }
};

// The one predicate that says which references hold. Every algorithm uses it: reachability,
// dominators, retained sizes, chains (two that disagreed once made memlab hang).
constexpr bool label_holds(uint32_t label) {
    return kind_of(label) != LabelKind::weak && kind_of(label) != LabelKind::root_own;
}
inline bool reference_holds(const Heap& heap, ObjectId source, uint32_t edge) {
    return label_holds(heap.label[edge]) && !(heap.flags[source] & kOwn) && !(heap.flags[heap.target[edge]] & kOwn);
}

// References a person would not name first; chains take them only when nothing else leads there: among them a
// module that another one imported (a chain starts at its own root), and the last error of an interactive session.
inline bool is_secondary(const Heap& heap, uint32_t edge) {
    LabelKind kind = kind_of(heap.label[edge]);
    uint8_t target = heap.flags[heap.target[edge]];
    if ((target & kLastError) || ((target & kModule) && kind < LabelKind::root_module)) return true;
    switch (kind) {
    case LabelKind::type:
    case LabelKind::weak_callback:
    case LabelKind::stack:
    case LabelKind::root_local:
    case LabelKind::root_thread:
    case LabelKind::root_interpreter:
    case LabelKind::root_static_type:
    case LabelKind::root_immortal:
    case LabelKind::root_native:
    case LabelKind::root_machinery: return true;
    default: return false;
    }
}

} // namespace heapdiff
