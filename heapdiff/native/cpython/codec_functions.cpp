#include "cpython/codec_functions.hpp"

#include "cpython/gil.hpp"
#include "graph/codec.hpp"

#include <string_view>

namespace heapdiff {
namespace {

// A buffer argument for as long as the call lasts.
class Buffer {
  public:
    Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() {
        if (open_) PyBuffer_Release(&view_);
    }

    // False with an exception set.
    bool open(PyObject* source, bool writable) {
        open_ = PyObject_GetBuffer(source, &view_, writable ? PyBUF_CONTIG : PyBUF_CONTIG_RO) == 0;
        return open_;
    }
    bool open_unless_none(PyObject* source) { return source == Py_None || open(source, false); }

    size_t bytes() const { return open_ ? static_cast<size_t>(view_.len) : 0; }
    template <class T> bool holds() const {
        return bytes() % sizeof(T) == 0 && (bytes() == 0 || reinterpret_cast<uintptr_t>(view_.buf) % alignof(T) == 0);
    }
    template <class T> std::span<T> as() const {
        return bytes() == 0 ? std::span<T>() : std::span<T>(static_cast<T*>(view_.buf), bytes() / sizeof(T));
    }

  private:
    Py_buffer view_{};
    bool open_ = false;
};

PyObject* outcome(Status status, const char* transform) {
    if (status == Status::ok) Py_RETURN_NONE;
    if (status == Status::out_of_memory) return PyErr_NoMemory();
    PyErr_Format(PyExc_ValueError, "transform '%s': the columns do not belong together", transform);
    return nullptr;
}

using Shuffle = void (*)(std::span<const uint8_t>, size_t, std::span<uint8_t>);

PyObject* move_bytes(PyObject* args, Shuffle move) noexcept {
    PyObject *from_object = nullptr, *to_object = nullptr;
    Py_ssize_t item_bytes = 0;
    if (!PyArg_ParseTuple(args, "OnO", &from_object, &item_bytes, &to_object)) return nullptr;
    Buffer from, to;
    if (!from.open(from_object, false) || !to.open(to_object, true)) return nullptr;
    if ((item_bytes != 1 && item_bytes != 4 && item_bytes != 8) || from.bytes() != to.bytes() ||
        from.bytes() % static_cast<size_t>(item_bytes) != 0) {
        PyErr_Format(PyExc_ValueError, "cannot move %zu bytes into %zu in numbers of %zd bytes", from.bytes(),
                     to.bytes(), item_bytes);
        return nullptr;
    }
    without_gil([&] {
        move(from.as<const uint8_t>(), static_cast<size_t>(item_bytes), to.as<uint8_t>());
        return Status::ok;
    });
    Py_RETURN_NONE;
}

PyObject* shuffle(PyObject*, PyObject* args) { return move_bytes(args, shuffle_bytes); }
PyObject* unshuffle(PyObject*, PyObject* args) { return move_bytes(args, unshuffle_bytes); }

// The columns that predictions look at: object_type and how many types, reference_start, reference_label.
struct Context {
    Buffer type, start, label;
    CodecContext columns;

