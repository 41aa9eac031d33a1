// References of C types that no member names: at which offset they stand, and what a person calls them.
#pragma once

#include <cstdint>
#include <span>

namespace heapdiff {

struct KnownPlace {
    const char* type; // tp_name
    int16_t offset;
    const char* name; // of the attribute where Python has one, else words with a space or a field's name
};

// The rows of one type, by its tp_name; empty where there are none. Of a type with a tp_traverse the word there is only
// compared with what that reported; of any other it is a PyObject * that is null or owned, on each CPython that
// heapdiff reads. tests/capture/test_known_places.py finds a shifted one.
std::span<const KnownPlace> known_places(const char* type_name) noexcept;

} // namespace heapdiff
