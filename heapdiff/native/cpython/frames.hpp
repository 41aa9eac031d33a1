// Running, suspended and kept frames, read without making a frame object.
#pragma once

#include "cpython/type_table.hpp"
#include "cpython/versions.hpp"

namespace heapdiff {

// The frame's code object, or null where it is an entry shim of the interpreter.
inline PyCodeObject* frame_code(const cpython::InterpreterFrame* frame) {
    PyObject* code = frame->code.object();
    return code != nullptr && PyCode_Check(code) ? reinterpret_cast<PyCodeObject*>(code) : nullptr;
}

// The __name__ of the module whose code the frame runs, borrowed; null where there is none. The shim below a
// specialized call of a class has code and no function, and what stands where its globals belong was never written.
inline PyObject* frame_module(const cpython::InterpreterFrame* frame) {
    PyObject* function = frame->function.object();
    return function != nullptr && PyFunction_Check(function) ? name_in(frame->globals_borrowed) : nullptr;
}

// Slots of the frame that hold references for certain: the locals, and the evaluation stack where its depth is known.
inline int known_slots(const cpython::InterpreterFrame* frame, const PyCodeObject* code) {
    int used = frame->used_slots();
    return used >= 0 ? used : code->co_nlocalsplus;
}

// Slots that were allocated with a frame object or a generator. Neither has an ob_size to read them from.
inline uint64_t slots_of(const PyCodeObject* code) {
    return code == nullptr ? 0 : static_cast<uint64_t>(code->co_nlocalsplus + code->co_stacksize);
}
inline uint64_t frame_object_slots(PyObject* object) {
    const auto* frame = reinterpret_cast<cpython::FrameObject*>(object)->frame;
    return frame == nullptr ? 0 : slots_of(frame_code(frame));
}
inline uint64_t generator_slots(PyObject* object) { return slots_of(frame_code(cpython::generator_frame(object))); }

} // namespace heapdiff
