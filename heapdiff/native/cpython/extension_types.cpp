#include "cpython/extension_types.hpp"

#include "cpython/versions.hpp"

#include <algorithm>

namespace heapdiff {
namespace {

bool is_derived(PyTypeObject* type, PyTypeObject* base) noexcept {
    for (; type != nullptr; type = type->tp_base)
        if (type == base) return true;
    return false;
}

// The nearest of the rows along the bases that share a layout.
template <class Row> const Row* nearest(const std::vector<Row>& rows, PyTypeObject* type) noexcept {
    for (; type != nullptr; type = type->tp_base)
        for (const Row& row : rows)
            if (row.type == type) return &row;
    return nullptr;
}

bool each(PyObject* rows, auto parse) {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(rows); ++i)
        if (!parse(PyList_GET_ITEM(rows, i))) return false;
    return true;
}

} // namespace

bool Extensions::parse(PyObject* plan) {
    PyObject *adaptations = nullptr, *layouts = nullptr, *answers = nullptr;
    if (!PyArg_ParseTuple(plan, "O!O!O!:extensions", &PyList_Type, &adaptations, &PyList_Type, &layouts, &PyList_Type,
                          &answers))
        return false;
    bool good = each(adaptations, [this](PyObject* row) { return parse_adaptation(row); }) &&
                each(layouts, [this](PyObject* row) { return parse_layout(row); }) &&
                each(answers, [this](PyObject* row) { return parse_answer(row); });
    if (!good) return false;
    for (const Adaptation& adaptation : adaptations_)
        if (adaptation.adapter == Adapter::data_type) data_type_ = &adaptation;
    drop_temporaries();
    return true;
}

bool Extensions::parse_adaptation(PyObject* row) {
    Adaptation adaptation{};
    int adapter = 0;
    PyObject* offsets = nullptr;
    if (!PyArg_ParseTuple(row, "O!iO!:adaptation", &PyType_Type, &adaptation.type, &adapter, &PyTuple_Type, &offsets))
        return false;
    if (adapter < 0 || adapter >= static_cast<int>(Adapter::count) ||
        PyTuple_GET_SIZE(offsets) > Py_ssize_t{Adaptation::kFields}) {
        PyErr_SetString(PyExc_ValueError, "no such adapter");
        return false;
    }
    adaptation.adapter = static_cast<Adapter>(adapter);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(offsets); ++i)
        adaptation.offset[static_cast<size_t>(i)] = PyLong_AsSsize_t(PyTuple_GET_ITEM(offsets, i));
    adaptations_.push_back(adaptation);
    return !PyErr_Occurred();
}

bool Extensions::parse_layout(PyObject* row) {
    Layout layout{};
    PyObject* references = nullptr;
    if (!PyArg_ParseTuple(row, "O!nO!:layout", &PyType_Type, &layout.type, &layout.size_offset, &PyTuple_Type,
                          &references))
        return false;
    auto fits = [&layout](Py_ssize_t offset) {
        if (offset >= Py_ssize_t{sizeof(PyObject)} &&
            offset <= layout.type->tp_basicsize - Py_ssize_t{sizeof(PyObject*)})
            return true;
        PyErr_Format(PyExc_ValueError, "offset %zd is not inside the %zd bytes of a %s", offset,
                     layout.type->tp_basicsize, layout.type->tp_name);
        return false;
    };
    if (layout.size_offset != 0 && !fits(layout.size_offset)) return false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(references); ++i) {
        NamedOffset reference{};
        const char* name = nullptr;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(references, i), "ns:reference", &reference.offset, &name)) return false;
        if (!fits(reference.offset)) return false;
        reference.name = name;
        layout.references.push_back(reference);
    }
    layouts_.push_back(std::move(layout));
    return true;
}

