#include "graph/label_growth.hpp"

#include "graph/key_map.hpp"
#include "graph/label_text.hpp"

namespace heapdiff {
namespace {

// Every node of either tree once: rows of LabelGrowth, equal ones included.
class Joining {
  public:
    explicit Joining(LabelGrowth& rows) noexcept : rows_(rows) {}

    template <class TypeOf, class TextOf>
    bool add(const NodeTreeView& tree, bool is_base, TypeOf type_of, TextOf text_of) noexcept {
        Array<uint32_t> row_of;
        if (!row_of.resize(tree.count())) return false;
        for (size_t node = 0; node < tree.count(); ++node) {
            uint32_t above = node == 0 ? kNone : row_of[tree.parent[node]];
            uint32_t label = tree.label[node], payload = payload_of(label);
            uint32_t text = has_text(kind_of(label)) ? text_of(kind_of(label), payload) : payload;
            uint32_t row = find(above, static_cast<uint32_t>(kind_of(label)), text, type_of(tree.type[node]));
            if (row == kNone) return false;
            row_of[node] = row;
            uint32_t& first = (is_base ? rows_.base_node : rows_.now_node)[row];
            if (first == kNone) first = static_cast<uint32_t>(node);
            (is_base ? rows_.objects_base : rows_.objects_now)[row] += tree.objects[node];
            (is_base ? rows_.bytes_base : rows_.bytes_now)[row] += tree.bytes[node];
        }
        return true;
    }

  private:
    // The names of a node are four numbers, a key has three: kind and type get one of their own.
    uint32_t find(uint32_t above, uint32_t kind, uint32_t text, uint32_t type) noexcept {
        if (!names_.prepare() || !nodes_.prepare()) return kNone;
        uint32_t& name = names_.at(kind, text, type);
        if (name == kNone) name = name_count_++;
        uint32_t& row = nodes_.at(above, name, 0);
        if (row == kNone) row = add_row();
        return row;
    }
    uint32_t add_row() noexcept {
        if (!rows_.base_node.push(kNone) || !rows_.now_node.push(kNone) || !rows_.objects_base.push(0) ||
            !rows_.objects_now.push(0) || !rows_.bytes_base.push(0) || !rows_.bytes_now.push(0))
            return kNone;
        return static_cast<uint32_t>(rows_.base_node.size() - 1);
    }

    LabelGrowth& rows_;
    KeyMap names_;
    KeyMap nodes_;
    uint32_t name_count_ = 0;
};

bool keep_what_differs(LabelGrowth& rows) noexcept {
    size_t kept = 0;
    for (size_t i = 0; i < rows.base_node.size(); ++i) {
        if (rows.objects_base[i] == rows.objects_now[i] && rows.bytes_base[i] == rows.bytes_now[i]) continue;
        rows.base_node[kept] = rows.base_node[i];
        rows.now_node[kept] = rows.now_node[i];
        rows.objects_base[kept] = rows.objects_base[i];
        rows.objects_now[kept] = rows.objects_now[i];
        rows.bytes_base[kept] = rows.bytes_base[i];
        rows.bytes_now[kept] = rows.bytes_now[i];
        ++kept;
    }
    return rows.base_node.resize(kept) && rows.now_node.resize(kept) && rows.objects_base.resize(kept) &&
           rows.objects_now.resize(kept) && rows.bytes_base.resize(kept) && rows.bytes_now.resize(kept);
}

} // namespace

Status label_growth(const NodeTreeView& base, const NodeTreeView& now, const Matching& matching,
                    LabelGrowth& growth) noexcept {
    Joining joining(growth);
    bool good = joining.add(
                    base, true, [&](uint32_t type) { return matching.type_of_base[type]; },
                    [](LabelKind, uint32_t text) { return text; }) &&
                joining.add(
                    now, false, [&](uint32_t type) { return matching.type_of_now[type]; },
                    [&](LabelKind kind, uint32_t text) {
                        return (names_thread(kind) ? matching.place_of_now : matching.text_of_now)[text];
                    }) &&
                keep_what_differs(growth);
    return good ? Status::ok : Status::out_of_memory;
}

} // namespace heapdiff
