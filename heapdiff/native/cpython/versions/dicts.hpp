// Tables of dicts, and where instances keep their attributes (pycore_dict.h).
#pragma once

#include "cpython/versions/counts.hpp"

namespace heapdiff::cpython {

struct DictKeys {
    Py_ssize_t reference_count;
    uint8_t log2_size;
    uint8_t log2_index_bytes;
    uint8_t kind; // 0 general, 1 str keys, 2 shared by the instances of a class
    uint32_t version;
    Py_ssize_t usable;
    Py_ssize_t entry_count;
    char indices[1];
};
struct StrEntry {
    PyObject* key;
    PyObject* value;
};
struct GeneralEntry {
    Py_hash_t hash;
    PyObject* key;
    PyObject* value;
};
inline constexpr size_t kKeysHeaderBytes = 32;

inline DictKeys* dict_keys(PyObject* dict) {
    return reinterpret_cast<DictKeys*>(reinterpret_cast<PyDictObject*>(dict)->ma_keys);
}
inline const char* key_entries(const DictKeys* keys) {
    return reinterpret_cast<const char*>(keys) + kKeysHeaderBytes + (size_t{1} << keys->log2_index_bytes);
}
inline size_t usable_entries(const DictKeys* keys) { return (size_t{1} << keys->log2_size) * 2 / 3; }
inline size_t keys_bytes(const DictKeys* keys) {
    return kKeysHeaderBytes + (size_t{1} << keys->log2_index_bytes) +
           usable_entries(keys) * (keys->kind == 0 ? sizeof(GeneralEntry) : sizeof(StrEntry));
}

// The values of instances that share their keys.
struct Values {
    PyObject** slots = nullptr;
    size_t count = 0;
    explicit operator bool() const { return slots != nullptr; }
};

inline Values split_values(PyObject* dict) {
    auto* values = reinterpret_cast<PyDictObject*>(dict)->ma_values;
    if (values == nullptr) return {};
    auto count = static_cast<size_t>(dict_keys(dict)->entry_count);
#if PY_VERSION_HEX >= 0x030D0000
    auto* header = reinterpret_cast<uint8_t*>(values); // capacity, size, embedded, valid
    return {reinterpret_cast<PyObject**>(header + 8), count < header[0] ? count : header[0]};
#else
    return {reinterpret_cast<PyObject**>(values), count};
#endif
}
// Bytes of a values block: n slots and a prefix that records the order of insertion.
inline size_t values_bytes(size_t n) {
#if PY_VERSION_HEX >= 0x030D0000
    return (n + 7) / 8 * 8 + 8 * (n + 1);
#else
    return 8 * n + (n + 2 + 7) / 8 * 8;
#endif
}
// Bytes of a separate block of values. A class gives later instances smaller blocks, once it has seen how many
// attributes they have, so the class does not tell: the block itself records its capacity (3.13), or the size of its
// prefix.
inline size_t values_block_bytes(const void* values, const DictKeys* keys) {
#if PY_VERSION_HEX >= 0x030D0000
    (void)keys;
    return values_bytes(static_cast<const uint8_t*>(values)[0]);
#else
    size_t prefix = static_cast<const uint8_t*>(values)[-1];
    size_t n = keys == nullptr ? 0 : static_cast<size_t>(keys->usable + keys->entry_count);
    size_t least = prefix < 16 ? 1 : prefix - 8 - 1; // the fewest slots with that prefix
    return prefix + 8 * (n < least ? least : n);
#endif
}
// Bytes that a dict's own block of values takes; 0 where the values lie inside the instance.
inline size_t split_values_bytes(PyObject* dict) {
    const void* values = reinterpret_cast<PyDictObject*>(dict)->ma_values;
    if (values == nullptr) return 0;
#if PY_VERSION_HEX >= 0x030D0000
    if (static_cast<const uint8_t*>(values)[2]) return 0; // embedded
#endif
    return values_block_bytes(values, dict_keys(dict));
}

// ------------------------------------------------------------------ attributes of instances

inline DictKeys* cached_keys(PyTypeObject* type) {
    return reinterpret_cast<DictKeys*>(reinterpret_cast<PyHeapTypeObject*>(type)->ht_cached_keys);
}
inline bool has_managed_dict(PyTypeObject* type) { return type->tp_flags & Py_TPFLAGS_MANAGED_DICT; }
// Where the word for the __dict__ stands before the object.
inline constexpr int kDictWord = kFreeThreaded ? -1 : -3;

inline size_t pre_header_bytes(PyTypeObject* type) {
    size_t bytes = PyType_IS_GC(type) && !kFreeThreaded ? 16 : 0;
#if PY_VERSION_HEX >= 0x030C0000
    if (type->tp_flags & Py_TPFLAGS_PREHEADER) bytes += 16;
#else
    if (has_managed_dict(type)) bytes += 16;
#endif
    return bytes;
}
// Bytes inside or beside an instance for its attributes.
inline size_t instance_values_bytes(PyObject* object, PyTypeObject* type) {
#if PY_VERSION_HEX >= 0x030D0000
    if (!(type->tp_flags & Py_TPFLAGS_INLINE_VALUES)) return 0;
    return values_bytes((reinterpret_cast<uint8_t*>(object) + type->tp_basicsize)[0]);
#elif PY_VERSION_HEX >= 0x030C0000
    uintptr_t word = reinterpret_cast<uintptr_t*>(object)[kDictWord];
    return word & 1 ? values_block_bytes(reinterpret_cast<void*>(word + 1), cached_keys(type)) : 0;
#else
    const void* values = reinterpret_cast<void**>(object)[-4];
    return values == nullptr ? 0 : values_block_bytes(values, cached_keys(type));
#endif
}

// Where an instance with a managed dict keeps its attributes: in a dict, or as bare values.
struct InstanceAttributes {
    PyObject* dict = nullptr;
    Values values;
};
inline InstanceAttributes instance_attributes(PyObject* object, PyTypeObject* type) {
    InstanceAttributes found;
    const DictKeys* keys = cached_keys(type);
#if PY_VERSION_HEX >= 0x030D0000
    found.dict = reinterpret_cast<PyObject**>(object)[kDictWord];
    if (found.dict != nullptr || keys == nullptr || !(type->tp_flags & Py_TPFLAGS_INLINE_VALUES)) return found;
    auto* header = reinterpret_cast<uint8_t*>(object) + type->tp_basicsize;
    if (!header[3]) return found; // the values are not valid
    auto count = static_cast<size_t>(keys->entry_count);
    found.values = {reinterpret_cast<PyObject**>(header + 8), count < header[0] ? count : header[0]};
#elif PY_VERSION_HEX >= 0x030C0000
    uintptr_t word = reinterpret_cast<uintptr_t*>(object)[kDictWord];
    if (!(word & 1)) {
        found.dict = reinterpret_cast<PyObject*>(word);
        return found;
    }
    found.values = {reinterpret_cast<PyObject**>(word + 1) /* stored less one */,
                    keys == nullptr ? 0 : static_cast<size_t>(keys->entry_count)};
#else
    found.dict = reinterpret_cast<PyObject**>(object)[kDictWord];
    auto** values = reinterpret_cast<PyObject**>(reinterpret_cast<uintptr_t*>(object)[-4]);
    if (values == nullptr) return found;
    found.values = {values, keys == nullptr ? 0 : static_cast<size_t>(keys->entry_count)};
#endif
    return found;
}

// Where a struct.Struct keeps its compiled format. Before __init__ there is none, and its __sizeof__ reads it all the
// same.
inline constexpr Py_ssize_t kStructCodesOffset = sizeof(PyObject) + 2 * sizeof(Py_ssize_t);

// Whether a datetime.datetime or datetime.time has a time zone, and room for it (datetime.h).
inline bool has_time_zone(PyObject* moment) {
    return reinterpret_cast<const char*>(moment)[sizeof(PyObject) + sizeof(Py_hash_t)] != 0;
}

} // namespace heapdiff::cpython
