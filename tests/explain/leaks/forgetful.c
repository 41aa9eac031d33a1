/* An extension that forgets to release references, and beside each function one that does not. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject* index_object(PyObject* module, PyObject* argument) {
    (void)module;
    Py_INCREF(argument); /* nobody will ever release it */
    Py_RETURN_NONE;
}

static PyObject* index_and_release(PyObject* module, PyObject* argument) {
    (void)module;
    Py_INCREF(argument);
    Py_DECREF(argument);
    Py_RETURN_NONE;
}

static PyObject* encode(PyObject* module, PyObject* argument) {
    (void)module;
    PyObject* text = PyUnicode_FromFormat("order %S", argument);
    if (text == NULL) {
        return NULL;
    }
    Py_RETURN_NONE; /* and the text is lost */
}

static PyObject* encode_and_release(PyObject* module, PyObject* argument) {
    (void)module;
    PyObject* text = PyUnicode_FromFormat("order %S", argument);
    if (text == NULL) {
        return NULL;
    }
    Py_DECREF(text);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {{"index", index_object, METH_O, NULL},
                                  {"index_and_release", index_and_release, METH_O, NULL},
                                  {"encode", encode, METH_O, NULL},
                                  {"encode_and_release", encode_and_release, METH_O, NULL},
                                  {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "forgetful", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_forgetful(void) { return PyModule_Create(&definition); }
