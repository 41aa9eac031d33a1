// The texts of a snapshot, each once: names of the program, never data.
#pragma once

#include "cpython/pointer_map.hpp"
#include "cpython/versions.hpp"
#include "graph/array.hpp"
#include "graph/heap.hpp"

#include <string_view>

namespace heapdiff {

class TextPool {
  public:
    // The number of a text; texts are cut at kLongest bytes. kNoText when memory ran out.
    uint32_t intern(std::string_view text) noexcept;
    // The number of a str's text, without calling Python.
    uint32_t intern(PyObject* text) noexcept;
    // The number of a name of the program: an interned str that is an identifier. kNoText for anything else, which is
    // data.
    uint32_t identifier(PyObject* key) noexcept;

    size_t count() const noexcept { return start_.size(); }
    std::string_view text(uint32_t number) const noexcept {
        size_t end = number + 1 < start_.size() ? start_[number + 1] : bytes_.size();
        return {reinterpret_cast<const char*>(bytes_.data()) + start_[number], end - start_[number]};
    }
    // Sorts the texts by their bytes: *number_of[old] = new.
    bool sorted(Array<uint32_t>* number_of, Array<uint32_t>* start, Array<uint8_t>* bytes) const noexcept;

    static constexpr uint32_t kNoText = UINT32_MAX;
    static constexpr size_t kLongest = 400;

  private:
    bool grow() noexcept;

    Array<uint8_t> bytes_;
    Array<uint32_t> start_;
    Array<uint32_t> slots_;  // number + 1 of the text with that hash
    Array<uint64_t> hashes_; // of each text
    PointerMap identifiers_; // from an interned str to its number, kNotIdentifier, or absent
    static constexpr uint32_t kNotIdentifier = UINT32_MAX - 1;
};

// The text of an exact or derived str as UTF-8 in `room`, cut at its size; surrogates become '?'.
std::string_view utf8_of(PyObject* text, char* room, size_t room_bytes) noexcept;

} // namespace heapdiff
