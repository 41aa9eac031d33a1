/* Extension types that break the rules of the collector's protocol, each in its own way. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <structmember.h>

typedef struct {
    PyObject_VAR_HEAD PyObject* held;
} Hostile;

static int visits_null(PyObject* self, visitproc visit, void* argument) {
    int result = visit(NULL, argument);
    return result != 0 ? result : visit(((Hostile*)self)->held, argument);
}
static int visits_an_odd_address(PyObject* self, visitproc visit, void* argument) {
    (void)self;
    return visit((PyObject*)0x1234567, argument);
}
static int visits_one_object_often(PyObject* self, visitproc visit, void* argument) {
    for (int i = 0; i < 100000; i++) {
        visit(((Hostile*)self)->held, argument);
        visit((PyObject*)Py_TYPE(self), argument);
    }
    return 0;
}
static int allocates(PyObject* self, visitproc visit, void* argument) {
    for (int i = 0; i < 3000; i++) {
        PyObject* list = Py_BuildValue("[i{s:i}]", i, "key", i);
        Py_XDECREF(list);
    }
    return visit(((Hostile*)self)->held, argument);
}
static int gives_up(PyObject* self, visitproc visit, void* argument) {
    visit(((Hostile*)self)->held, argument);
    return -1;
}
static int says_nothing(PyObject* self, visitproc visit, void* argument) {
    (void)self;
    (void)visit;
    (void)argument;
    return 0;
}

static int init(PyObject* self, PyObject* arguments, PyObject* keywords) {
    (void)keywords;
    PyObject* held = NULL;
    if (!PyArg_ParseTuple(arguments, "|O", &held)) {
        return -1;
    }
    Py_XINCREF(held);
    Py_XSETREF(((Hostile*)self)->held, held);
    return 0;
}
static int clear(PyObject* self) {
    Py_CLEAR(((Hostile*)self)->held);
    return 0;
}
static void dealloc(PyObject* self) {
    PyObject_GC_UnTrack(self);
    clear(self);
    Py_TYPE(self)->tp_free(self);
}

/* A size that is negative, as ints have it. */
static PyObject* make_negative(PyTypeObject* type, PyObject* arguments, PyObject* keywords) {
    (void)arguments;
    (void)keywords;
    PyObject* self = type->tp_alloc(type, 4);
    if (self != NULL) {
        ((PyVarObject*)self)->ob_size = -4;
    }
    return self;
}
static void dealloc_negative(PyObject* self) {
    PyObject_GC_UnTrack(self);
    ((PyVarObject*)self)->ob_size = 4;
    clear(self);
    Py_TYPE(self)->tp_free(self);
}

/* A member that lies outside of the object. */
static PyMemberDef members_outside[] = {
    {"outside", T_OBJECT, 1 << 20, READONLY, NULL},
    {"before", T_OBJECT_EX, -(1 << 20), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

#define TYPE(identifier, text, traverse, more)                                                                         \
    static PyTypeObject identifier = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = text,                                   \
                                      .tp_basicsize = sizeof(Hostile),                                                 \
                                      .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,       \
                                      .tp_traverse = traverse,                                                         \
                                      .tp_clear = clear,                                                               \
                                      .tp_init = init,                                                                 \
                                      .tp_dealloc = dealloc,                                                           \
                                      more}
TYPE(VisitsNull, "hostile.VisitsNull", visits_null, .tp_new = PyType_GenericNew);
TYPE(VisitsOdd, "hostile.VisitsOdd", visits_an_odd_address, .tp_new = PyType_GenericNew);
TYPE(VisitsOften, "hostile.VisitsOften", visits_one_object_often, .tp_new = PyType_GenericNew);
TYPE(Allocates, "hostile.Allocates", allocates, .tp_new = PyType_GenericNew);
TYPE(GivesUp, "hostile.GivesUp", gives_up, .tp_new = PyType_GenericNew);
TYPE(SaysNothing, "hostile.SaysNothing", says_nothing, .tp_new = PyType_GenericNew);
TYPE(Outside, "hostile.Outside", visits_null, .tp_new = PyType_GenericNew);
TYPE(FalseName, "collections.defaultdict", visits_null, .tp_new = PyType_GenericNew);
static PyTypeObject Negative = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "hostile.Negative",
                                .tp_basicsize = sizeof(Hostile),
                                .tp_itemsize = 8,
                                .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                                .tp_traverse = visits_null,
                                .tp_clear = clear,
                                .tp_new = make_negative,
                                .tp_dealloc = dealloc_negative};

/* Types of somebody's own with the names of CPython's, as bindings for C++ make them; their words are no objects. */
typedef struct {
    PyObject_HEAD
    char* words[16];
} Native;

static char nothing[4096] __attribute__((aligned(16)));

static PyObject* make_native(PyTypeObject* type, PyObject* arguments, PyObject* keywords) {
    (void)arguments;
    (void)keywords;
    PyObject* self = type->tp_alloc(type, 0);
    for (size_t i = 0; self != NULL && i < 16; i++) {
        ((Native*)self)->words[i] = nothing + 64 * i;
    }
    return self;
}
static void dealloc_native(PyObject* self) { Py_TYPE(self)->tp_free(self); }

#define NATIVE(identifier, text)                                                                                       \
    static PyTypeObject identifier = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = text, .tp_basicsize = sizeof(Native),   \
                                      .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, .tp_new = make_native,     \
                                      .tp_dealloc = dealloc_native}
NATIVE(NativeIterator, "iterator");
NATIVE(NativeMap, "map");
NATIVE(NativeBuffer, "managedbuffer");

static PyObject* leak(PyObject* module, PyObject* object) {
    (void)module;
    Py_INCREF(object);
    Py_RETURN_NONE;
}
static PyMethodDef functions[] = {{"leak", leak, METH_O, "Take a reference and lose it."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "hostile", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_hostile(void) {
    PyObject* module = PyModule_Create(&definition);
    PyTypeObject* types[] = {&VisitsNull, &VisitsOdd, &VisitsOften, &Allocates,      &GivesUp,   &SaysNothing,
                             &Outside,    &FalseName, &Negative,    &NativeIterator, &NativeMap, &NativeBuffer};
    Outside.tp_members = NULL;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (module == NULL || PyModule_AddType(module, types[i]) < 0) {
            Py_XDECREF(module);
            return NULL;
        }
    }
    Outside.tp_members = members_outside;
    return module;
}