bool Extensions::parse_answer(PyObject* row) {
    PyObject *object = nullptr, *references = nullptr;
    long long bytes = -1;
    if (!PyArg_ParseTuple(row, "OLO!:answer", &object, &bytes, &PyTuple_Type, &references)) return false;
    Answer answer{bytes, answered_.size(), static_cast<size_t>(PyTuple_GET_SIZE(references))};
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(references); ++i) {
        PyObject* target = nullptr;
        const char* name = nullptr;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(references, i), "sO:reference", &name, &target)) return false;
        answered_.push_back({target, name});
    }
    uint32_t* place = answer_row_.at(object);
    uint32_t* type = place == nullptr ? nullptr : answered_types_.at(Py_TYPE(object));
    if (type == nullptr) {
        PyErr_NoMemory();
        return false;
    }
    *place = static_cast<uint32_t>(answers_.size());
    *type = 1;
    answers_.push_back(answer);
    return true;
}

// What only the answers hold was made to answer, and goes with them: the object does not keep it.
void Extensions::drop_temporaries() {
    PointerMap mentions;
    for (const AnsweredReference& reference : answered_)
        if (uint32_t* count = mentions.at(reference.target)) *count = *count == PointerMap::kAbsent ? 1 : *count + 1;
    for (AnsweredReference& reference : answered_) {
        if (cpython::is_immortal(reference.target) ||
            Py_REFCNT(reference.target) > Py_ssize_t{mentions.find(reference.target)})
            continue;
        ++temporary_references_;
        reference.target = nullptr;
    }
}

ExtensionUse Extensions::use_of(PyTypeObject* type) const noexcept {
    return {nearest(adaptations_, type), nearest(layouts_, type), answered_types_.find(type) != PointerMap::kAbsent};
}

ExtensionBytes Extensions::measure(PyObject* object, const ExtensionUse& use) noexcept {
    ExtensionBytes found;
    if (use.adaptation != nullptr) {
        const auto& offset = use.adaptation->offset;
        switch (use.adaptation->adapter) {
        case Adapter::array: {
            // Its __sizeof__ counts what it owns. What neither it nor a base owns is memory that somebody's C gave it.
            auto* base = read<PyObject*>(object, offset[kArrayBase]);
            bool owns = read<int>(object, offset[kArrayFlags]) & kOwnsData;
            found.native_memory = !owns && (base == nullptr || PyCapsule_CheckExact(base));
            auto* type = read<PyObject*>(object, offset[kArrayType]);
            const Item* item = owns && type != nullptr ? item_of(type) : nullptr;
            if (item != nullptr && !item->known) found.native_memory = true;
            break;
        }
        case Adapter::void_scalar:
            if (read<int>(object, offset[kVoidFlags]) & kOwnsData)
                if (auto* type = read<PyObject*>(object, offset[kVoidType]))
                    found.bytes = static_cast<uint64_t>(std::max<Py_ssize_t>(item_bytes(type), 0));
            break;
        case Adapter::ctypes: {
            // Small values lie inside the object.
            auto data = read<uintptr_t>(object, offset[kCtypesData]), body = reinterpret_cast<uintptr_t>(object);
            bool inside = data >= body && data < body + static_cast<uintptr_t>(Py_TYPE(object)->tp_basicsize);
            auto bytes = read<Py_ssize_t>(object, offset[kCtypesBytes]);
            if (read<int>(object, offset[kCtypesOwns]) && data != 0 && !inside && bytes > 0)
                found.bytes = static_cast<uint64_t>(bytes);
            break;
        }
        case Adapter::mapping: {
            auto bytes =
                static_cast<uint64_t>(std::max<Py_ssize_t>(read<Py_ssize_t>(object, offset[kMappingBytes]), 0));
            bool tracks = offset[kMappingTracks] < 0 || read<uint8_t>(object, offset[kMappingTracks]) != 0;
            if (read<int>(object, offset[kMappingDescriptor]) < 0 && tracks) {
                found.bytes = bytes;
            } else {
                mapped_file_bytes_ += bytes;
                ++mapped_files_;
            }
            break;
        }
        case Adapter::text_buffer:
            found.bytes = read<int>(object, offset[kTextState]) == kAccumulating
                              ? 0
                              : read<uint64_t>(object, offset[kTextCapacity]) * sizeof(Py_UCS4);
            break;
        case Adapter::data_type:
        case Adapter::count: break;
        }
    }
    if (use.layout != nullptr && use.layout->size_offset != 0) {
        auto bytes = read<Py_ssize_t>(object, use.layout->size_offset);
        found.sized = bytes >= 0;
        if (bytes > 0) found.bytes += static_cast<uint64_t>(bytes);
    }
    const Answer* answer = use.answered ? answer_of(object) : nullptr;
    if (answer != nullptr && answer->bytes >= 0) {
        found.sized = true;
        found.bytes += static_cast<uint64_t>(answer->bytes);
    }
    return found;
}

