// What differs between versions of CPython: the layouts that no public header gives, and with interpreter_layout.c
// every `#if PY_VERSION_HEX` of heapdiff. Object and frame layouts do not change within a minor version, because
// extension modules inline them; the interpreter state does, so it is never read by a compiled-in offset here.
#pragma once

#include "cpython/versions/counts.hpp"
#include "cpython/versions/dicts.hpp"
#include "cpython/versions/frames.hpp"
#include "cpython/versions/objects.hpp"
#include "cpython/versions/state.hpp"
