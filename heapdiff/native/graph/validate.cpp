#include "graph/validate.hpp"

#include "graph/label_text.hpp"

#include <algorithm>
#include <cstdio>

namespace heapdiff {
namespace {

using ull = unsigned long long;

// The checks stop at the first problem; each says whether to go on.
class Checks {
  public:
    Checks(const SnapshotView& snapshot, Sentence& problem) noexcept
        : s_(snapshot), h_(snapshot.heap), problem_(problem) {}

    bool all() noexcept {
        return lengths() && texts() && types() && objects() && references() && roots() && large_objects() &&
               native_held() && sites();
    }

  private:
    template <class... Values> bool wrong(const char* format, Values... values) noexcept {
        if constexpr (sizeof...(values) == 0) std::snprintf(problem_.data(), problem_.size(), "%s", format);
        else std::snprintf(problem_.data(), problem_.size(), format, values...);
        return false;
    }
    bool has_length(const char* column, size_t length, size_t expected) noexcept {
        return length == expected || wrong("%s has %llu numbers, expected %llu", column, ull{length}, ull{expected});
    }
    bool below(const char* column, std::span<const uint32_t> numbers, size_t limit, const char* what) noexcept {
        for (size_t i = 0; i < numbers.size(); ++i)
            if (numbers[i] >= limit)
                return wrong("%s[%llu] is %u, but there are only %llu %s", column, ull{i}, numbers[i], ull{limit},
                             what);
        return true;
    }
    bool offsets(const char* column, std::span<const uint32_t> start, size_t end) noexcept {
        if (start.empty() || start[0] != 0) return wrong("%s does not start with 0", column);
        for (size_t i = 1; i < start.size(); ++i)
            if (start[i] < start[i - 1])
                return wrong("%s[%llu] is %u, less than the %u before it", column, ull{i}, start[i], start[i - 1]);
        return start.back() == end || wrong("%s ends with %u, expected %llu, where the numbers it divides end", column,
                                            start.back(), ull{end});
    }
    template <class T> bool ascending(const char* column, std::span<const T> numbers) noexcept {
        for (size_t i = 1; i < numbers.size(); ++i)
            if (numbers[i] <= numbers[i - 1])
                return wrong("%s[%llu] is %llu, not more than the %llu before it", column, ull{i}, ull{numbers[i]},
                             ull{numbers[i - 1]});
        return true;
    }

    bool lengths() noexcept {
        size_t n = h_.object_count(), m = h_.target.size(), t = s_.types.count();
        if (n == 0 || n >= kNone || m >= kNone)
            return wrong("%llu objects and %llu references are not a heap: object 0 is the virtual root", ull{n},
                         ull{m});
        return has_length("object_shallow", h_.shallow.size(), n) &&
               has_length("object_address", h_.address.size(), n) && has_length("object_flags", h_.flags.size(), n) &&
               has_length("reference_start", h_.start.size(), n + 1) &&
               has_length("reference_label", h_.label.size(), m) &&
               has_length("large_bytes", h_.large_bytes.size(), h_.large_object.size()) &&
               has_length("native_held_count", s_.native_held.count.size(), s_.native_held.object.size()) &&
               has_length("type_name", s_.types.name.size(), t) &&
               has_length("type_object", s_.types.object.size(), t) &&
               has_length("type_flags", s_.types.flags.size(), t);
    }

    bool texts() noexcept {
        if (s_.texts.count() == 0) return wrong("text_start has no texts, expected at least the empty one");
        if (!offsets("text_start", s_.texts.start, s_.texts.bytes.size())) return false;
        if (!s_.texts[0].empty())
            return wrong("text 0 has %llu bytes, expected the empty text", ull{s_.texts[0].size()});
        for (size_t i = 1; i < s_.texts.count(); ++i)
            if (s_.texts[i] <= s_.texts[i - 1]) return wrong("text %llu is not after the text before it", ull{i});
        return true;
    }

