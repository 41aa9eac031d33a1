/* The only file that includes CPython's internal headers, and in C because they are not C++. */
#define Py_BUILD_CORE 1
#include <Python.h>

#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"
#if PY_VERSION_HEX >= 0x030D0000
#include "internal/pycore_tstate.h"
#endif

#include <string.h>

#include "interpreter_layout.h"

#define FIELD(name, field) {name, offsetof(PyInterpreterState, field)}

const struct heapdiff_field heapdiff_interpreter_fields[] = {
    FIELD("sys.modules",
#if PY_VERSION_HEX >= 0x030C0000
          imports.modules),
    FIELD("modules by index", imports.modules_by_index),
    FIELD("importlib", imports.importlib),
    FIELD("builtins.__import__", imports.import_func),
    FIELD("sys.__dict__ as it was at the start", sysdict_copy),
#else
          modules),
    FIELD("modules by index", modules_by_index),
    FIELD("importlib", importlib),
    FIELD("builtins.__import__", import_func),
#endif
#if PY_VERSION_HEX >= 0x030D0000
    FIELD("codecs.register", codecs.search_path),
    FIELD("the cache of codecs", codecs.search_cache),
    FIELD("codecs.register_error", codecs.error_registry),
#else
    FIELD("codecs.register", codec_search_path),
    FIELD("the cache of codecs", codec_search_cache),
    FIELD("codecs.register_error", codec_error_registry),
#endif
    FIELD("sys.__dict__", sysdict),
    FIELD("builtins.__dict__", builtins),
    FIELD("builtins.__dict__ as it was at the start", builtins_copy),
    FIELD("the interpreter's own dict", dict),
    FIELD("os.register_at_fork(before=...)", before_forkers),
    FIELD("os.register_at_fork(after_in_parent=...)", after_forkers_parent),
    FIELD("os.register_at_fork(after_in_child=...)", after_forkers_child),
    FIELD("sys.addaudithook", audit_hooks),
    {NULL, 0},
};
const size_t heapdiff_interpreter_bytes = sizeof(PyInterpreterState);
const unsigned long heapdiff_compiled_version = PY_VERSION_HEX;

const int* heapdiff_collecting_flag(const void* interpreter) {
#if PY_VERSION_HEX >= 0x030E0000
    const _Py_DebugOffsets* known = &_PyRuntime.debug_offsets;
#ifdef Py_GIL_DISABLED
    const uint64_t free_threaded = 1;
#else
    const uint64_t free_threaded = 0;
#endif
    if (memcmp(known->cookie, _Py_Debug_Cookie, sizeof known->cookie) != 0 ||
        known->version >> 16 != PY_VERSION_HEX >> 16 || known->free_threaded != free_threaded) {
        return NULL;
    }
    return (const int*)((const char*)interpreter + known->interpreter_state.gc + known->gc.collecting);
#else
    (void)interpreter;
    return NULL;
#endif
}

void* heapdiff_running_loop(void* thread) {
#if PY_VERSION_HEX >= 0x030D0000
    return ((_PyThreadStateImpl*)thread)->asyncio_running_loop;
#else
    (void)thread;
    return NULL;
#endif
}

long heapdiff_thread_count(const void* thread, long id) {
#ifdef Py_GIL_DISABLED
    const _PyThreadStateImpl* state = thread;
    return id > 0 && id <= state->refcounts.size ? state->refcounts.values[id - 1] : 0;
#else
    (void)thread;
    (void)id;
    return 0;
#endif
}

void heapdiff_visit_atexit(void* interpreter, void (*visit)(void* object, int is_counted, void* argument),
                           void* argument) {
    struct atexit_state* state = &((PyInterpreterState*)interpreter)->atexit;
#if PY_VERSION_HEX >= 0x030E0000
    if (state->callbacks == NULL) {
        return;
    }
    visit(state->callbacks, 1, argument);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(state->callbacks); i++) {
        PyObject* call = PyList_GET_ITEM(state->callbacks, i); /* None once it is unregistered */
        for (Py_ssize_t j = 0; PyTuple_CheckExact(call) && j < PyTuple_GET_SIZE(call); j++) {
            visit(PyTuple_GET_ITEM(call, j), 0, argument);
        }
    }
#else
    for (int i = 0; i < state->ncallbacks; i++) {
        if (state->callbacks[i] == NULL) {
            continue;
        }
        visit(state->callbacks[i]->func, 1, argument);
        visit(state->callbacks[i]->args, 1, argument);
        visit(state->callbacks[i]->kwargs, 1, argument);
    }
#endif
}
