#include "cpython/columns.hpp"

#include "cpython/errors.hpp"

#include <cstring>
#include <new>

namespace heapdiff {
namespace {

struct ColumnsObject {
    PyObject_HEAD
    ColumnStore* store;
    Py_buffer buffer; // what the columns lie in, where they are not their own
    bool has_buffer;
};

// Exports one column; memoryview() of it is what Python sees.
struct ColumnObject {
    PyObject_HEAD
    ColumnsObject* parent;
    const Column* column;
    Py_ssize_t length;
    Py_ssize_t stride;
    char format[2];
};

PyTypeObject* columns_type = nullptr;
PyTypeObject* column_type = nullptr;

// ------------------------------------------------------------------ Column

void column_dealloc(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    Py_XDECREF(reinterpret_cast<PyObject*>(reinterpret_cast<ColumnObject*>(self)->parent));
    type->tp_free(self);
    Py_DECREF(type);
}

int column_getbuffer(PyObject* self, Py_buffer* view, int flags) {
    auto* object = reinterpret_cast<ColumnObject*>(self);
    if (flags & PyBUF_WRITABLE) {
        PyErr_SetString(PyExc_BufferError, "a column of a snapshot is read-only");
        return -1;
    }
    static char nothing;
    const void* data = object->column->length != 0 ? object->column->data : &nothing;
    view->buf = const_cast<void*>(data);
    view->obj = Py_NewRef(self);
    view->len = object->length * object->stride;
    view->itemsize = object->stride;
    view->readonly = 1;
    view->ndim = 1;
    view->format = (flags & PyBUF_FORMAT) ? object->format : nullptr;
    view->shape = (flags & PyBUF_ND) ? &object->length : nullptr;
    view->strides = (flags & PyBUF_STRIDES) ? &object->stride : nullptr;
    view->suboffsets = nullptr;
    view->internal = nullptr;
    return 0;
}

PyType_Slot column_slots[] = {
    {Py_tp_doc, const_cast<char*>("Exports one column through the buffer protocol.")},
    {Py_tp_dealloc, reinterpret_cast<void*>(column_dealloc)},
    {Py_bf_getbuffer, reinterpret_cast<void*>(column_getbuffer)},
    {0, nullptr},
};
PyType_Spec column_spec = {"heapdiff.native._native._Column", sizeof(ColumnObject), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, column_slots};

// ------------------------------------------------------------------ Columns

PyObject* columns_alloc(PyTypeObject* type) {
    PyObject* self = type->tp_alloc(type, 0);
    if (self == nullptr) return nullptr;
    auto* object = reinterpret_cast<ColumnsObject*>(self);
    object->has_buffer = false;
    object->store = new (std::nothrow) ColumnStore;
    if (object->store == nullptr) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return self;
}

void columns_dealloc(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    auto* object = reinterpret_cast<ColumnsObject*>(self);
    delete object->store;
    if (object->has_buffer) PyBuffer_Release(&object->buffer);
    type->tp_free(self);
    Py_DECREF(type);
}

// Copies one buffer of a mapping; false with an exception set.
bool copy_column(ColumnStore& store, PyObject* name, PyObject* source) {
    Py_ssize_t name_length = 0;
    const char* text = PyUnicode_AsUTF8AndSize(name, &name_length);
    if (text == nullptr) return false;
    Py_buffer view;
    if (PyObject_GetBuffer(source, &view, PyBUF_ND | PyBUF_FORMAT) < 0) return false;
    const char* format = view.format != nullptr ? view.format : "B";
    char code = format[0] == 'L' && view.itemsize == 8 ? 'Q' : format[0] == 'L' ? 'I' : format[0];
    size_t item = code == 'B' ? 1 : code == 'I' || code == 'i' ? 4 : code == 'Q' ? 8 : 0;
    bool good = format[0] != '\0' && format[1] == '\0' && view.ndim == 1 && item == static_cast<size_t>(view.itemsize);
    if (!good) PyErr_Format(PyExc_ValueError, "column %R: format '%s' is not one of B, I, i, Q", name, format);
    Array<uint8_t> bytes;
    if (good && !bytes.resize(static_cast<size_t>(view.len))) {
        PyErr_NoMemory();
        good = false;
    }
    if (good) try {
            if (view.len != 0) std::memcpy(bytes.data(), view.buf, static_cast<size_t>(view.len));
            if (code == 'B') {
                store.add(text, std::move(bytes));
            } else if (code == 'Q') {
                Array<uint64_t> wide;
                size_t mapped = bytes.mapped_bytes();
                wide.adopt(reinterpret_cast<uint64_t*>(bytes.give_up()), static_cast<size_t>(view.len) / 8, mapped);
                store.add(text, std::move(wide));
            } else {
                Array<uint32_t> narrow;
                size_t mapped = bytes.mapped_bytes();
                narrow.adopt(reinterpret_cast<uint32_t*>(bytes.give_up()), static_cast<size_t>(view.len) / 4, mapped);
                store.add(text, std::move(narrow));
            }
        } catch (const std::bad_alloc&) {
            PyErr_NoMemory();
            good = false;
        }
    PyBuffer_Release(&view);
    return good;
}

PyObject* columns_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
    static const char* names[] = {"columns", nullptr};
    PyObject* mapping = nullptr;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!:Columns", const_cast<char**>(names), &PyDict_Type, &mapping))
        return nullptr;
    PyObject* self = columns_alloc(type);
    if (self == nullptr) return nullptr;
    ColumnStore& store = *reinterpret_cast<ColumnsObject*>(self)->store;
    Py_ssize_t position = 0;
    PyObject *name = nullptr, *source = nullptr;
    while (PyDict_Next(mapping, &position, &name, &source))
        if (!copy_column(store, name, source)) {
            Py_DECREF(self);
            return nullptr;
        }
    return self;
}

PyObject* columns_over(PyObject* type, PyObject* args) {
    PyObject *source = nullptr, *layout = nullptr;
    if (!PyArg_ParseTuple(args, "OO!:over", &source, &PyList_Type, &layout)) return nullptr;
    PyObject* self = columns_alloc(reinterpret_cast<PyTypeObject*>(type));
    if (self == nullptr) return nullptr;
    auto* object = reinterpret_cast<ColumnsObject*>(self);
    if (PyObject_GetBuffer(source, &object->buffer, PyBUF_SIMPLE) < 0) {
        Py_DECREF(self);
        return nullptr;
    }
    object->has_buffer = true;
    auto available = static_cast<unsigned long long>(object->buffer.len);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(layout); ++i) {
        const char *name = nullptr, *format = nullptr;
        unsigned long long offset = 0, length = 0;
        if (!PyArg_ParseTuple(PyList_GET_ITEM(layout, i), "ssKK", &name, &format, &offset, &length)) {
            Py_DECREF(self);
            return nullptr;
        }
        unsigned long long item = std::strcmp(format, "B") == 0                                    ? 1
                                  : std::strcmp(format, "I") == 0 || std::strcmp(format, "i") == 0 ? 4
                                  : std::strcmp(format, "Q") == 0                                  ? 8
                                                                                                   : 0;
        if (item == 0 || offset > available || length > (available - offset) / item || offset % item != 0) {
            PyErr_Format(PyExc_ValueError,
                         "column '%s' (format '%s', %llu numbers at %llu) does not lie in a buffer of %llu bytes", name,
                         format, length, offset, available);
            Py_DECREF(self);
            return nullptr;
        }
        object->store->add_view(name, format[0], static_cast<const char*>(object->buffer.buf) + offset, length);
    }
    return self;
}