    bool open(PyObject* type_object, unsigned long type_count, PyObject* start_object, PyObject* label_object) {
        if (!type.open_unless_none(type_object) || !start.open_unless_none(start_object) ||
            !label.open_unless_none(label_object))
            return false;
        if (!type.holds<uint32_t>() || !start.holds<uint32_t>() || !label.holds<uint32_t>() ||
            type_count > UINT32_MAX) {
            PyErr_SetString(PyExc_ValueError,
                            "object_type, reference_start and reference_label are columns of format 'I'");
            return false;
        }
        columns = {type.as<const uint32_t>(), static_cast<uint32_t>(type_count), start.as<const uint32_t>(),
                   label.as<const uint32_t>()};
        return true;
    }
};

// `in` and `out` may be the same bytes when decoding. Status::malformed also for what is no transform of that width.
Status encode_column(std::string_view transform, size_t item_bytes, const CodecContext& context, const Buffer& in,
                     const Buffer& out) noexcept {
    if (item_bytes == 4) {
        auto numbers = in.as<const uint32_t>();
        auto folded = out.as<uint32_t>();
        if (transform == "delta") return encode_delta(numbers, folded);
        if (transform == "same_type") return encode_same_type(context, numbers, folded);
        if (transform == "label") return encode_label(context, numbers, folded);
        if (transform == "target") return encode_target(context, numbers, folded);
    }
    if (item_bytes == 8 && transform == "delta") return encode_delta(in.as<const uint64_t>(), out.as<uint64_t>());
    return Status::malformed;
}

Status decode_column(std::string_view transform, size_t item_bytes, const CodecContext& context,
                     const Buffer& column) noexcept {
    if (item_bytes == 4) {
        auto numbers = column.as<uint32_t>();
        if (transform == "delta") return decode_delta(numbers);
        if (transform == "same_type") return decode_same_type(context, numbers);
        if (transform == "label") return decode_label(context, numbers);
        if (transform == "target") return decode_target(context, numbers);
    }
    if (item_bytes == 8 && transform == "delta") return decode_delta(column.as<uint64_t>());
    return Status::malformed;
}

bool fits(const Buffer& buffer, Py_ssize_t item_bytes) {
    if (item_bytes == 1 || (item_bytes == 4 && buffer.holds<uint32_t>()) ||
        (item_bytes == 8 && buffer.holds<uint64_t>()))
        return true;
    PyErr_Format(PyExc_ValueError, "a buffer of %zu bytes does not hold numbers of %zd bytes", buffer.bytes(),
                 item_bytes);
    return false;
}

PyObject* encode_transform(PyObject*, PyObject* args) {
    const char* transform = nullptr;
    PyObject *in_object = nullptr, *out_object = nullptr;
    PyObject *type = Py_None, *start = Py_None, *label = Py_None;
    Py_ssize_t item_bytes = 0;
    unsigned long type_count = 0;
    if (!PyArg_ParseTuple(args, "snOO|OkOO", &transform, &item_bytes, &in_object, &out_object, &type, &type_count,
                          &start, &label))
        return nullptr;
    Buffer in, out;
    Context context;
    if (!in.open(in_object, false) || !out.open(out_object, true) || !fits(in, item_bytes) || !fits(out, item_bytes) ||
        !context.open(type, type_count, start, label))
        return nullptr;
    Status status = without_gil(
        [&] { return encode_column(transform, static_cast<size_t>(item_bytes), context.columns, in, out); });
    return outcome(status, transform);
}

PyObject* decode_transform(PyObject*, PyObject* args) {
    const char* transform = nullptr;
    PyObject* column_object = nullptr;
    PyObject *type = Py_None, *start = Py_None, *label = Py_None;
    Py_ssize_t item_bytes = 0;
    unsigned long type_count = 0;
    if (!PyArg_ParseTuple(args, "snO|OkOO", &transform, &item_bytes, &column_object, &type, &type_count, &start,
                          &label))
        return nullptr;
    Buffer column;
    Context context;
    if (!column.open(column_object, true) || !fits(column, item_bytes) || !context.open(type, type_count, start, label))
        return nullptr;
    Status status =
        without_gil([&] { return decode_column(transform, static_cast<size_t>(item_bytes), context.columns, column); });
    return outcome(status, transform);
}

PyMethodDef functions[] = {
    {"shuffle", shuffle, METH_VARARGS,
     "shuffle(numbers, item_bytes, planes, /)\n--\n\nAll lowest bytes, then all second bytes, and so on."},
    {"unshuffle", unshuffle, METH_VARARGS,
     "unshuffle(planes, item_bytes, numbers, /)\n--\n\nThe reverse of shuffle()."},
    {"encode_transform", encode_transform, METH_VARARGS,
     "Writes what the named prediction did not foresee of a column; docs/snapshot-format.md has the formulas."},
    {"decode_transform", decode_transform, METH_VARARGS, "The reverse of encode_transform(), in place."},
    {nullptr, nullptr, 0, nullptr},
};

} // namespace

PyMethodDef* codec_functions() { return functions; }

} // namespace heapdiff
