#include "cpython/text_pool.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace heapdiff {
namespace {

uint64_t hash_of(std::string_view text) {
    uint64_t hash = 0xcbf29ce484222325ull; // FNV-1a
    for (char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3ull;
    return hash ^ hash >> 32;
}

bool is_ascii_identifier(const char* text, Py_ssize_t length) {
    for (Py_ssize_t i = 0; i < length; ++i) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9')) return false;
    }
    return length > 0;
}

size_t put_utf8(char* out, Py_UCS4 c) {
    if (c < 0x80) {
        out[0] = static_cast<char>(c);
        return 1;
    }
    if (c < 0x800) {
        out[0] = static_cast<char>(0xC0 | c >> 6);
        out[1] = static_cast<char>(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = static_cast<char>(0xE0 | c >> 12);
        out[1] = static_cast<char>(0x80 | (c >> 6 & 0x3F));
        out[2] = static_cast<char>(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = static_cast<char>(0xF0 | c >> 18);
    out[1] = static_cast<char>(0x80 | (c >> 12 & 0x3F));
    out[2] = static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out[3] = static_cast<char>(0x80 | (c & 0x3F));
    return 4;
}

} // namespace

std::string_view utf8_of(PyObject* text, char* room, size_t room_bytes) noexcept {
    if (cpython::is_legacy_text(text)) return {};
    auto length = static_cast<size_t>(PyUnicode_GET_LENGTH(text));
    auto kind = PyUnicode_KIND(text);
    const void* data = PyUnicode_DATA(text);
    if (PyUnicode_IS_ASCII(text)) return {static_cast<const char*>(data), std::min(length, room_bytes)};
    size_t used = 0;
    for (size_t i = 0; i < length && used + 4 <= room_bytes; ++i) {
        Py_UCS4 c = PyUnicode_READ(kind, data, static_cast<Py_ssize_t>(i));
        used += put_utf8(room + used, c >= 0xD800 && c < 0xE000 ? '?' : c);
    }
    return {room, used};
}

uint32_t TextPool::intern(std::string_view text) noexcept {
    if (text.size() > kLongest) {
        size_t end = kLongest;
        while (end > 0 && (text[end] & 0xC0) == 0x80) --end; // not inside a character
        text = text.substr(0, end);
    }
    if (start_.size() * 2 >= slots_.size() && !grow()) return kNoText;
    uint64_t hash = hash_of(text);
    size_t mask = slots_.size() - 1, i = hash & mask;
    for (; slots_[i] != 0; i = (i + 1) & mask) {
        uint32_t number = slots_[i] - 1;
        if (hashes_[number] == hash && this->text(number) == text) return number;
    }
    size_t end = bytes_.size();
    if (end + text.size() > UINT32_MAX - 1 || start_.size() >= kPayloadMask ||
        !bytes_.reserve((end + text.size()) * 2 + 1))
        return kNoText;
    if (!start_.push(static_cast<uint32_t>(end)) || !hashes_.push(hash) || !bytes_.resize(end + text.size()))
        return kNoText;
    if (!text.empty()) std::memcpy(bytes_.data() + end, text.data(), text.size());
    slots_[i] = static_cast<uint32_t>(start_.size());
    return static_cast<uint32_t>(start_.size() - 1);
}

uint32_t TextPool::intern(PyObject* text) noexcept {
    char room[kLongest];
    return intern(utf8_of(text, room, sizeof room));
}

uint32_t TextPool::identifier(PyObject* key) noexcept {
    if (!PyUnicode_CheckExact(key) || !PyUnicode_CHECK_INTERNED(key)) return kNoText;
    uint32_t* known = identifiers_.at(key);
    if (known == nullptr) return kNoText;
    if (*known == PointerMap::kAbsent) {
        bool name = PyUnicode_IS_COMPACT_ASCII(key)
                        ? is_ascii_identifier(static_cast<const char*>(PyUnicode_DATA(key)), PyUnicode_GET_LENGTH(key))
                        : PyUnicode_IsIdentifier(key) == 1;
        *known = name ? intern(key) : kNotIdentifier;
    }
    return *known == kNotIdentifier ? kNoText : *known;
}

bool TextPool::sorted(Array<uint32_t>* number_of, Array<uint32_t>* start, Array<uint8_t>* bytes) const noexcept {
    size_t n = count();
    Array<uint32_t> order;
    if (!order.resize(n) || !number_of->resize(n) || !start->resize(n + 1) || !bytes->resize(bytes_.size()))
        return false;
    std::iota(order.data(), order.data() + n, 0u);
    std::sort(order.data(), order.data() + n, [this](uint32_t a, uint32_t b) { return text(a) < text(b); });
    uint32_t end = 0;
    for (size_t i = 0; i < n; ++i) {
        std::string_view next = text(order[i]);
        (*number_of)[order[i]] = static_cast<uint32_t>(i);
        (*start)[i] = end;
        if (!next.empty()) std::memcpy(bytes->data() + end, next.data(), next.size());
        end += static_cast<uint32_t>(next.size());
    }
    (*start)[n] = end;
    return true;
}

bool TextPool::grow() noexcept {
    size_t room = slots_.empty() ? 8192 : slots_.size() * 2;
    slots_.release();
    if (!slots_.resize(room)) return false;
    for (size_t number = 0; number < hashes_.size(); ++number) {
        size_t i = hashes_[number] & (room - 1);
        while (slots_[i] != 0) i = (i + 1) & (room - 1);
        slots_[i] = static_cast<uint32_t>(number + 1);
    }
    return true;
}

} // namespace heapdiff
