// Named flat arrays as one Python object: what crosses the line between C++ and Python.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "graph/array.hpp"
#include "graph/heap.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heapdiff {

// One array: its pages are its own, or part of a buffer that the Columns object keeps open.
struct Column {
    std::string name;
    char format; // 'B', 'I', 'i' or 'Q', as in the struct module
    const void* data;
    size_t length;
    Array<uint8_t> owned;

    size_t item_bytes() const { return format == 'B' ? 1 : format == 'Q' ? 8 : 4; }
};

class ColumnStore {
  public:
    template <class T> void add(const char* name, Array<T>&& numbers);
    void add_view(std::string name, char format, const void* data, size_t length) {
        columns_.push_back({std::move(name), format, data, length, {}});
    }
    const Column* find(std::string_view name) const {
        for (const Column& column : columns_)
            if (column.name == name) return &column;
        return nullptr;
    }
    const std::vector<Column>& all() const { return columns_; }

  private:
    std::vector<Column> columns_;
};

template <class T> constexpr char format_of() {
    if constexpr (sizeof(T) == 1) return 'B';
    else if constexpr (sizeof(T) == 8) return 'Q';
    else return std::is_signed_v<T> ? 'i' : 'I';
}

template <class T> void ColumnStore::add(const char* name, Array<T>&& numbers) {
    numbers.shrink();
    size_t length = numbers.size();
    Column column{name, format_of<T>(), nullptr, length, std::move(numbers).as_bytes()};
    column.data = column.owned.data();
    columns_.push_back(std::move(column));
}

// Adds the type `Columns` to the module; 0 or -1 with an exception set.
int add_columns_type(PyObject* module);

// A new Columns object that owns the store; NULL with an exception set.
PyObject* new_columns(ColumnStore&& store);

// The store behind a Columns argument; NULL with TypeError set for anything else.
const ColumnStore* columns_argument(PyObject* argument, const char* what);

// The numbers of one column; false with ValueError set where it is missing or has another format.
template <class T> bool column_numbers(const ColumnStore& store, const char* name, std::span<const T>* numbers) {
    const Column* column = store.find(name);
    if (column == nullptr || column->format != format_of<T>()) {
        PyErr_Format(PyExc_ValueError, "columns have no '%s' of format '%c'", name, format_of<T>());
        return false;
    }
    *numbers = {static_cast<const T*>(column->data), column->length};
    return true;
}

// The snapshot's columns as a Heap; false with an exception set where one is missing or lengths differ.
bool heap_argument(PyObject* argument, Heap* heap, const ColumnStore** store = nullptr);

} // namespace heapdiff
