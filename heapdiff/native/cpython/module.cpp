// The extension's table of contents.
#include "cpython/capture_functions.hpp"
#include "cpython/codec_functions.hpp"
#include "cpython/columns.hpp"
#include "cpython/graph_functions.hpp"
#include "cpython/process_functions.hpp"
#include "cpython/type_table.hpp"
#include "cpython/versions.hpp"

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

bool add_functions(PyObject* module) {
    PyMethodDef* tables[] = {heapdiff::capture_functions(), heapdiff::graph_functions(), heapdiff::codec_functions(),
                             heapdiff::process_functions()};
    for (PyMethodDef* table : tables)
        if (PyModule_AddFunctions(module, table) < 0) return false;
    return true;
}

} // namespace

PyMODINIT_FUNC PyInit__native() {
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError,
                        "heapdiff reads the heap of the main interpreter only and cannot be imported in a "
                        "subinterpreter; import it in the main one");
        return nullptr;
    }
    PyObject* module = PyModule_Create(&definition);
    if (module == nullptr) return nullptr;
    heapdiff::cpython::keep_gil_off(module);
    if (heapdiff::add_columns_type(module) < 0 || heapdiff::prepare_type_table() < 0 || !add_functions(module)) {
        Py_DECREF(module);
        return nullptr;
    }
    return module;
}
