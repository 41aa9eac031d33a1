#include "cpython/sizes.hpp"

#include "cpython/frames.hpp"

namespace heapdiff {
namespace {

uint64_t text_bytes(PyObject* text) {
    auto* ascii = reinterpret_cast<PyASCIIObject*>(text);
    auto* compact = reinterpret_cast<PyCompactUnicodeObject*>(text);
    auto basic = static_cast<uint64_t>(Py_TYPE(text)->tp_basicsize); // of a derived class; exact strs are smaller
    if (cpython::is_legacy_text(text)) return basic;
    auto length = static_cast<uint64_t>(ascii->length) + 1;
    uint64_t bytes = 0;
    if (ascii->state.compact && ascii->state.ascii) bytes = sizeof(PyASCIIObject) + length;
    else if (ascii->state.compact) bytes = sizeof(PyCompactUnicodeObject) + length * ascii->state.kind;
    else bytes = basic + length * ascii->state.kind;
    bool shares_utf8 = ascii->state.compact && ascii->state.ascii;
    if (!shares_utf8 && compact->utf8 != nullptr && compact->utf8 != PyUnicode_DATA(text))
        bytes += static_cast<uint64_t>(compact->utf8_length) + 1;
    return bytes;
}

uint64_t type_bytes(PyObject* object) {
    auto* type = reinterpret_cast<PyTypeObject*>(object);
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) return sizeof(PyTypeObject);
    auto bytes = static_cast<uint64_t>(Py_TYPE(object)->tp_basicsize) +
                 static_cast<uint64_t>(Py_SIZE(object)) * static_cast<uint64_t>(Py_TYPE(object)->tp_itemsize);
    if (const cpython::DictKeys* keys = cpython::cached_keys(type)) bytes += cpython::keys_bytes(keys);
    return bytes;
}

uint64_t native_answer(PyObject* object, const TypeInfo& info) {
    if (info.size_needs != 0 && *reinterpret_cast<void**>(reinterpret_cast<char*>(object) + info.size_needs) == nullptr)
        return static_cast<uint64_t>(info.type->tp_basicsize);
    PyObject* answer = info.size_call(object, nullptr);
    if (answer == nullptr) {
        PyErr_Clear();
        return static_cast<uint64_t>(info.type->tp_basicsize);
    }
    Py_ssize_t bytes = PyLong_CheckExact(answer) ? PyLong_AsSsize_t(answer) : 0;
    Py_DECREF(answer);
    return bytes < info.type->tp_basicsize ? static_cast<uint64_t>(info.type->tp_basicsize)
                                           : static_cast<uint64_t>(bytes);
}

uint64_t body_bytes(PyObject* object, const TypeInfo& info) {
    PyTypeObject* type = info.type;
    auto basic = static_cast<uint64_t>(type->tp_basicsize);
    switch (info.size_rule) {
    case SizeRule::integer: {
        uint64_t digits = cpython::digit_count(object);
        return basic + (digits > cpython::kMinimumDigits ? digits : cpython::kMinimumDigits) *
                           static_cast<uint64_t>(type->tp_itemsize);
    }
    case SizeRule::text: return text_bytes(object);
    case SizeRule::list: return basic + cpython::list_items_bytes(object);
    case SizeRule::dict: {
        // Shared keys are charged to the class that owns them.
        const cpython::DictKeys* keys = cpython::dict_keys(object);
        return basic + (keys->reference_count == 1 ? cpython::keys_bytes(keys) : 0) +
               cpython::split_values_bytes(object);
    }
    case SizeRule::set: {
        auto* set = reinterpret_cast<PySetObject*>(object);
        return basic + (set->table == set->smalltable ? 0 : (static_cast<uint64_t>(set->mask) + 1) * sizeof(setentry));
    }
    case SizeRule::byte_array:
        return basic + static_cast<uint64_t>(reinterpret_cast<PyByteArrayObject*>(object)->ob_alloc);
    case SizeRule::frame: return basic + frame_object_slots(object) * sizeof(PyObject*);
    case SizeRule::generator: return basic + generator_slots(object) * sizeof(PyObject*);
    case SizeRule::type: return type_bytes(object);
    case SizeRule::native_call: return native_answer(object, info);
    case SizeRule::fixed: break;
    }
    if (type->tp_itemsize == 0) return basic;
    Py_ssize_t items = Py_SIZE(object);
    return basic + static_cast<uint64_t>(items < 0 ? -items : items) * static_cast<uint64_t>(type->tp_itemsize);
}

} // namespace

uint64_t shallow_bytes(PyObject* object, const TypeInfo& info) noexcept {
    uint64_t header = info.pre_header;
    if (info.shape == Shape::type && !(reinterpret_cast<PyTypeObject*>(object)->tp_flags & Py_TPFLAGS_HEAPTYPE))
        header = 0;
    // CPython allocates a datetime without a time zone without room for one, and sys.getsizeof does not know it.
    if (info.may_end_early && !cpython::has_time_zone(object)) return body_bytes(object, info) - sizeof(PyObject*);
    uint64_t values = info.managed_dict ? cpython::instance_values_bytes(object, info.type) : 0;
    return header + values + body_bytes(object, info);
}

} // namespace heapdiff
