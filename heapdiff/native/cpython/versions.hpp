// What differs between CPython 3.11, 3.12 and 3.13: the layouts that no public header gives, and every
// `#if PY_VERSION_HEX` of heapdiff. Object and frame layouts do not change within a minor version, because
// extension modules inline them; the interpreter state does, so it is never read by a compiled-in offset here.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdint>
#include <frameobject.h>

#if PY_VERSION_HEX < 0x030B0000 || PY_VERSION_HEX >= 0x030E0000 || defined(Py_GIL_DISABLED)
#error "heapdiff reads the heap of CPython 3.11, 3.12 and 3.13 with the GIL"
#endif

namespace heapdiff::cpython {

// ------------------------------------------------------------------ reference counts

inline bool is_immortal(PyObject* object) {
#if PY_VERSION_HEX >= 0x030C0000
    return static_cast<int32_t>(Py_REFCNT(object)) < 0; // PEP 683
#else
    return Py_REFCNT(object) > 500'000'000; // statically allocated objects start at 999,999,999
#endif
}

// ------------------------------------------------------------------ dicts (pycore_dict.h)

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
inline size_t pre_header_bytes(PyTypeObject* type) {
    size_t bytes = PyType_IS_GC(type) ? 16 : 0;
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
    uintptr_t word = reinterpret_cast<uintptr_t*>(object)[-3];
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
    found.dict = reinterpret_cast<PyObject**>(object)[-3];
    if (found.dict != nullptr || keys == nullptr || !(type->tp_flags & Py_TPFLAGS_INLINE_VALUES)) return found;
    auto* header = reinterpret_cast<uint8_t*>(object) + type->tp_basicsize;
    if (!header[3]) return found; // the values are not valid
    auto count = static_cast<size_t>(keys->entry_count);
    found.values = {reinterpret_cast<PyObject**>(header + 8), count < header[0] ? count : header[0]};
#elif PY_VERSION_HEX >= 0x030C0000
    uintptr_t word = reinterpret_cast<uintptr_t*>(object)[-3];
    if (!(word & 1)) {
        found.dict = reinterpret_cast<PyObject*>(word);
        return found;
    }
    found.values = {reinterpret_cast<PyObject**>(word + 1) /* stored less one */,
                    keys == nullptr ? 0 : static_cast<size_t>(keys->entry_count)};
#else
    found.dict = reinterpret_cast<PyObject**>(object)[-3];
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

// ------------------------------------------------------------------ numbers and text

inline size_t digit_count(PyObject* number) {
#if PY_VERSION_HEX >= 0x030C0000
    return reinterpret_cast<PyLongObject*>(number)->long_value.lv_tag >> 3;
#else
    Py_ssize_t n = Py_SIZE(number);
    return static_cast<size_t>(n < 0 ? -n : n);
#endif
}
inline constexpr size_t kMinimumDigits = 1; // zero has a digit too

inline bool is_legacy_text(PyObject* text) {
#if PY_VERSION_HEX >= 0x030C0000
    (void)text;
    return false;
#else
    return !reinterpret_cast<PyASCIIObject*>(text)->state.ready;
#endif
}

// ------------------------------------------------------------------ frames (pycore_frame.h)

struct InterpreterFrame {
#if PY_VERSION_HEX >= 0x030C0000
    PyObject* code;
    InterpreterFrame* previous;
    PyObject* function;
    PyObject* globals_borrowed;
    PyObject* builtins_borrowed;
    PyObject* locals;
    PyObject* frame_object;
    void* instruction;
    int stack_top;
    uint16_t return_offset;
    char owner;
#else
    PyObject* function;
    PyObject* globals_borrowed;
    PyObject* builtins_borrowed;
    PyObject* locals;
    PyObject* code;
    PyObject* frame_object;
    InterpreterFrame* previous;
    void* instruction;
    int stack_top;
    bool is_entry;
    char owner;
#endif
    PyObject* slots[1];
};
enum FrameOwner : char { kOwnedByThread = 0, kOwnedByGenerator = 1, kOwnedByFrameObject = 2 };

inline InterpreterFrame* current_frame(PyThreadState* thread) {
#if PY_VERSION_HEX >= 0x030D0000
    return reinterpret_cast<InterpreterFrame*>(thread->current_frame);
#else
    return reinterpret_cast<InterpreterFrame*>(thread->cframe->current_frame);
#endif
}

struct FrameObject {
    PyObject_HEAD
    PyObject* back;
    InterpreterFrame* frame;
    PyObject* trace;
    int line;
    char flags[4];
#if PY_VERSION_HEX >= 0x030D0000
    PyObject* extra_locals;
    PyObject* locals_cache;
#endif
};
template <class Visit> void visit_frame_object_extras(const FrameObject* frame, Visit visit) {
#if PY_VERSION_HEX >= 0x030D0000
    visit(frame->extra_locals, "extra_locals");
    visit(frame->locals_cache, "locals_cache");
#else
    (void)frame;
    (void)visit;
#endif
}
inline constexpr int kFrameAwaiting = -1; // PyGenObject.gi_frame_state of a coroutine that waits
inline constexpr int kFrameCleared = 4;   // PyGenObject.gi_frame_state from here on: nothing is left

inline InterpreterFrame* generator_frame(PyObject* generator) {
    return reinterpret_cast<InterpreterFrame*>(reinterpret_cast<PyGenObject*>(generator)->gi_iframe);
}
template <class Visit> void visit_generator_extras(PyObject* generator, Visit visit) {
    auto* fields = reinterpret_cast<PyGenObject*>(generator);
#if PY_VERSION_HEX < 0x030C0000
    visit(reinterpret_cast<PyObject*>(fields->gi_code), "gi_code");
#endif
    visit(fields->gi_name, "__name__");
    visit(fields->gi_qualname, "__qualname__");
    visit(fields->gi_exc_state.exc_value, "exception");
    // A plain generator has the field but never fills it.
    if (!PyGen_CheckExact(generator)) visit(fields->gi_origin_or_finalizer, "origin_or_finalizer");
}

// ------------------------------------------------------------------ code, functions, types

template <class Visit> void visit_code(PyObject* object, Visit visit) {
    auto* code = reinterpret_cast<PyCodeObject*>(object);
    visit(code->co_consts, "co_consts");
    visit(code->co_names, "co_names");
    visit(code->co_exceptiontable, "co_exceptiontable");
    visit(code->co_localsplusnames, "co_localsplusnames");
    visit(code->co_localspluskinds, "co_localspluskinds");
    visit(code->co_filename, "co_filename");
    visit(code->co_name, "co_name");
    visit(code->co_qualname, "co_qualname");
    visit(code->co_linetable, "co_linetable");
#if PY_VERSION_HEX >= 0x030C0000
    if (code->_co_cached != nullptr) {
        visit(code->_co_cached->_co_code, "co_code");
        visit(code->_co_cached->_co_cellvars, "co_cellvars");
        visit(code->_co_cached->_co_freevars, "co_freevars");
        visit(code->_co_cached->_co_varnames, "co_varnames");
    }
#else
    visit(code->_co_code, "co_code");
#endif
}
inline PyObject* type_parameters(PyFunctionObject* function) {
#if PY_VERSION_HEX >= 0x030C0000
    return function->func_typeparams;
#else
    (void)function;
    return nullptr;
#endif
}
// The namespace of a type, borrowed.
inline PyObject* type_dict(PyTypeObject* type) {
#if PY_VERSION_HEX >= 0x030C0000
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) return type->tp_dict;
    PyObject* dict = PyType_GetDict(type); // of static types it lies in the interpreter state
    Py_XDECREF(dict);
    return dict;
#else
    return type->tp_dict;
#endif
}
// The name a module was made with, which its traverse leaves out.
inline PyObject* module_name(PyObject* module) {
    struct Module {
        PyObject_HEAD
        PyObject* dict;
        PyModuleDef* definition;
        void* state;
        PyObject* weak_references;
        PyObject* name;
    };
    return reinterpret_cast<Module*>(module)->name;
}
// The registry of a heap type's subclasses: a dict of weak references, or null.
inline PyObject* type_subclasses(PyTypeObject* type) {
#if PY_VERSION_HEX >= 0x030C0000
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) return nullptr; // an index, not an object
#endif
    return reinterpret_cast<PyObject*>(type->tp_subclasses);
}

