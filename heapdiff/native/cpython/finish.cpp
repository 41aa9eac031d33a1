#include "cpython/finish.hpp"

#include "graph/label_text.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace heapdiff {
namespace {

// References that are in the graph but that no reference count knows of: weak ones, a closure's cells seen a
// second time by name, and roots that are only names for what other references hold.
bool is_counted(uint32_t label) {
    switch (kind_of(label)) {
    case LabelKind::weak:
    case LabelKind::cell:
    case LabelKind::root_module:
    case LabelKind::root_machinery:
    case LabelKind::root_event_loop:
    case LabelKind::root_static_type:
    case LabelKind::root_immortal: return false;
    default: return true;
    }
}

// Array operations of this file end the work by this, and only here.
struct OutOfMemory {};
void need(bool good) {
    if (!good) throw OutOfMemory{};
}

class Finisher {
  public:
    Finisher(RawHeap& raw, SiteTable& sites, const Surroundings& around)
        : raw_(raw), sites_(sites), around_(around), segments_(around.segments) {}

    void run(ColumnStore* store) {
        raw_.addresses.number();
        sort_texts();
        sort_types();
        order_objects();
        resolve_targets();
        subtract_roots();
        if (around_.audited) find_overcounted(store);
        attribute_surplus();
        add_remaining_roots();
        write_objects(store);
        write_references(store);
        write_names(store);
    }

  private:
    size_t found() const { return raw_.object.size(); }
    // The number of an object: 1 … n in the order of addresses; 0 is the virtual root.
    uint32_t number(uint64_t address) const { return raw_.addresses.rank(address) + 1; }

    void sort_texts() {
        empty_text_ = raw_.texts.intern("");
        inferred_text_ = raw_.texts.intern("[inferred]");
        need(empty_text_ != TextPool::kNoText && inferred_text_ != TextPool::kNoText);
        for (const MemoryField& field : interpreter_fields()) field_texts_.push_back(raw_.texts.intern(field.name));
        for (const Segment& segment : segments_) {
            segment_texts_.push_back(raw_.texts.intern("data of " + segment.library));
            need(segment_texts_.back() != TextPool::kNoText);
        }
        for (size_t row = 0; row < raw_.types.count(); ++row) {
            const TypeInfo& info = raw_.types[static_cast<uint32_t>(row)];
            std::string full(raw_.texts.text(info.module));
            full = (full == "builtins" ? "" : full + ".") + std::string(raw_.texts.text(info.name));
            type_texts_.push_back(info.heap ? empty_text_ : raw_.texts.intern(full));
            need(type_texts_.back() != TextPool::kNoText);
        }
        need(raw_.texts.sorted(&text_number_, &text_start_, &text_bytes_));
    }

    void sort_types() {
        size_t n = raw_.types.count();
        std::vector<uint32_t> order(n);
        std::iota(order.begin(), order.end(), 0u);
        auto key = [this](uint32_t row) {
            const TypeInfo& info = raw_.types[row];
            return std::make_tuple(text_number_[info.module], text_number_[info.name],
                                   reinterpret_cast<uintptr_t>(info.type));
        };
        std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
        need(type_number_.resize(n) && type_module_.push(text_number_[empty_text_]) &&
             type_name_.push(text_number_[empty_text_]) && type_object_.push(0) && type_flags_.push(0));
        for (size_t i = 0; i < n; ++i) {
            const TypeInfo& info = raw_.types[order[i]];
            type_number_[order[i]] = static_cast<uint32_t>(i + 1); // row 0 is the virtual root's
            need(type_module_.push(text_number_[info.module]) && type_name_.push(text_number_[info.name]) &&
                 type_object_.push(number(reinterpret_cast<uint64_t>(info.type))) &&
                 type_flags_.push(static_cast<uint8_t>((info.heap ? 1 : 0) | (info.own ? 2 : 0))));
        }
    }

    void order_objects() {
        need(found_as_.resize(found() + 1));
        for (size_t i = 0; i < found(); ++i)
            found_as_[number(reinterpret_cast<uint64_t>(raw_.object[i]))] = static_cast<uint32_t>(i);
    }

