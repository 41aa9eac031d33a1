// The bytes an object itself occupies.
#pragma once

#include "cpython/type_table.hpp"

namespace heapdiff {

// Bytes requested from the allocators for this object alone: its GC and dict headers, inline values and
// own buffers included; what sys.getsizeof reports, plus the values of attributes that it leaves out. No Python
// code runs: a __sizeof__ written in Python is never called, so it cannot claim anything.
uint64_t shallow_bytes(PyObject* object, const TypeInfo& info) noexcept;

} // namespace heapdiff
