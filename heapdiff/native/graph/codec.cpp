#include "graph/codec.hpp"

#include "graph/array.hpp"

#include <bit>
#include <type_traits>

namespace heapdiff {
namespace {

// Small differences of either sign become small numbers, so that the high planes are zero.
template <class T> constexpr T fold_sign(T difference) {
    using Signed = std::make_signed_t<T>;
    return static_cast<T>(static_cast<T>(difference << 1) ^
                          static_cast<T>(static_cast<Signed>(difference) >> (8 * sizeof(T) - 1)));
}
template <class T> constexpr T unfold_sign(T folded) {
    return static_cast<T>(static_cast<T>(folded >> 1) ^ static_cast<T>(T{0} - static_cast<T>(folded & 1)));
}

// Contexts meet in a table of this many rows; a collision costs bytes and is never wrong.
constexpr unsigned kTableBits = 16;
constexpr size_t kTableRows = size_t{1} << kTableBits;

constexpr size_t row_of(uint32_t type, uint32_t label) {
    return static_cast<uint32_t>((type * 0x9E3779B1u ^ label) * 0x85EBCA6Bu) >> (32 - kTableBits);
}

bool types_are_inside(const CodecContext& context) {
    for (uint32_t type : context.type)
        if (type >= context.type_count) return false;
    return true;
}

// reference_start as the other transforms rely on it: n + 1 offsets that rise to m.
bool references_are_inside(const CodecContext& context, size_t reference_count) {
    if (context.start.size() != context.type.size() + 1 || context.start[0] != 0 ||
        context.start.back() != reference_count)
        return false;
    for (size_t i = 1; i < context.start.size(); ++i)
        if (context.start[i] < context.start[i - 1]) return false;
    return true;
}

// A decoder reads the number that it has just restored, an encoder the original; one loop serves both.
template <bool decode, class T> T step(const T* in, T* out, size_t i, T predicted) {
    if constexpr (decode) {
        T number = static_cast<T>(predicted + unfold_sign(in[i]));
        out[i] = number;
        return number;
    } else {
        T number = in[i];
        out[i] = fold_sign(static_cast<T>(number - predicted));
        return number;
    }
}

template <bool decode, class T> Status delta(const T* in, T* out, size_t count) {
    T last = 0;
    for (size_t i = 0; i < count; ++i) last = step<decode>(in, out, i, last);
    return Status::ok;
}

template <bool decode> Status same_type(const CodecContext& context, const uint32_t* in, uint32_t* out, size_t count) {
    if (context.type.size() != count || !types_are_inside(context)) return Status::malformed;
    Array<uint32_t> last;
    if (!last.resize(context.type_count)) return Status::out_of_memory;
    for (size_t i = 0; i < count; ++i) {
        uint32_t& seen = last[context.type[i]];
        seen = step<decode>(in, out, i, seen);
    }
    return Status::ok;
}

template <bool decode> Status label(const CodecContext& context, const uint32_t* in, uint32_t* out, size_t count) {
    if (!types_are_inside(context) || !references_are_inside(context, count)) return Status::malformed;
    Array<uint32_t> successor;
    if (!successor.resize(kTableRows)) return Status::out_of_memory;
    for (size_t object = 0; object < context.type.size(); ++object) {
        uint32_t before = kNone;
        for (uint32_t edge = context.start[object]; edge < context.start[object + 1]; ++edge) {
            if (kind_of(before) == LabelKind::element) {
                before = step<decode>(in, out, edge, before + 1);
            } else {
                uint32_t& seen = successor[row_of(context.type[object], before)];
                before = seen = step<decode>(in, out, edge, seen);
            }
        }
    }
    return Status::ok;
}

struct TargetContext {
    uint32_t last = 0;
    uint32_t cost_of_last = 0; // bits that either prediction would have cost, older ones counting less
    uint32_t cost_of_source = 0;
};

template <bool decode> Status target(const CodecContext& context, const uint32_t* in, uint32_t* out, size_t count) {
    if (context.label.size() != count || !types_are_inside(context) || !references_are_inside(context, count))
        return Status::malformed;
    Array<TargetContext> seen;
    if (!seen.resize(kTableRows)) return Status::out_of_memory;
    for (size_t object = 0; object < context.type.size(); ++object) {
        auto source = static_cast<uint32_t>(object);
        for (uint32_t edge = context.start[object]; edge < context.start[object + 1]; ++edge) {
            // All elements of a list are one context: neighbours in a list were often made together.
            uint32_t named = context.label[edge];
            if (kind_of(named) == LabelKind::element) named = make_label(LabelKind::element);
            TargetContext& place = seen[row_of(context.type[object], named)];
            uint32_t predicted = place.cost_of_last <= place.cost_of_source ? place.last : source;
            uint32_t number = step<decode>(in, out, edge, predicted);
            auto bits = [&](uint32_t guess) {
                return static_cast<uint32_t>(std::bit_width(fold_sign(number - guess)));
            };
            place.cost_of_last += 16 * bits(place.last) - place.cost_of_last / 8;
            place.cost_of_source += 16 * bits(source) - place.cost_of_source / 8;
            place.last = number;
        }
    }
    return Status::ok;
}

template <size_t item_bytes> void shuffle_items(const uint8_t* numbers, size_t count, uint8_t* planes) {
    for (size_t byte = 0; byte < item_bytes; ++byte)
        for (size_t i = 0; i < count; ++i) planes[byte * count + i] = numbers[i * item_bytes + byte];
}
template <size_t item_bytes> void unshuffle_items(const uint8_t* planes, size_t count, uint8_t* numbers) {
    for (size_t i = 0; i < count; ++i)
        for (size_t byte = 0; byte < item_bytes; ++byte) numbers[i * item_bytes + byte] = planes[byte * count + i];
}

} // namespace

void shuffle_bytes(std::span<const uint8_t> numbers, size_t item_bytes, std::span<uint8_t> planes) noexcept {
    size_t count = numbers.size() / item_bytes;
    if (item_bytes == 4) shuffle_items<4>(numbers.data(), count, planes.data());
    else if (item_bytes == 8) shuffle_items<8>(numbers.data(), count, planes.data());
    else shuffle_items<1>(numbers.data(), numbers.size(), planes.data());
}

void unshuffle_bytes(std::span<const uint8_t> planes, size_t item_bytes, std::span<uint8_t> numbers) noexcept {
    size_t count = numbers.size() / item_bytes;
    if (item_bytes == 4) unshuffle_items<4>(planes.data(), count, numbers.data());
    else if (item_bytes == 8) unshuffle_items<8>(planes.data(), count, numbers.data());
    else unshuffle_items<1>(planes.data(), numbers.size(), numbers.data());
}

Status encode_delta(std::span<const uint32_t> numbers, std::span<uint32_t> out) noexcept {
    if (out.size() != numbers.size()) return Status::malformed;
    return delta<false>(numbers.data(), out.data(), numbers.size());
}
Status encode_delta(std::span<const uint64_t> numbers, std::span<uint64_t> out) noexcept {
    if (out.size() != numbers.size()) return Status::malformed;
    return delta<false>(numbers.data(), out.data(), numbers.size());
}
Status decode_delta(std::span<uint32_t> numbers) noexcept {
    return delta<true>(numbers.data(), numbers.data(), numbers.size());
}
Status decode_delta(std::span<uint64_t> numbers) noexcept {
    return delta<true>(numbers.data(), numbers.data(), numbers.size());
}

Status encode_same_type(const CodecContext& context, std::span<const uint32_t> numbers,
                        std::span<uint32_t> out) noexcept {
    if (out.size() != numbers.size()) return Status::malformed;
    return same_type<false>(context, numbers.data(), out.data(), numbers.size());
}
Status decode_same_type(const CodecContext& context, std::span<uint32_t> numbers) noexcept {
    return same_type<true>(context, numbers.data(), numbers.data(), numbers.size());
}

Status encode_label(const CodecContext& context, std::span<const uint32_t> labels, std::span<uint32_t> out) noexcept {
    if (out.size() != labels.size()) return Status::malformed;
    return label<false>(context, labels.data(), out.data(), labels.size());
}
Status decode_label(const CodecContext& context, std::span<uint32_t> labels) noexcept {
    return label<true>(context, labels.data(), labels.data(), labels.size());
}

Status encode_target(const CodecContext& context, std::span<const uint32_t> targets, std::span<uint32_t> out) noexcept {
    if (out.size() != targets.size()) return Status::malformed;
    return target<false>(context, targets.data(), out.data(), targets.size());
}
Status decode_target(const CodecContext& context, std::span<uint32_t> targets) noexcept {
    return target<true>(context, targets.data(), targets.data(), targets.size());
}

} // namespace heapdiff