    // Addresses become numbers in place: the array of 8-byte addresses shrinks to its first half.
    void resolve_targets() {
        size_t m = raw_.target.size();
        need(explained_.resize(found() + 1));
        auto* numbers = reinterpret_cast<uint32_t*>(raw_.target.data());
        for (size_t i = 0; i < m; ++i) {
            if (i + 16 < m) raw_.addresses.prefetch_rank(raw_.target[i + 16]);
            uint32_t target = number(raw_.target[i]);
            numbers[i] = target;
            if (is_counted(raw_.label[i])) ++explained_[target];
        }
        size_t mapped = raw_.target.mapped_bytes();
        target_.adopt(reinterpret_cast<uint32_t*>(raw_.target.give_up()), m, mapped);
        target_.shrink();
    }

    void subtract_roots() {
        for (size_t i = 0; i < raw_.root_target.size(); ++i) {
            uint32_t target = number(raw_.root_target[i]);
            if (is_counted(raw_.root_label[i])) ++explained_[target];
            need(root_target_.push(target) && root_label_.push(raw_.root_label[i]));
        }
        for (uint64_t address : raw_.uncounted.span()) --explained_[number(address)];
        raw_.uncounted.release();
    }

    // How many references to the object nothing found so far explains.
    uint32_t surplus(uint32_t object) const {
        uint32_t at = found_as_[object];
        if (raw_.flags[at] & kImmortal) return 0;
        uint32_t count = raw_.count[at];
        return count > explained_[object] ? count - explained_[object] : 0;
    }
    // Words in bodies that lead to an object which still lacks a reference become references of their own label.
    void infer_from_bodies() {
        for (const BodyWord& word : raw_.body_words.span()) {
            if (!raw_.addresses.contains(word.address)) continue;
            uint32_t object = number(word.address);
            if (surplus(object) == 0) continue;
            ++explained_[object];
            inferred_.push_back({number(reinterpret_cast<uint64_t>(raw_.object[word.holder])), word.offset, object});
        }
        std::sort(inferred_.begin(), inferred_.end(), [](const Inferred& a, const Inferred& b) {
            return std::tie(a.holder, a.offset) < std::tie(b.holder, b.offset);
        });
        raw_.body_words.release();
    }
    // Takes a word of memory for a reference if it is the address of an object that still lacks one.
    bool attribute(uint64_t word, uint32_t label) {
        if ((word & 7) || word < 4096 || !raw_.addresses.contains(word)) return false;
        uint32_t object = number(word);
        if (surplus(object) == 0) return false;
        ++explained_[object];
        need(root_target_.push(object) && root_label_.push(label));
        return true;
    }

    // For the tests: no reference may be found that no reference count knows of.
    void find_overcounted(ColumnStore* store) {
        Array<uint32_t> objects, counts;
        for (uint32_t object = 1; object <= found(); ++object) {
            uint32_t at = found_as_[object];
            if (!(raw_.flags[at] & kImmortal) && explained_[object] > raw_.count[at])
                need(objects.push(object) && counts.push(explained_[object] - raw_.count[at]));
        }
        store->add("overcounted_object", std::move(objects));
        store->add("overcounted_count", std::move(counts));
    }

    void attribute_surplus() {
        infer_from_bodies();
        for (const StackWord& word : raw_.stack_words) attribute(word.address, word.label);
        const auto fields = interpreter_fields();
        for (size_t i = 0; i < fields.size(); ++i) {
            uint64_t word =
                *reinterpret_cast<const uint64_t*>(static_cast<const char*>(around_.interpreter) + fields[i].offset);
            attribute(word, make_label(LabelKind::root_interpreter, field_texts_[i]));
        }
        for (size_t i = 0; i < segments_.size(); ++i) {
            uint32_t label = make_label(LabelKind::root_native, segment_texts_[i]);
            need(scan_segment(segments_[i], [&](std::span<const uint64_t> words) {
                for (uint64_t word : words) attribute(word, label);
            }));
        }
    }

    void add_remaining_roots() {
        for (uint32_t object = 1; object <= found(); ++object) {
            uint32_t at = found_as_[object];
            const TypeInfo& info = raw_.types[raw_.type[at]];
            bool is_type = info.base_shape == Shape::type;
            auto* type = is_type ? reinterpret_cast<const PyTypeObject*>(raw_.object[at]) : nullptr;
            if (is_type && !is_heap_type(type)) {
                need(root_target_.push(object) &&
                     root_label_.push(make_label(LabelKind::root_static_type, text_of_static_type(type))));
                continue;
            }
            if (raw_.flags[at] & kImmortal) {
                need(root_target_.push(object) && root_label_.push(make_label(LabelKind::root_immortal)));
            } else if (info.shape == Shape::lru_cache_link) {
                // The cache's ring of links is not counted by reference; its table holds each link.
            } else if (uint32_t count = surplus(object)) {
                need(held_object_.push(object) && held_count_.push(count) && root_target_.push(object) &&
                     root_label_.push(make_label(LabelKind::root_native, empty_text_)));
            }
        }
    }
    // The flag was copied when the type was met: types may change once the GIL is free.
    bool is_heap_type(const PyTypeObject* type) {
        uint32_t row = row_of(type);
        return row == UINT32_MAX || raw_.types[row].heap;
    }
    uint32_t text_of_static_type(const PyTypeObject* type) {
        uint32_t row = row_of(type);
        return row == UINT32_MAX ? empty_text_ : type_texts_[row];
    }
    uint32_t row_of(const PyTypeObject* type) { return raw_.types.known_row(type); }

