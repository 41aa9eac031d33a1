// Types of extension modules whose memory and references nothing reports: read by offsets, or asked before the walk.
#pragma once

#include "cpython/pointer_map.hpp"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <array>
#include <cstring>
#include <string_view>
#include <vector>

namespace heapdiff {

// Types that are read in a way of their own. Their offsets arrive in the order of the enums below, -1 where
// the release has no such field.
enum class Adapter : uint8_t { array, data_type, void_scalar, ctypes, mapping, text_buffer, count };

enum ArrayField {
    kArrayData,
    kArrayRank,
    kArrayShape,
    kArrayStrides,
    kArrayBase,
    kArrayType,
    kArrayFlags,
    kArrayMemoryHandler
};
enum DataTypeField {
    kTypeNumber,
    kTypeFlags,
    kTypeItemBytes,
    kTypeItemWidth,
    kTypeSubarray,
    kTypeFields,
    kTypeNames,
    kTypeMetadata,
    kTypeScalar
};
enum VoidField { kVoidData, kVoidType, kVoidFlags, kVoidBase };
enum CtypesField { kCtypesData, kCtypesOwns, kCtypesBytes };
enum MappingField { kMappingBytes, kMappingDescriptor, kMappingTracks };
enum TextBufferField { kTextCapacity, kTextState, kTextPending, kTextPendingToo, kTextWriter };

struct Adaptation {
    static constexpr size_t kFields = 9;
    PyTypeObject* type;
    Adapter adapter;
    std::array<Py_ssize_t, kFields> offset;
};

struct NamedOffset {
    Py_ssize_t offset;
    std::string_view name;
};

// What the author of a type said of its struct.
struct Layout {
    PyTypeObject* type;
    Py_ssize_t size_offset; // of a Py_ssize_t; 0: none
    std::vector<NamedOffset> references;
};

// What is known of one type, nullptr and false where nothing is.
struct ExtensionUse {
    const Adaptation* adaptation;
    const Layout* layout;
    bool answered; // some object of the type was asked

    explicit operator bool() const { return adaptation != nullptr || layout != nullptr || answered; }
};

// The bytes an object has besides its body.
struct ExtensionBytes {
    uint64_t bytes = 0;
    bool native_memory = false; // it has more, which could not be sized
    bool sized = false;         // what the type is known to have in native memory is in `bytes`
};

// Everything that Python found out before the walk. During the walk it only reads memory; the strings and
// objects it points to belong to the plan, which the caller keeps.
class Extensions {
  public:
    // plan: (adaptations, layouts, answers), see _native.pyi. False with an exception set.
    bool parse(PyObject* plan);

    ExtensionUse use_of(PyTypeObject* type) const noexcept;
    ExtensionBytes measure(PyObject* object, const ExtensionUse& use) noexcept;

    // Calls named(target, name) for references with a name, and element(target, index) for the rest.
    template <class Named, class Element>
    void visit(PyObject* object, const ExtensionUse& use, const Named& named, const Element& element) noexcept {
        if (use.adaptation != nullptr) {
            const auto& offset = use.adaptation->offset;
            if (use.adaptation->adapter == Adapter::array) visit_array(object, offset, named, element);
            else if (use.adaptation->adapter == Adapter::data_type) visit_data_type(object, offset, named);
            else if (use.adaptation->adapter == Adapter::void_scalar) visit_void(object, offset, named, element);
            else if (use.adaptation->adapter == Adapter::text_buffer) visit_text_buffer(object, offset, named);
        }
        if (use.layout != nullptr)
            for (const NamedOffset& at : use.layout->references) named(read<PyObject*>(object, at.offset), at.name);
        if (!use.answered) return;
        if (const Answer* answer = answer_of(object))
            for (size_t i = 0; i < answer->count; ++i) {
                const AnsweredReference& reference = answered_[answer->first + i];
                named(reference.target, reference.name);
            }
    }

    uint64_t unknown_data_types() const noexcept { return unknown_data_types_; }
    uint64_t mapped_file_bytes() const noexcept { return mapped_file_bytes_; }
    uint64_t mapped_files() const noexcept { return mapped_files_; }
    uint64_t temporary_references() const noexcept { return temporary_references_; }

  private:
    // Where the references are in each item of an array.
    struct Item {
        bool known = true;
        Py_ssize_t bytes = 0;
        std::vector<Py_ssize_t> objects;
    };
    struct Answer {
        int64_t bytes; // -1: not said
        size_t first, count;
    };
    struct AnsweredReference {
        PyObject* target;
        std::string_view name;
    };
    static constexpr int kAccumulating = 2;              // Source: stringio.c, STATE_ACCUMULATING
    static constexpr int kOwnsData = 4, kContiguous = 3; // Source: ndarraytypes.h, NPY_ARRAY_*
    static constexpr int kObjectNumber = 17, kVoidNumber = 20;
    static constexpr size_t kMostObjects = 65'536; // of one item
    static constexpr int kMostDimensions = 64;

    template <class T> static T read(const void* at, Py_ssize_t offset) noexcept {
        T value;
        std::memcpy(&value, static_cast<const char*>(at) + offset, sizeof value);
        return value;
    }

