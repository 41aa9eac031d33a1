// Code, functions, types, modules, numbers and text.
#pragma once

#include "cpython/versions/counts.hpp"

namespace heapdiff::cpython {

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
// What makes the annotations when they are asked for.
inline PyObject* annotate_function(PyFunctionObject* function) {
#if PY_VERSION_HEX >= 0x030E0000
    return function->func_annotate;
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

// ------------------------------------------------------------------ numbers and text

inline size_t digit_count(PyObject* number) {
#if PY_VERSION_HEX >= 0x030C0000
    return reinterpret_cast<PyLongObject*>(number)->long_value.lv_tag >> 3;
#else
    Py_ssize_t n = Py_SIZE(number);
    return static_cast<size_t>(n < 0 ? -n : n);
#endif
}
// Bytes of the array of a list's elements.
inline size_t list_items_bytes(PyObject* list) {
#ifdef Py_GIL_DISABLED
    // Its length is a word before it: other threads may hold the array that the list had before. getsizeof leaves it
    // out.
    auto* items = reinterpret_cast<PyListObject*>(list)->ob_item;
    return items == nullptr ? 0 : (1 + reinterpret_cast<const size_t*>(items)[-1]) * sizeof(PyObject*);
#else
    return static_cast<size_t>(reinterpret_cast<PyListObject*>(list)->allocated) * sizeof(PyObject*);
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

// ------------------------------------------------------------------ structs of the standard library

// Every place in a C struct that is given as a number is one behind a head of 16 bytes.
inline constexpr Py_ssize_t kHeadShift = Py_ssize_t{sizeof(PyObject)} - 16;

// Tails that differ (_asynciomodule.c, _queuemodule.c, _threadmodule.c); known_places.cpp has what does not.
#if PY_VERSION_HEX >= 0x030E0000
inline constexpr int16_t kTaskWaiterOffset = 120;
#elif PY_VERSION_HEX >= 0x030D0000
inline constexpr int16_t kTaskWaiterOffset = 112;
#else
inline constexpr int16_t kTaskWaiterOffset = 128;
#endif
#if PY_VERSION_HEX >= 0x030D0000
inline constexpr int16_t kLocalArgumentsOffset = 16, kLocalTablesOffset = 40;
inline constexpr bool kQueueHoldsItems = true; // before, it has a list
#else
inline constexpr int16_t kLocalArgumentsOffset = 24, kLocalTablesOffset = 48;
inline constexpr bool kQueueHoldsItems = false;
#endif
inline constexpr int16_t kTaskCoroutineOffset = kTaskWaiterOffset + 8, kTaskNameOffset = kTaskWaiterOffset + 16,
                         kTaskContextOffset = kTaskWaiterOffset + 24;

// What asyncio keeps of a thread under "__asyncio_running_event_loop__" holds the loop here.
inline constexpr size_t kHeldLoopOffset = 16;

} // namespace heapdiff::cpython