PyObject* columns_subscript(PyObject* self, PyObject* key) {
    auto* object = reinterpret_cast<ColumnsObject*>(self);
    const char* name = PyUnicode_Check(key) ? PyUnicode_AsUTF8(key) : nullptr;
    const Column* column = name != nullptr ? object->store->find(name) : nullptr;
    if (column == nullptr) {
        if (!PyErr_Occurred()) PyErr_SetObject(PyExc_KeyError, key);
        return nullptr;
    }
    PyObject* exporter = column_type->tp_alloc(column_type, 0);
    if (exporter == nullptr) return nullptr;
    auto* view = reinterpret_cast<ColumnObject*>(exporter);
    view->parent = reinterpret_cast<ColumnsObject*>(Py_NewRef(self));
    view->column = column;
    view->length = static_cast<Py_ssize_t>(column->length);
    view->stride = static_cast<Py_ssize_t>(column->item_bytes());
    view->format[0] = column->format;
    view->format[1] = '\0';
    PyObject* memory = PyMemoryView_FromObject(exporter);
    Py_DECREF(exporter);
    return memory;
}

int columns_contains(PyObject* self, PyObject* key) {
    const char* name = PyUnicode_Check(key) ? PyUnicode_AsUTF8(key) : nullptr;
    if (name == nullptr) {
        PyErr_Clear();
        return 0;
    }
    return reinterpret_cast<ColumnsObject*>(self)->store->find(name) != nullptr;
}