// ------------------------------------------------------------------ numpy's items

Py_ssize_t Extensions::item_bytes(PyObject* type) const noexcept {
    if (data_type_ == nullptr || !is_derived(Py_TYPE(type), data_type_->type)) return 0;
    Py_ssize_t at = data_type_->offset[kTypeItemBytes];
    return data_type_->offset[kTypeItemWidth] == 4 ? read<int>(type, at) : read<Py_ssize_t>(type, at);
}

const Extensions::Item* Extensions::item_of(PyObject* type) noexcept {
    uint32_t* row = item_row_.at(type);
    if (row == nullptr) return nullptr;
    if (*row != PointerMap::kAbsent) return &items_[*row];
    *row = static_cast<uint32_t>(items_.size());
    Item item;
    item.bytes = item_bytes(type);
    item.known = find_objects(type, 0, 0, &item);
    if (!item.known) {
        item.objects.clear();
        ++unknown_data_types_;
    }
    std::sort(item.objects.begin(), item.objects.end()); // a field with a title is in the table twice
    item.objects.erase(std::unique(item.objects.begin(), item.objects.end()), item.objects.end());
    items_.push_back(std::move(item));
    return &items_.back();
}

bool Extensions::find_objects(PyObject* type, Py_ssize_t start, int depth, Item* item) noexcept {
    constexpr int kDeepest = 32;
    constexpr uint8_t kHasReferences = 1; // NPY_ITEM_REFCOUNT
    if (data_type_ == nullptr || depth > kDeepest || !is_derived(Py_TYPE(type), data_type_->type)) return false;
    const auto& offset = data_type_->offset;
    if (!(read<uint8_t>(type, offset[kTypeFlags]) & kHasReferences)) return true;
    int number = read<int>(type, offset[kTypeNumber]);
    if (number == kObjectNumber) {
        if (item->objects.size() >= kMostObjects) return false;
        item->objects.push_back(start);
        return true;
    }
    if (number != kVoidNumber) return false;
    if (auto* subarray = read<PyObject* const*>(type, offset[kTypeSubarray])) {
        Py_ssize_t bytes = item_bytes(subarray[0]), all = item_bytes(type);
        if (bytes <= 0) return false;
        for (Py_ssize_t at = 0; at + bytes <= all; at += bytes)
            if (!find_objects(subarray[0], start + at, depth + 1, item)) return false;
        return true;
    }
    auto* fields = read<PyObject*>(type, offset[kTypeFields]);
    if (fields == nullptr || !PyDict_CheckExact(fields)) return false;
    Py_ssize_t position = 0;
    PyObject *name = nullptr, *field = nullptr;
    while (PyDict_Next(fields, &position, &name, &field)) {
        if (!PyTuple_CheckExact(field) || PyTuple_GET_SIZE(field) < 2 || !PyLong_CheckExact(PyTuple_GET_ITEM(field, 1)))
            return false;
        Py_ssize_t at = PyLong_AsSsize_t(PyTuple_GET_ITEM(field, 1));
        if (!find_objects(PyTuple_GET_ITEM(field, 0), start + at, depth + 1, item)) return false;
    }
    return true;
}

} // namespace heapdiff
