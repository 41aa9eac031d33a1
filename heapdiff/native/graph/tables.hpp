// The tables beside the objects: texts, types and sites, as a snapshot's columns hold them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace heapdiff {

// Sorted by bytes; text 0 is "".
struct Texts {
    std::span<const uint32_t> start; // x + 1
    std::span<const uint8_t> bytes;

    size_t count() const { return start.empty() ? 0 : start.size() - 1; }
    std::string_view operator[](size_t number) const {
        return {reinterpret_cast<const char*>(bytes.data()) + start[number], start[number + 1] - start[number]};
    }
    // The first text that starts with these bytes, or count().
    size_t first_with(std::string_view beginning) const {
        size_t low = 0, high = count();
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if ((*this)[middle] < beginning) low = middle + 1;
            else high = middle;
        }
        return low < count() && (*this)[low].starts_with(beginning) ? low : count();
    }
};

inline constexpr uint8_t kHeapType = 1;

// Sorted by (module, name, address of the type object); row 0 is the virtual root's.
struct Types {
    std::span<const uint32_t> module; // text number
    std::span<const uint32_t> name;   // text number
    std::span<const uint32_t> object; // the type's own object, 0 where it was not captured
    std::span<const uint8_t> flags;

    size_t count() const { return module.size(); }
    bool is_exact_dict(const Texts& texts, size_t row) const {
        return !(flags[row] & kHeapType) && texts[name[row]] == "dict" && texts[module[row]] == "builtins";
    }
};

// Row 0 is empty: an object whose site is not known.
struct Sites {
    std::span<const uint32_t> of_object; // n, empty where nothing was traced
    std::span<const uint32_t> start;     // s + 1
    std::span<const uint32_t> file;      // text number
    std::span<const uint32_t> line;

    bool measured() const { return !of_object.empty(); }
    size_t count() const { return start.empty() ? 0 : start.size() - 1; }
};

} // namespace heapdiff
