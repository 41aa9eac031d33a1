// From a pointer to a number: open addressing, outside the Python heap.
#pragma once

#include "graph/array.hpp"

#include <bit>
#include <cstdint>

namespace heapdiff {

class PointerMap {
  public:
    // The number's place, kAbsent in it where the pointer is new; null when memory ran out.
    uint32_t* at(const void* pointer) noexcept {
        if (used_ * 2 >= keys_.size() && !grow()) return nullptr;
        size_t i = slot(pointer);
        while (keys_[i] != nullptr && keys_[i] != pointer) i = (i + 1) & (keys_.size() - 1);
        if (keys_[i] == nullptr) {
            keys_[i] = pointer;
            numbers_[i] = kAbsent;
            ++used_;
        }
        return &numbers_[i];
    }
    uint32_t find(const void* pointer) const noexcept {
        if (keys_.empty()) return kAbsent;
        for (size_t i = slot(pointer);; i = (i + 1) & (keys_.size() - 1)) {
            if (keys_[i] == pointer) return numbers_[i];
            if (keys_[i] == nullptr) return kAbsent;
        }
    }
    static constexpr uint32_t kAbsent = UINT32_MAX;

  private:
    size_t slot(const void* pointer) const noexcept {
        return (reinterpret_cast<uintptr_t>(pointer) >> 3) * 0x9E3779B97F4A7C15ull >> shift_;
    }
    bool grow() noexcept {
        size_t room = keys_.empty() ? 4096 : keys_.size() * 2;
        Array<const void*> old_keys;
        Array<uint32_t> old_numbers;
        old_keys.swap(keys_);
        old_numbers.swap(numbers_);
        if (!keys_.resize(room) || !numbers_.resize(room)) return false;
        shift_ = 64 - std::countr_zero(room);
        for (size_t j = 0; j < old_keys.size(); ++j) {
            if (old_keys[j] == nullptr) continue;
            size_t i = slot(old_keys[j]);
            while (keys_[i] != nullptr) i = (i + 1) & (room - 1);
            keys_[i] = old_keys[j];
            numbers_[i] = old_numbers[j];
        }
        return true;
    }

    Array<const void*> keys_;
    Array<uint32_t> numbers_;
    size_t used_ = 0;
    int shift_ = 64;
};

} // namespace heapdiff
