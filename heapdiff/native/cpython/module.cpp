// The extension's table of contents.
#include "cpython/codec_functions.hpp"
#include "cpython/columns.hpp"
#include "cpython/graph_functions.hpp"
#include "cpython/process_functions.hpp"

namespace {

PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                          "_native",
                          "The native core of heapdiff: reads the heap, and computes on flat arrays.",
                          -1,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr};

} // namespace

PyMODINIT_FUNC PyInit__native() {
    PyObject* module = PyModule_Create(&definition);
    if (module == nullptr) return nullptr;
    if (heapdiff::add_columns_type(module) < 0 || PyModule_AddFunctions(module, heapdiff::graph_functions()) < 0 ||
        PyModule_AddFunctions(module, heapdiff::codec_functions()) < 0 ||
        PyModule_AddFunctions(module, heapdiff::process_functions()) < 0) {
        Py_DECREF(module);
        return nullptr;
    }
    return module;
}
