// Frames and generators (pycore_frame.h).
#pragma once

#include "cpython/versions/counts.hpp"

namespace heapdiff::cpython {

// A local variable or a place on the evaluation stack.
struct FrameSlot {
#if PY_VERSION_HEX >= 0x030E0000
    // The lowest bit marks a reference that no count knows of: it is lent by another place, which lives longer, or
    // goes to an immortal object; alone it is an empty place. The two lowest bits mark a number.
    // Source: pycore_stackref.h.
    uintptr_t bits;

    PyObject* object() const { return (bits & 3) == 3 ? nullptr : reinterpret_cast<PyObject*>(bits & ~uintptr_t{1}); }
    bool is_counted() const { return (bits & 1) == 0; }
#else
    PyObject* reference;

    PyObject* object() const { return reference; }
    bool is_counted() const { return true; }
#endif
};

struct InterpreterFrame {
#if PY_VERSION_HEX >= 0x030E0000
    FrameSlot code;
    InterpreterFrame* previous;
    FrameSlot function;
    PyObject* globals_borrowed;
    PyObject* builtins_borrowed;
    PyObject* locals;
    PyObject* frame_object;
    void* instruction;
    FrameSlot* stack_top;
#ifdef Py_GIL_DISABLED
    int32_t bytecode_copy;
#endif
    uint16_t return_offset;
    char owner;
    uint8_t visited;
#elif PY_VERSION_HEX >= 0x030C0000
    FrameSlot code;
    InterpreterFrame* previous;
    FrameSlot function;
    PyObject* globals_borrowed;
    PyObject* builtins_borrowed;
    PyObject* locals;
    PyObject* frame_object;
    void* instruction;
    int stack_top;
    uint16_t return_offset;
    char owner;
#else
    FrameSlot function;
    PyObject* globals_borrowed;
    PyObject* builtins_borrowed;
    PyObject* locals;
    FrameSlot code;
    PyObject* frame_object;
    InterpreterFrame* previous;
    void* instruction;
    int stack_top;
    bool is_entry;
    char owner;
#endif
    FrameSlot slots[1];

    // How many slots are in use, or -1: while a frame calls into C, CPython 3.11 to 3.13 keep the depth of its
    // evaluation stack in a register.
    int used_slots() const {
#if PY_VERSION_HEX >= 0x030E0000
        return stack_top == nullptr ? -1 : static_cast<int>(stack_top - slots);
#else
        return stack_top;
#endif
    }
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
#if PY_VERSION_HEX >= 0x030E0000
    PyObject* overwritten_locals;
#endif
};
template <class Visit> void visit_frame_object_extras(const FrameObject* frame, Visit visit) {
#if PY_VERSION_HEX >= 0x030D0000
    visit(frame->extra_locals, "extra_locals");
    visit(frame->locals_cache, "locals_cache");
#if PY_VERSION_HEX >= 0x030E0000
    visit(frame->overwritten_locals, "overwritten_locals");
#endif
#else
    (void)frame;
    (void)visit;
#endif
}

#if PY_VERSION_HEX >= 0x030E0000
struct Generator {
    PyObject_HEAD
    PyObject* weak_references;
    PyObject* gi_name;
    PyObject* gi_qualname;
    _PyErr_StackItem gi_exc_state;
    PyObject* gi_origin_or_finalizer;
    char hooks_inited, closed, running_async;
    int8_t gi_frame_state;
    InterpreterFrame gi_iframe[1];
};
#else
using Generator = PyGenObject;
#endif

inline InterpreterFrame* generator_frame(PyObject* generator) {
    return reinterpret_cast<InterpreterFrame*>(reinterpret_cast<Generator*>(generator)->gi_iframe);
}
// Whether the generator has finished: of its frame nothing is left.
inline bool is_frame_cleared(PyObject* generator) {
    constexpr int kFrameCleared = 4;
    return reinterpret_cast<Generator*>(generator)->gi_frame_state >= kFrameCleared;
}
// Whether it is a coroutine that waits for another or for a future.
inline bool is_awaiting(PyObject* coroutine) {
    constexpr int kFrameAwaiting = -1;
    return PyCoro_CheckExact(coroutine) && reinterpret_cast<Generator*>(coroutine)->gi_frame_state == kFrameAwaiting;
}
template <class Visit> void visit_generator_extras(PyObject* generator, Visit visit) {
    auto* fields = reinterpret_cast<Generator*>(generator);
#if PY_VERSION_HEX < 0x030C0000
    visit(reinterpret_cast<PyObject*>(fields->gi_code), "gi_code");
#endif
    visit(fields->gi_name, "__name__");
    visit(fields->gi_qualname, "__qualname__");
    visit(fields->gi_exc_state.exc_value, "exception");
    // A plain generator has the field but never fills it.
    if (!PyGen_CheckExact(generator)) visit(fields->gi_origin_or_finalizer, "origin_or_finalizer");
}

} // namespace heapdiff::cpython
