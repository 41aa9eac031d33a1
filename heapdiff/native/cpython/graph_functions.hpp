// The graph algorithms as Python functions over Columns.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace heapdiff {

PyMethodDef* graph_functions();

} // namespace heapdiff
