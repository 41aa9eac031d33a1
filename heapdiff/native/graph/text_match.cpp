#include "graph/text_match.hpp"

#include "graph/key_map.hpp"
#include "graph/label_text.hpp"

namespace heapdiff {
namespace {

bool match_texts(const Texts& base, const Texts& now, Array<uint32_t>& number) noexcept {
    if (!number.resize(now.count())) return false;
    for (size_t i = 0, b = 0; i < now.count(); ++i) {
        while (b < base.count() && base[b] < now[i]) ++b;
        bool same = b < base.count() && base[b] == now[i];
        number[i] = static_cast<uint32_t>(same ? b : base.count() + i);
    }
    return true;
}

// The base's label tree has one text for all threads, its first; so has that of now.
bool match_places(const Texts& base, const Texts& now, const Array<uint32_t>& number, Array<uint32_t>& place) noexcept {
    if (!place.resize(now.count())) return false;
    for (size_t i = 0; i < now.count(); ++i) place[i] = of_any_thread(base, now[i], number[i]);
    return true;
}

} // namespace

bool match_tables(const Types& base_types, const Texts& base_texts, const Types& now_types, const Texts& now_texts,
                  Matching& matching) noexcept {
    if (!match_texts(base_texts, now_texts, matching.text_of_now) ||
        !match_places(base_texts, now_texts, matching.text_of_now, matching.place_of_now) ||
        !matching.type_of_base.resize(base_types.count()) || !matching.type_of_now.resize(now_types.count()))
        return false;
    KeyMap by_name;
    for (size_t i = 0; i < base_types.count(); ++i) {
        if (!by_name.prepare()) return false;
        uint32_t& number = by_name.at(base_types.module[i], base_types.name[i], 0);
        if (number == kNone) number = static_cast<uint32_t>(i);
        matching.type_of_base[i] = number;
    }
    for (size_t i = 0; i < now_types.count(); ++i) {
        if (!by_name.prepare()) return false;
        uint32_t module = matching.text_of_now[now_types.module[i]], name = matching.text_of_now[now_types.name[i]];
        uint32_t& number = by_name.at(module, name, 0);
        if (number == kNone) number = static_cast<uint32_t>(base_types.count() + i);
        matching.type_of_now[i] = number;
    }
    return true;
}

} // namespace heapdiff