PyObject* columns_names(PyObject* self, PyObject*) {
    const auto& all = reinterpret_cast<ColumnsObject*>(self)->store->all();
    PyObject* names = PyTuple_New(static_cast<Py_ssize_t>(all.size()));
    for (size_t i = 0; names != nullptr && i < all.size(); ++i) {
        PyObject* name = PyUnicode_FromStringAndSize(all[i].name.data(), static_cast<Py_ssize_t>(all[i].name.size()));
        if (name == nullptr) Py_CLEAR(names);
        else PyTuple_SET_ITEM(names, static_cast<Py_ssize_t>(i), name);
    }
    return names;
}

PyMethodDef columns_methods[] = {
    {"over", guarded<columns_over>, METH_VARARGS | METH_CLASS,
     "over(buffer, layout)\n--\n\nColumns that lie in a buffer; layout is a list of (name, format, offset, length)."},
    {"names", columns_names, METH_NOARGS, "names()\n--\n\nThe names of the columns, in their order."},
    {nullptr, nullptr, 0, nullptr},
};
PyType_Slot columns_slots[] = {
    {Py_tp_doc,
     const_cast<char*>("Columns(columns)\n--\n\nNamed flat arrays of numbers; columns[name] is a memoryview.")},
    {Py_tp_new, reinterpret_cast<void*>(columns_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(columns_dealloc)},
    {Py_mp_subscript, reinterpret_cast<void*>(columns_subscript)},
    {Py_sq_contains, reinterpret_cast<void*>(columns_contains)},
    {Py_tp_methods, columns_methods},
    {0, nullptr},
};
PyType_Spec columns_spec = {"heapdiff.native._native.Columns", sizeof(ColumnsObject), 0, Py_TPFLAGS_DEFAULT,
                            columns_slots};

} // namespace

int add_columns_type(PyObject* module) {
    column_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&column_spec));
    if (column_type == nullptr) return -1;
    columns_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&columns_spec));
    if (columns_type == nullptr) return -1;
    return PyModule_AddObjectRef(module, "Columns", reinterpret_cast<PyObject*>(columns_type));
}

PyObject* new_columns(ColumnStore&& store) {
    PyObject* self = columns_alloc(columns_type);
    if (self != nullptr) *reinterpret_cast<ColumnsObject*>(self)->store = std::move(store);
    return self;
}

const ColumnStore* columns_argument(PyObject* argument, const char* what) {
    if (!Py_IS_TYPE(argument, columns_type)) {
        PyErr_Format(PyExc_TypeError, "%s must be Columns, not %.200s", what, Py_TYPE(argument)->tp_name);
        return nullptr;
    }
    return reinterpret_cast<ColumnsObject*>(argument)->store;
}

bool heap_argument(PyObject* argument, Heap* heap, const ColumnStore** store_out) {
    const ColumnStore* store = columns_argument(argument, "heap");
    if (store == nullptr) return false;
    if (store_out != nullptr) *store_out = store;
    if (!column_numbers(*store, "object_type", &heap->type) ||
        !column_numbers(*store, "object_shallow", &heap->shallow) ||
        !column_numbers(*store, "object_address", &heap->address) ||
        !column_numbers(*store, "object_flags", &heap->flags) ||
        !column_numbers(*store, "reference_start", &heap->start) ||
        !column_numbers(*store, "reference_target", &heap->target) ||
        !column_numbers(*store, "reference_label", &heap->label) ||
        !column_numbers(*store, "large_object", &heap->large_object) ||
        !column_numbers(*store, "large_bytes", &heap->large_bytes))
        return false;
    size_t n = heap->type.size();
    if (n == 0 || heap->shallow.size() != n || heap->address.size() != n || heap->flags.size() != n ||
        heap->start.size() != n + 1 || heap->start[n] != heap->target.size() ||
        heap->label.size() != heap->target.size() || heap->large_bytes.size() != heap->large_object.size()) {
        PyErr_SetString(PyExc_ValueError, "the columns of the heap do not have the lengths that belong together");
        return false;
    }
    return true;
}

} // namespace heapdiff
