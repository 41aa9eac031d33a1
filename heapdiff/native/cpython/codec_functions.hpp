// The transforms of the snapshot file as Python functions over buffers.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace heapdiff {

PyMethodDef* codec_functions();

} // namespace heapdiff
