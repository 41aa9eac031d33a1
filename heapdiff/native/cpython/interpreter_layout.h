/* Fields of the interpreter state by name. */
#ifndef HEAPDIFF_INTERPRETER_LAYOUT_H
#define HEAPDIFF_INTERPRETER_LAYOUT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct heapdiff_field {
    const char* name;
    size_t offset;
};

/* Ends with a name of NULL. The offsets hold for the very release heapdiff was compiled against. */
extern const struct heapdiff_field heapdiff_interpreter_fields[];
extern const size_t heapdiff_interpreter_bytes;
extern const unsigned long heapdiff_compiled_version;

/* The event loop that a thread's state holds, or NULL: before 3.13 asyncio kept it in the state's dict. */
void* heapdiff_running_loop(void* thread);

/* Calls visit for the callable, the arguments and the keywords of each function given to atexit.register. */
void heapdiff_visit_atexit(void* interpreter, void (*visit)(void* object, void* argument), void* argument);

#ifdef __cplusplus
}
#endif
#endif
