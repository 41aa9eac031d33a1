#include "cpython/type_table.hpp"

#include "cpython/known_places.hpp"
#include "graph/heap.hpp"

#include <cstddef>
#include <cstring>
#include <new>
#include <structmember.h>

namespace heapdiff {
namespace {

// The traverse function of every class statement: static in CPython, so read off a class.
traverseproc instance_traverse = nullptr;
destructor instance_dealloc = nullptr;
PyObject* module_name = nullptr;   // interned "__module__"
PyObject* sizeof_name = nullptr;   // interned "__sizeof__"
PyObject* dunder_name = nullptr;   // interned "__name__"
PyObject* interned_mark = nullptr; // interned, and nobody else has it

constexpr int kObjectMember = 6; // T_OBJECT
constexpr int kSlotMember = T_OBJECT_EX;

// The value under an interned key, by identity alone: a dict look-up could run a foreign __eq__.
PyObject* value_of(PyObject* dict, PyObject* name) noexcept {
    if (dict == nullptr || !PyDict_Check(dict)) return nullptr;
    const cpython::DictKeys* keys = cpython::dict_keys(dict);
    if (cpython::split_values(dict)) return nullptr; // namespaces of types are never split
    const char* entries = cpython::key_entries(keys);
    for (Py_ssize_t i = 0; i < keys->entry_count; ++i) {
        if (keys->kind == 0) {
            auto& entry = reinterpret_cast<const cpython::GeneralEntry*>(entries)[i];
            if (entry.key == name) return entry.value;
        } else {
            auto& entry = reinterpret_cast<const cpython::StrEntry*>(entries)[i];
            if (entry.key == name) return entry.value;
        }
    }
    return nullptr;
}

// Whether the words of that type's objects stand where known_places() says. What a tp_traverse reported may be compared
// with any word; where there is none the words are read as references. Bindings for C++ call types of their own
// "iterator" or "map", and only names with a module are CPython's for certain.
bool has_known_places(PyTypeObject* type) {
    return type->tp_dealloc != instance_dealloc &&
           (type->tp_traverse != nullptr || std::strchr(type->tp_name, '.') != nullptr);
}

// Standard types whose own __sizeof__ is C that allocates nothing but its answer, and runs no user code.
bool is_trusted_size(PyTypeObject* type) {
    static const char* const names[] = {"collections.deque",
                                        "collections.OrderedDict",
                                        "_io.BufferedReader",
                                        "_io.BufferedWriter",
                                        "_io.BufferedRandom",
                                        "array.array",
                                        "re.Pattern",
                                        "re.Match",
                                        "_struct.Struct",
                                        "_pickle.Pickler",
                                        "_pickle.Unpickler",
                                        "mmap.mmap",
                                        "decimal.Decimal",
                                        "xml.etree.ElementTree.Element",
                                        "itertools.product",
                                        "itertools.permutations",
                                        "itertools.combinations",
                                        "itertools.combinations_with_replacement",
                                        "numpy.ndarray",
                                        "_hashlib.HASH",
                                        "code",
                                        "memoryview"};
    for (const char* name : names)
        if (is_named(type, name)) return true;
    return false;
}

// Types that keep memory of their own which nothing outside can size.
bool has_native_memory(PyTypeObject* type) {
    static const char* const prefixes[] = {"sqlite3.Connection",
                                           "sqlite3.Statement",
                                           "sqlite3.Blob",
                                           "zlib.",
                                           "_ssl.",
                                           "_bz2.",
                                           "_lzma.",
                                           "_zstd.",
                                           "pyexpat.",
                                           "lxml."};
    for (; type != nullptr; type = type->tp_base)
        for (const char* prefix : prefixes)
            if (std::strncmp(type->tp_name, prefix, std::strlen(prefix)) == 0) return true;
    return false;
}

// C types that hold objects of which neither a tp_traverse nor a member tells, on some version. A list, because not
// every type allocates what its tp_basicsize says: to read the body of any other would be to trust what nobody
// promises.
bool hides_references(PyTypeObject* type) {
    static const char* const names[] = {"datetime.timezone", "decimal.Context",   "decimal.SignalDict",
                                        "_struct.Struct",    "_io.BytesIO",       "_io.StringIO",
                                        "zoneinfo.ZoneInfo", "datetime.datetime", "datetime.time",
                                        "StgDict",           "_thread._local"};
    for (const char* name : names)
        if (is_named(type, name)) return true;
    return false;
}

Shape shape_of(PyTypeObject* type) {
    if (type == &PyTuple_Type) return Shape::tuple;
    if (type == &PyList_Type) return Shape::list;
    if (type == &PyDict_Type || type == &PyODict_Type ||
        (PyType_FastSubclass(type, Py_TPFLAGS_DICT_SUBCLASS) &&
         (is_named(type, "collections.defaultdict") || is_named(type, "StgDict"))))
        return Shape::dict;
    if (type == &PySet_Type || type == &PyFrozenSet_Type) return Shape::set;
    if (type == &PyFunction_Type) return Shape::function;
    if (type == &PyCode_Type) return Shape::code;
    if (type == &PyCell_Type) return Shape::cell;
    if (type == &PyModule_Type) return Shape::module;
    if (type == &PyGen_Type || type == &PyCoro_Type || type == &PyAsyncGen_Type) return Shape::generator;
    if (type == &PyFrame_Type) return Shape::frame;
    if (type == &PyRange_Type) return Shape::range;
    if (type == &PyType_Type) return Shape::type;
    if (type == &_PyWeakref_RefType || type == &_PyWeakref_ProxyType || type == &_PyWeakref_CallableProxyType)
        return Shape::weak_reference;
    if (type == &PyMethodDescr_Type || type == &PyGetSetDescr_Type || type == &PyMemberDescr_Type ||
        type == &PyWrapperDescr_Type || type == &PyClassMethodDescr_Type)
        return Shape::descriptor;
    if (PyType_IS_GC(type) && type->tp_traverse != instance_traverse && is_named(type, "collections.deque"))
        return Shape::sequence;
    if (cpython::kQueueHoldsItems && is_named(type, "_queue.SimpleQueue")) return Shape::sequence;
    if (is_named(type, "functools._lru_cache_wrapper")) return Shape::lru_cache;
    if (is_named(type, "functools._lru_list_elem")) return Shape::lru_cache_link;
    if (PyType_IS_GC(type) && type->tp_traverse == instance_traverse) return Shape::instance;
    return PyType_IS_GC(type) && type->tp_traverse != nullptr ? Shape::traverse : Shape::leaf;
}

} // namespace

bool is_named(const PyTypeObject* type, const char* name) noexcept {
    return std::strcmp(type->tp_name, name) == 0 && type->tp_dealloc != instance_dealloc;
}

int prepare_type_table() {
    module_name = PyUnicode_InternFromString("__module__");
    sizeof_name = PyUnicode_InternFromString("__sizeof__");
    PyObject* plain = PyObject_CallFunction(reinterpret_cast<PyObject*>(&PyType_Type), "s(){}", "plain");
    dunder_name = PyUnicode_InternFromString("__name__");
    interned_mark = PyUnicode_InternFromString("heapdiff's mark in the table of interned strings");
    if (module_name == nullptr || sizeof_name == nullptr || dunder_name == nullptr || interned_mark == nullptr ||
        plain == nullptr)
        return -1;
    instance_traverse = reinterpret_cast<PyTypeObject*>(plain)->tp_traverse;
    instance_dealloc = reinterpret_cast<PyTypeObject*>(plain)->tp_dealloc;
    Py_DECREF(plain);
    return 0;
}

bool is_interned_table(const cpython::DictKeys* keys) noexcept {
    if (keys->kind != 1) return false;
    auto* entries = reinterpret_cast<const cpython::StrEntry*>(cpython::key_entries(keys));
    // A dict of somebody's may map strings to themselves, but has no reason to know the mark.
    for (Py_ssize_t i = 0; i < keys->entry_count && entries[i].key == entries[i].value; ++i)
        if (entries[i].key == interned_mark) return true;
    return false;
}

PyObject* name_in(PyObject* globals) noexcept { return value_of(globals, dunder_name); }

bool is_own_name(PyObject* name) noexcept {
    if (name == nullptr || !PyUnicode_CheckExact(name) || cpython::is_legacy_text(name) || !PyUnicode_IS_ASCII(name))
        return false;
    auto* text = static_cast<const char*>(PyUnicode_DATA(name));
    return std::strncmp(text, "heapdiff", 8) == 0 && (text[8] == '\0' || text[8] == '.');
}

bool TypeTable::add(PyTypeObject* type) noexcept {
    TypeInfo info{};
    info.type = type;
    info.gc = PyType_IS_GC(type);
    info.heap = type->tp_flags & Py_TPFLAGS_HEAPTYPE;
    info.pre_header = static_cast<uint32_t>(cpython::pre_header_bytes(type));
    info.managed_dict = cpython::has_managed_dict(type);
    info.native_memory = has_native_memory(type);
    info.extension = extensions_.use_of(type);
    if (!name_type(info)) return false;
    shape_type(info);
    info.body_hides = hides_references(info.base);
    info.task = is_named(info.base, "_asyncio.Task") &&
                info.base->tp_basicsize > cpython::kHeadShift + cpython::kTaskContextOffset;
    info.may_end_early = info.base == type && (is_named(type, "datetime.datetime") || is_named(type, "datetime.time"));
    size_type(info);
    if (!find_members(info)) return false;
    if (count_ % kChunk == 0) {
        Array<TypeInfo> chunk;
        if (!chunk.resize(kChunk)) return false;
        try {
            chunks_.push_back(std::move(chunk));
        } catch (const std::bad_alloc&) {
            return false;
        }
    }
    chunks_.back()[count_ % kChunk] = info;
    ++count_;
    return true;
}

bool TypeTable::name_type(TypeInfo& info) noexcept {
    PyTypeObject* type = info.type;
    if (info.heap) {
        PyObject* module = value_of(type->tp_dict, module_name);
        PyObject* name = reinterpret_cast<PyHeapTypeObject*>(type)->ht_qualname;
        info.own = is_own_name(module);
        info.module = module != nullptr && PyUnicode_Check(module) ? texts_.intern(module) : texts_.intern("");
        info.name = name != nullptr && PyUnicode_Check(name) ? texts_.intern(name) : texts_.intern(type->tp_name);
    } else {
        const char* dot = std::strrchr(type->tp_name, '.');
        info.module = dot == nullptr ? texts_.intern("builtins")
                                     : texts_.intern({type->tp_name, static_cast<size_t>(dot - type->tp_name)});
        info.name = texts_.intern(dot == nullptr ? type->tp_name : dot + 1);
    }
    if (info.module == TextPool::kNoText || info.name == TextPool::kNoText) return false;
    info.key_label = make_label(LabelKind::key_of_type, info.name);
    return true;
}

void TypeTable::shape_type(TypeInfo& info) noexcept {
    info.shape = shape_of(info.type);
    info.base = info.type;
    info.base_shape = info.shape;
    if (info.shape == Shape::instance) {
        while (info.base->tp_base != nullptr && shape_of(info.base) == Shape::instance) info.base = info.base->tp_base;
        info.base_shape = shape_of(info.base);
        // A base may have a traverse and no flag, as ctypes' functions before 3.13: subtype_traverse calls it all the
        // same.
        if (info.base_shape == Shape::leaf && info.base->tp_traverse != nullptr) info.base_shape = Shape::traverse;
    }
    if (!info.managed_dict) info.dict_offset = info.type->tp_dictoffset;
}

bool TypeTable::add_member(Py_ssize_t offset, const char* name) noexcept {
    uint32_t text = texts_.intern(name);
    LabelKind kind = std::strchr(name, ' ') == nullptr ? LabelKind::attribute : LabelKind::internal;
    return text != TextPool::kNoText && members_.push({offset, make_label(kind, text)});
}

// The references whose name and place are known: __slots__, members of C types, and structs that headers give.
bool TypeTable::find_members(TypeInfo& info) noexcept {
    info.first_member = static_cast<uint32_t>(members_.size());
    for (PyTypeObject* type = info.type; type != nullptr; type = type->tp_base) {
        if (type == type->tp_base) break;
        bool own_slots = type->tp_base == nullptr || type->tp_members != type->tp_base->tp_members;
        for (PyMemberDef* member = own_slots ? type->tp_members : nullptr; member != nullptr && member->name != nullptr;
             ++member)
            if ((member->type == kObjectMember || member->type == kSlotMember) &&
                member->offset >= static_cast<Py_ssize_t>(sizeof(PyObject)) &&
                member->offset + static_cast<Py_ssize_t>(sizeof(PyObject*)) <= type->tp_basicsize &&
                !add_member(member->offset, member->name))
                return false;
    }
    bool good = true;
    if (info.type->tp_flags & Py_TPFLAGS_BASE_EXC_SUBCLASS)
        good = add_member(offsetof(PyBaseExceptionObject, args), "args") &&
               add_member(offsetof(PyBaseExceptionObject, traceback), "__traceback__") &&
               add_member(offsetof(PyBaseExceptionObject, context), "__context__") &&
               add_member(offsetof(PyBaseExceptionObject, cause), "__cause__") &&
               add_member(offsetof(PyBaseExceptionObject, notes), "__notes__");
    else if (info.base == &PyTraceBack_Type)
        good = add_member(offsetof(PyTracebackObject, tb_next), "tb_next") &&
               add_member(offsetof(PyTracebackObject, tb_frame), "tb_frame");
    else if (info.base == &PyMethod_Type)
        good = add_member(offsetof(PyMethodObject, im_self), "__self__") &&
               add_member(offsetof(PyMethodObject, im_func), "__func__");
    else if (info.base == &PyCFunction_Type || info.base == &PyCMethod_Type)
        good = add_member(offsetof(PyCFunctionObject, m_self), "__self__") &&
               add_member(offsetof(PyCFunctionObject, m_module), "__module__");
    else if (info.base == &PyMemoryView_Type) good = add_member(offsetof(PyMemoryViewObject, mbuf), "buffer");
    else if (is_named(info.base, "managedbuffer") && info.base->tp_traverse != nullptr)
        good = add_member(offsetof(_PyManagedBufferObject, master) + offsetof(Py_buffer, obj), "obj");
    if (has_known_places(info.base))
        for (const KnownPlace& place : known_places(info.base->tp_name))
            good = good && (place.offset + cpython::kHeadShift + static_cast<Py_ssize_t>(sizeof(PyObject*)) >
                                info.base->tp_basicsize ||
                            add_member(place.offset + cpython::kHeadShift, place.name));
    info.member_count = static_cast<uint32_t>(members_.size()) - info.first_member;
    return good;
}

void TypeTable::size_type(TypeInfo& info) noexcept {
    PyTypeObject* type = info.type;
    info.size_rule = SizeRule::fixed;
    if (PyType_FastSubclass(type, Py_TPFLAGS_LONG_SUBCLASS)) info.size_rule = SizeRule::integer;
    else if (PyType_FastSubclass(type, Py_TPFLAGS_UNICODE_SUBCLASS)) info.size_rule = SizeRule::text;
    else if (PyType_FastSubclass(type, Py_TPFLAGS_LIST_SUBCLASS)) info.size_rule = SizeRule::list;
    else if (PyType_FastSubclass(type, Py_TPFLAGS_TYPE_SUBCLASS)) info.size_rule = SizeRule::type;
    else if (info.base_shape == Shape::set) info.size_rule = SizeRule::set;
    else if (info.base_shape == Shape::frame) info.size_rule = SizeRule::frame;
    else if (info.base_shape == Shape::generator) info.size_rule = SizeRule::generator;
    else if (info.base == &PyByteArray_Type || type->tp_base == &PyByteArray_Type || type == &PyByteArray_Type)
        info.size_rule = SizeRule::byte_array;
    PyObject* order = type->tp_mro;
    for (Py_ssize_t i = 0; order != nullptr && PyTuple_Check(order) && i < PyTuple_GET_SIZE(order); ++i) {
        auto* base = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(order, i));
        PyObject* method = is_trusted_size(base) ? value_of(cpython::type_dict(base), sizeof_name) : nullptr;
        if (method == nullptr || !Py_IS_TYPE(method, &PyMethodDescr_Type)) continue;
        PyMethodDef* definition = reinterpret_cast<PyMethodDescrObject*>(method)->d_method;
        if (definition->ml_flags != METH_NOARGS || reinterpret_cast<PyDescrObject*>(method)->d_type != base) continue;
        info.size_needs = is_named(base, "_struct.Struct") ? cpython::kStructCodesOffset : 0;
        info.size_rule = SizeRule::native_call;
        info.size_call = definition->ml_meth;
        return;
    }
    if (PyType_FastSubclass(type, Py_TPFLAGS_DICT_SUBCLASS)) info.size_rule = SizeRule::dict;
}

} // namespace heapdiff
