// Exceptions of heapdiff.errors, raised from C++.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace heapdiff {

// Raises heapdiff.errors.<name> with the text; the import happens only now.
void raise_error(const char* name, const char* format, ...);
inline void raise_unsupported(const char* text) { raise_error("UnsupportedInterpreterError", "%s", text); }

} // namespace heapdiff