    void write_objects(ColumnStore* store) {
        size_t n = found() + 1;
        Array<uint64_t> address, large_bytes;
        Array<uint32_t> type, shallow, site, large_object, large_at;
        Array<uint8_t> flags;
        need(type.resize(n) && shallow.resize(n));
        for (size_t i = 1; i < n; ++i) {
            type[i] = type_number_[raw_.type[found_as_[i]]];
            shallow[i] = raw_.shallow[found_as_[i]];
        }
        if (!raw_.large_bytes.empty()) write_large(&large_object, &large_bytes);
        raw_.type.release();
        raw_.shallow.release();
        raw_.count.release();
        explained_.release();
        store->add("object_type", std::move(type));
        store->add("object_shallow", std::move(shallow));
        need(address.resize(n) && flags.resize(n));
        for (size_t i = 1; i < n; ++i) {
            address[i] = reinterpret_cast<uint64_t>(raw_.object[found_as_[i]]);
            flags[i] = raw_.flags[found_as_[i]];
        }
        for (const Segment& segment : segments_) {
            auto* first = std::lower_bound(address.data() + 1, address.data() + n, segment.begin);
            for (; first != address.data() + n && *first < segment.end; ++first)
                flags[static_cast<size_t>(first - address.data())] |= kStatic;
        }
        raw_.object.release();
        raw_.flags.release();
        store->add("object_address", std::move(address));
        store->add("object_flags", std::move(flags));
        if (!raw_.site.empty()) {
            need(site.resize(n));
            for (size_t i = 1; i < n; ++i) site[i] = raw_.site[found_as_[i]];
            raw_.site.release();
            store->add("object_site", std::move(site));
        }
        store->add("large_object", std::move(large_object));
        store->add("large_bytes", std::move(large_bytes));
    }
    void write_large(Array<uint32_t>* objects, Array<uint64_t>* bytes) {
        std::vector<std::pair<uint32_t, uint64_t>> large;
        for (size_t i = 0, next = 0; i < found(); ++i)
            if (raw_.shallow[i] == UINT32_MAX)
                large.emplace_back(number(reinterpret_cast<uint64_t>(raw_.object[i])), raw_.large_bytes[next++].bytes);
        std::sort(large.begin(), large.end());
        for (auto [object, size] : large) need(objects->push(object) && bytes->push(size));
    }

    uint32_t final_label(uint32_t label) const {
        LabelKind kind = kind_of(label);
        return has_text(kind) ? make_label(kind, text_number_[payload_of(label)]) : label;
    }

    void write_references(ColumnStore* store) {
        raw_.addresses = AddressSet{};
        size_t n = found_as_.size(), roots = root_target_.size(), m = target_.size() + inferred_.size();
        need(m + roots < UINT32_MAX);
        Array<uint32_t> start, target, label;
        need(start.resize(n + 1) && target.resize(m + roots));
        std::vector<std::pair<uint32_t, uint32_t>> sorted;
        for (size_t i = 0; i < roots; ++i) sorted.emplace_back(final_label(root_label_[i]), root_target_[i]);
        std::sort(sorted.begin(), sorted.end());
        uint32_t at = 0;
        auto inferred = inferred_.begin();
        for (auto& root : sorted) target[at++] = root.second;
        for (size_t object = 1; object < n; ++object) {
            start[object] = at;
            uint32_t row = found_as_[object];
            for (uint32_t edge = raw_.start[row]; edge < raw_.start[row + 1]; ++edge) target[at++] = target_[edge];
            for (; inferred != inferred_.end() && inferred->holder == object; ++inferred)
                target[at++] = inferred->target;
        }
        start[n] = at;
        target_.release();
        store->add("reference_start", std::move(start));
        store->add("reference_target", std::move(target));
        need(label.resize(m + roots));
        at = 0;
        inferred = inferred_.begin();
        uint32_t inferred_label = final_label(make_label(LabelKind::internal, inferred_text_));
        for (auto& root : sorted) label[at++] = root.first;
        for (size_t object = 1; object < n; ++object) {
            uint32_t row = found_as_[object];
            for (uint32_t edge = raw_.start[row]; edge < raw_.start[row + 1]; ++edge)
                label[at++] = final_label(raw_.label[edge]);
            for (; inferred != inferred_.end() && inferred->holder == object; ++inferred) label[at++] = inferred_label;
        }
        raw_.label.release();
        raw_.start.release();
        found_as_.release();
        store->add("reference_label", std::move(label));
        store->add("native_held_object", std::move(held_object_));
        store->add("native_held_count", std::move(held_count_));
    }