    bool types() noexcept {
        const Types& types = s_.types;
        if (types.count() == 0) return wrong("type_module is empty, expected at least the virtual root's row");
        if (!below("type_module", types.module, s_.texts.count(), "texts") ||
            !below("type_name", types.name, s_.texts.count(), "texts") ||
            !below("type_object", types.object, h_.object_count(), "objects"))
            return false;
        if (types.module[0] != 0 || types.name[0] != 0)
            return wrong("type 0 has a name, expected the virtual root's row");
        for (size_t i = 1; i < types.count(); ++i)
            if (types.module[i] < types.module[i - 1] ||
                (types.module[i] == types.module[i - 1] && types.name[i] < types.name[i - 1]))
                return wrong("type %llu is not sorted by module and name", ull{i});
        return true;
    }

    bool objects() noexcept {
        if (h_.type[0] != 0) return wrong("object_type[0] is %u, expected 0 for the virtual root", h_.type[0]);
        if (h_.address[0] != 0) return wrong("object_address[0] is not 0, though object 0 is the virtual root");
        return below("object_type", h_.type, s_.types.count(), "types") && ascending("object_address", h_.address);
    }

    bool references() noexcept {
        if (!offsets("reference_start", h_.start, h_.target.size()) ||
            !below("reference_target", h_.target, h_.object_count(), "objects"))
            return false;
        for (size_t e = 0; e < h_.label.size(); ++e) {
            LabelKind kind = kind_of(h_.label[e]);
            uint32_t payload = payload_of(h_.label[e]);
            if (h_.target[e] == kRoot)
                return wrong("reference_target[%llu] is 0, but nothing refers to the virtual root", ull{e});
            if (kind >= LabelKind::count)
                return wrong("reference_label[%llu] is of the unknown kind %u", ull{e}, static_cast<unsigned>(kind));
            if (has_text(kind) && payload >= s_.texts.count())
                return wrong("reference_label[%llu] names text %u, but there are only %llu texts", ull{e}, payload,
                             ull{s_.texts.count()});
        }
        return true;
    }

    bool roots() noexcept {
        size_t end = h_.start[1];
        for (size_t e = 0; e < h_.label.size(); ++e)
            if (is_root_kind(kind_of(h_.label[e])) != (e < end))
                return wrong(
                    "reference_label[%llu] is of kind %u, but roots start at the virtual root and nothing else does",
                    ull{e}, static_cast<unsigned>(kind_of(h_.label[e])));
        for (size_t e = 1; e < end; ++e)
            if (h_.label[e] < h_.label[e - 1] || (h_.label[e] == h_.label[e - 1] && h_.target[e] < h_.target[e - 1]))
                return wrong("root %llu is not sorted by kind, text and target", ull{e});
        return true;
    }

    bool large_objects() noexcept {
        if (!below("large_object", h_.large_object, h_.object_count(), "objects") ||
            !ascending("large_object", h_.large_object))
            return false;
        size_t marked = static_cast<size_t>(std::count(h_.shallow.begin(), h_.shallow.end(), UINT32_MAX));
        if (marked != h_.large_object.size())
            return wrong("large_object has %llu rows, but %llu objects have their size there",
                         ull{h_.large_object.size()}, ull{marked});
        for (uint32_t object : h_.large_object)
            if (h_.shallow[object] != UINT32_MAX)
                return wrong("object %u is in large_object, but has its size in object_shallow", object);
        return true;
    }

    bool native_held() noexcept {
        return below("native_held_object", s_.native_held.object, h_.object_count(), "objects") &&
               ascending("native_held_object", s_.native_held.object);
    }

    bool sites() noexcept {
        const Sites& sites = s_.sites;
        if (!sites.measured()) return true;
        if (!has_length("object_site", sites.of_object.size(), h_.object_count()) ||
            !has_length("site_line", sites.line.size(), sites.file.size()) ||
            !offsets("site_start", sites.start, sites.file.size()))
            return false;
        if (sites.count() == 0 || sites.start[1] != 0)
            return wrong("site 0 is not empty, though it means that the site is not known");
        return below("object_site", sites.of_object, sites.count(), "sites") &&
               below("site_file", sites.file, s_.texts.count(), "texts");
    }

    const SnapshotView& s_;
    const Heap& h_;
    Sentence& problem_;
};

} // namespace

Status validate(const SnapshotView& snapshot, Sentence& problem) noexcept {
    problem.fill('\0');
    return Checks(snapshot, problem).all() ? Status::ok : Status::malformed;
}

} // namespace heapdiff
