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

/* Where CPython 3.14 says, in the table it keeps for debuggers, that the int is which is 1 while a collection runs;
   null on other versions, and where that table is not the one heapdiff was compiled against. */
const int* heapdiff_collecting_flag(const void* interpreter);

/* How many references that thread of a free-threaded build has counted under that number (pycore_uniqueid.h). To be
   called where heapdiff_compiled_version is the version that runs, and every thread is stopped. */
long heapdiff_thread_count(const void* thread, long id);

/* Calls visit for the callable, the arguments and the keywords of each function given to atexit.register. Since 3.14
   these are in tuples of a list, and the interpreter's reference to the list is the only one that is counted. */
void heapdiff_visit_atexit(void* interpreter, void (*visit)(void* object, int is_counted, void* argument),
                           void* argument);

#ifdef __cplusplus
}
#endif
#endif