    void write_names(ColumnStore* store) {
        store->add("type_module", std::move(type_module_));
        store->add("type_name", std::move(type_name_));
        store->add("type_object", std::move(type_object_));
        store->add("type_flags", std::move(type_flags_));
        if (!sites_.start.empty()) {
            for (size_t i = 0; i < sites_.file.size(); ++i) sites_.file[i] = text_number_[sites_.file[i]];
            store->add("site_start", std::move(sites_.start));
            store->add("site_file", std::move(sites_.file));
            store->add("site_line", std::move(sites_.line));
        }
        store->add("text_start", std::move(text_start_));
        store->add("text_bytes", std::move(text_bytes_));
    }

    RawHeap& raw_;
    SiteTable& sites_;
    struct Inferred {
        uint32_t holder, offset, target;
    };
    std::vector<Inferred> inferred_;
    uint32_t inferred_text_ = 0;
    const Surroundings& around_;
    uint32_t empty_text_ = 0;
    const std::vector<Segment>& segments_;
    std::vector<uint32_t> segment_texts_, field_texts_, type_texts_;
    Array<uint32_t> text_number_, text_start_;
    Array<uint8_t> text_bytes_;
    Array<uint32_t> type_number_, type_module_, type_name_, type_object_;
    Array<uint8_t> type_flags_;
    Array<uint32_t> found_as_;  // from an object's number to where it was found
    Array<uint32_t> explained_; // references to each object that are accounted for
    Array<uint32_t> target_;
    Array<uint32_t> root_target_, root_label_, held_object_, held_count_;
};

} // namespace

Status finish_snapshot(RawHeap& raw, SiteTable& sites, const Surroundings& around, ColumnStore* store) noexcept {
    try {
        Finisher(raw, sites, around).run(store);
    } catch (const OutOfMemory&) {
        return Status::out_of_memory;
    } catch (const std::bad_alloc&) {
        return Status::out_of_memory;
    }
    return Status::ok;
}

Status finish_census(RawHeap& raw, ColumnStore* store) noexcept {
    size_t n = raw.types.count();
    Array<uint64_t> objects, bytes;
    Array<uint32_t> module, name, text_number, text_start;
    Array<uint8_t> flags, text_bytes;
    if (!objects.resize(n) || !bytes.resize(n) || !raw.texts.sorted(&text_number, &text_start, &text_bytes))
        return Status::out_of_memory;
    size_t large = 0;
    for (size_t i = 0; i < raw.type.size(); ++i) {
        if (raw.flags[i] & kOwn) {
            large += raw.shallow[i] == UINT32_MAX;
            continue;
        }
        ++objects[raw.type[i]];
        bytes[raw.type[i]] += raw.shallow[i] == UINT32_MAX ? raw.large_bytes[large++].bytes : raw.shallow[i];
    }
    for (uint32_t row = 0; row < n; ++row) {
        const TypeInfo& info = raw.types[row];
        if (!module.push(text_number[info.module]) || !name.push(text_number[info.name]) ||
            !flags.push(static_cast<uint8_t>((info.heap ? 1 : 0) | (info.own ? 2 : 0))))
            return Status::out_of_memory;
    }
    try {
        store->add("type_module", std::move(module));
        store->add("type_name", std::move(name));
        store->add("type_flags", std::move(flags));
        store->add("objects", std::move(objects));
        store->add("bytes", std::move(bytes));
        store->add("text_start", std::move(text_start));
        store->add("text_bytes", std::move(text_bytes));
    } catch (const std::bad_alloc&) {
        return Status::out_of_memory;
    }
    return Status::ok;
}

} // namespace heapdiff
