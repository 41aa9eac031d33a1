#include "cpython/process_functions.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>

namespace heapdiff {
namespace {

using DebugMallocStats = int (*)(FILE*);

// The number after "=" in the line that starts with `name`; -1 where there is none.
// Numbers are printed with commas: "2,097,152".
long long number_of(const char* text, const char* name) {
    const char* line = std::strstr(text, name);
    const char* digit = line != nullptr ? std::strchr(line, '=') : nullptr;
    if (digit == nullptr) return -1;
    long long number = -1;
    for (++digit; *digit == ' '; ++digit) {
    }
    for (; (*digit >= '0' && *digit <= '9') || *digit == ','; ++digit)
        if (*digit != ',') number = (number < 0 ? 0 : number * 10) + (*digit - '0');
    return number;
}

// CPython counts its arenas and has no function that tells; it only prints them, as
//   # arenas allocated current           =                    2
//   2 arenas * 1048576 bytes/arena       =            2,097,152
PyObject* arena_bytes(PyObject*, PyObject*) {
    auto print = reinterpret_cast<DebugMallocStats>(dlsym(RTLD_DEFAULT, "_PyObject_DebugMallocStats"));
    char* text = nullptr;
    size_t length = 0;
    FILE* stream = print != nullptr ? open_memstream(&text, &length) : nullptr;
    if (stream == nullptr) Py_RETURN_NONE;
    print(stream);
    bool whole = std::fclose(stream) == 0 && text != nullptr;
    long long bytes = whole ? number_of(text, "bytes/arena") : -1;
    std::free(text);
    if (bytes < 0) Py_RETURN_NONE;
    return PyLong_FromLongLong(bytes);
}

PyMethodDef functions[] = {
    {"arena_bytes", arena_bytes, METH_NOARGS,
     "arena_bytes()\n--\n\nAddress space that pymalloc has taken from the system; None where it does not say."},
    {nullptr, nullptr, 0, nullptr},
};

} // namespace

PyMethodDef* process_functions() { return functions; }

} // namespace heapdiff
