#include "cpython/graph_functions.hpp"

namespace heapdiff {
namespace {

PyMethodDef functions[] = {
    {nullptr, nullptr, 0, nullptr},
};

} // namespace

PyMethodDef* graph_functions() { return functions; }

} // namespace heapdiff
