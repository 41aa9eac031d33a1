// Reversible transforms that make the columns of a snapshot compress well.
//
// A heap is regular: objects of one type have the same size, as many references, under the same
// labels, and refer to what was allocated beside what their predecessor refers to. So each number is
// predicted from what was seen last in the same context, and only the surprise is kept: mostly zeros.
// docs/snapshot-format.md has the formulas; what is written there and here must stay the same.
#pragma once

#include "graph/heap.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace heapdiff {

// What a prediction may look at. Columns that a transform does not need may be empty.
struct CodecContext {
    std::span<const uint32_t> type;  // n: object_type
    uint32_t type_count = 0;         // every type is below it
    std::span<const uint32_t> start; // n + 1: reference_start
    std::span<const uint32_t> label; // m: reference_label
};

// Splits numbers of `item_bytes` into planes: all lowest bytes, then all second bytes, and so on.
// Both spans have the same size, a multiple of `item_bytes`.
void shuffle_bytes(std::span<const uint8_t> numbers, size_t item_bytes, std::span<uint8_t> planes) noexcept;
void unshuffle_bytes(std::span<const uint8_t> planes, size_t item_bytes, std::span<uint8_t> numbers) noexcept;

// Each of these turns a column into surprises of the same size (`encode`) and, in place, back
// (`decode`). They return malformed where lengths do not belong together or a context points
// outside of itself, and then the contents of the output mean nothing.

// Difference to the number before.
Status encode_delta(std::span<const uint32_t> numbers, std::span<uint32_t> out) noexcept;
Status encode_delta(std::span<const uint64_t> numbers, std::span<uint64_t> out) noexcept;
Status decode_delta(std::span<uint32_t> numbers) noexcept;
Status decode_delta(std::span<uint64_t> numbers) noexcept;

// Difference to the number of the object of the same type before.
Status encode_same_type(const CodecContext& context, std::span<const uint32_t> numbers,
                        std::span<uint32_t> out) noexcept;
Status decode_same_type(const CodecContext& context, std::span<uint32_t> numbers) noexcept;

// For reference_label: what followed the same label in an object of the same type.
Status encode_label(const CodecContext& context, std::span<const uint32_t> label, std::span<uint32_t> out) noexcept;
Status decode_label(const CodecContext& context, std::span<uint32_t> label) noexcept;

// For reference_target: difference to the object itself, or to the last target of the same label in
// an object of the same type, whichever served better in that context so far.
Status encode_target(const CodecContext& context, std::span<const uint32_t> target, std::span<uint32_t> out) noexcept;
Status decode_target(const CodecContext& context, std::span<uint32_t> target) noexcept;

} // namespace heapdiff