// ------------------------------------------------------------------ structs of the standard library

// Tails that differ (_asynciomodule.c, _queuemodule.c, _threadmodule.c); known_places.cpp has what does not.
#if PY_VERSION_HEX >= 0x030D0000
inline constexpr int16_t kTaskWaiterOffset = 112;
inline constexpr int16_t kLocalArgumentsOffset = 16, kLocalTablesOffset = 40;
inline constexpr bool kQueueHoldsItems = true; // before, it has a list
#else
inline constexpr int16_t kTaskWaiterOffset = 128;
inline constexpr int16_t kLocalArgumentsOffset = 24, kLocalTablesOffset = 48;
inline constexpr bool kQueueHoldsItems = false;
#endif
inline constexpr int16_t kTaskCoroutineOffset = kTaskWaiterOffset + 8, kTaskNameOffset = kTaskWaiterOffset + 16,
                         kTaskContextOffset = kTaskWaiterOffset + 24;

// What asyncio keeps of a thread under "__asyncio_running_event_loop__" holds the loop here.
inline constexpr size_t kHeldLoopOffset = 16;

// ------------------------------------------------------------------ threads

template <class Visit> void visit_thread_state(PyThreadState* thread, Visit visit) {
    visit(thread->dict, "dict");
    visit(thread->async_exc, "pending exception");
    visit(thread->context, "context");
    visit(thread->c_profileobj, "profile function");
    visit(thread->c_traceobj, "trace function");
    visit(thread->async_gen_firstiter, "async generator hook");
    visit(thread->async_gen_finalizer, "async generator hook");
#if PY_VERSION_HEX >= 0x030C0000
    visit(thread->current_exception, "exception being raised");
#else
    visit(thread->curexc_type, "exception being raised");
    visit(thread->curexc_value, "exception being raised");
    visit(thread->curexc_traceback, "exception being raised");
#endif
#if PY_VERSION_HEX >= 0x030D0000
    visit(thread->threading_local_key, "threading.local key");
    visit(thread->threading_local_sentinel, "threading.local sentinel");
#endif
    visit(thread->exc_state.exc_value, "exception being handled");
}

// ------------------------------------------------------------------ the interpreter

inline bool is_finalizing() {
#if PY_VERSION_HEX >= 0x030D0000
    return Py_IsFinalizing();
#else
    return _Py_IsFinalizing();
#endif
}

// ------------------------------------------------------------------ the collector

// Distance from the permanent generation's head to the int that is 1 while a collection runs.
inline constexpr size_t kCollectingOffset = 24 + 72;
// On 3.12 before this release traversing the module _asyncio damages its free list (gh-122695).
inline bool traversal_is_unsafe(const char* module_name) {
#if PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x030D0000
    return Py_Version < 0x030C0600 && __builtin_strcmp(module_name, "_asyncio") == 0;
#else
    (void)module_name;
    return false;
#endif
}

} // namespace heapdiff::cpython