    template <class Named, class Element>
    void visit_array(PyObject* object, const auto& offset, const Named& named, const Element& element) noexcept {
        auto* type = read<PyObject*>(object, offset[kArrayType]);
        named(read<PyObject*>(object, offset[kArrayBase]), "base");
        named(type, "dtype");
        if (offset[kArrayMemoryHandler] >= 0)
            named(read<PyObject*>(object, offset[kArrayMemoryHandler]), "memory_handler");
        // What an array does not own is reported by its base.
        if (type == nullptr || !(read<int>(object, offset[kArrayFlags]) & kOwnsData)) return;
        const Item* item = item_of(type);
        if (item == nullptr || item->objects.empty()) return;
        auto* data = read<const char*>(object, offset[kArrayData]);
        int rank = read<int>(object, offset[kArrayRank]);
        auto* shape = read<const Py_ssize_t*>(object, offset[kArrayShape]);
        auto* strides = read<const Py_ssize_t*>(object, offset[kArrayStrides]);
        if (data == nullptr || rank < 0 || rank > kMostDimensions) return;
        size_t count = 1;
        for (int i = 0; i < rank; ++i) count *= static_cast<size_t>(shape[i]);
        if (count == 0) return;
        bool contiguous = rank == 0 || read<int>(object, offset[kArrayFlags]) & kContiguous;
        std::array<Py_ssize_t, kMostDimensions> index{};
        const char* at = data;
        for (size_t i = 0; i < count; ++i) {
            for (Py_ssize_t place : item->objects)
                if (auto* target = read<PyObject*>(at, place)) element(target, i);
            if (contiguous) {
                at += item->bytes;
                continue;
            }
            for (int axis = rank; axis-- > 0;) {
                at += strides[axis];
                if (++index[static_cast<size_t>(axis)] < shape[axis]) break;
                at -= strides[axis] * shape[axis];
                index[static_cast<size_t>(axis)] = 0;
            }
        }
    }

    template <class Named> void visit_data_type(PyObject* object, const auto& offset, const Named& named) noexcept {
        named(read<PyObject*>(object, offset[kTypeScalar]), "type");
        if (!has_legacy_fields(object, offset)) return;
        named(read<PyObject*>(object, offset[kTypeMetadata]), "metadata");
        named(read<PyObject*>(object, offset[kTypeFields]), "fields");
        named(read<PyObject*>(object, offset[kTypeNames]), "names");
        if (auto* subarray = read<PyObject* const*>(object, offset[kTypeSubarray])) {
            named(subarray[0], "base");
            named(subarray[1], "shape");
        }
    }

    template <class Named, class Element>
    void visit_void(PyObject* object, const auto& offset, const Named& named, const Element& element) noexcept {
        auto* type = read<PyObject*>(object, offset[kVoidType]);
        named(read<PyObject*>(object, offset[kVoidBase]), "base");
        named(type, "dtype");
        auto* data = read<const char*>(object, offset[kVoidData]);
        if (type == nullptr || data == nullptr || !(read<int>(object, offset[kVoidFlags]) & kOwnsData)) return;
        if (const Item* item = item_of(type))
            for (Py_ssize_t place : item->objects)
                if (auto* target = read<PyObject*>(data, place)) element(target, 0);
    }

    // Until somebody reads or seeks, what was written waits in Python objects.
    template <class Named> void visit_text_buffer(PyObject* object, const auto& offset, const Named& named) noexcept {
        if (read<int>(object, offset[kTextState]) != kAccumulating) return;
        // Since 3.14 a writer in memory of its own keeps it, as the first of its fields.
        if (offset[kTextWriter] > 0)
            if (auto* writer = read<PyObject**>(object, offset[kTextWriter])) named(*writer, "buffer");
        if (offset[kTextPending] > 0) named(read<PyObject*>(object, offset[kTextPending]), "buffer");
        if (offset[kTextPendingToo] > 0) named(read<PyObject*>(object, offset[kTextPendingToo]), "buffer");
    }

    static bool has_legacy_fields(PyObject* type, const auto& offset) noexcept {
        int number = read<int>(type, offset[kTypeNumber]);
        return number >= 0 && number <= kLastLegacyType;
    }
    static constexpr int kLastLegacyType = 23; // Source: ndarraytypes.h, NPY_HALF

    bool parse_adaptation(PyObject* row);
    bool parse_layout(PyObject* row);
    bool parse_answer(PyObject* row);
    void drop_temporaries();
    const Answer* answer_of(PyObject* object) const noexcept {
        uint32_t row = answer_row_.find(object);
        return row == PointerMap::kAbsent ? nullptr : &answers_[row];
    }
    const Item* item_of(PyObject* type) noexcept;
    bool find_objects(PyObject* type, Py_ssize_t start, int depth, Item* item) noexcept;
    Py_ssize_t item_bytes(PyObject* type) const noexcept;

    std::vector<Adaptation> adaptations_;
    std::vector<Layout> layouts_;
    std::vector<Answer> answers_;
    std::vector<AnsweredReference> answered_;
    PointerMap answer_row_, answered_types_;
    const Adaptation* data_type_ = nullptr;
    std::vector<Item> items_;
    PointerMap item_row_;
    uint64_t unknown_data_types_ = 0, mapped_file_bytes_ = 0, mapped_files_ = 0, temporary_references_ = 0;
};

} // namespace heapdiff
