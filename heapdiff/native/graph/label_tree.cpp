#include "graph/label_tree.hpp"

#include "graph/key_map.hpp"
#include "graph/label_text.hpp"
#include "graph/top_down.hpp"

namespace heapdiff {
namespace {

constexpr int kFoldedDepth = 8;

class Folding {
  public:
    Folding(const Heap& heap, const Types& types, const Texts& texts, const PathsView& paths, LabelTree& tree) noexcept
        : heap_(heap), types_(types), texts_(texts), paths_(paths), tree_(tree) {}

    Status run() noexcept {
        if (!find_exact_dicts() || tree_.nodes.add(kNone, 0, 0) == kNone) return Status::out_of_memory;
        tree_.nodes.count(0, heap_.shallow_bytes(kRoot));
        return visit_top_down(
            paths_.parent, tree_.node_of, [](size_t) { return true; },
            [this](uint32_t object) { return visit(object); },
            [this](size_t object) { fetch(&heap_.label[paths_.via[object]]); });
    }

  private:
    bool find_exact_dicts() noexcept {
        if (!is_exact_dict_.resize(types_.count())) return false;
        for (size_t row = 0; row < types_.count(); ++row) is_exact_dict_[row] = types_.is_exact_dict(texts_, row);
        return true;
    }

    uint32_t visit(uint32_t object) noexcept {
        uint32_t holder = paths_.parent[object], node = tree_.node_of[holder];
        uint32_t label = normalised(heap_.label[paths_.via[object]]);
        if (names_thread(kind_of(label)))
            label = make_label(kind_of(label), of_any_thread(texts_, texts_[payload_of(label)], payload_of(label)));
        if (kind_of(label) == LabelKind::key && is_namespace(node) && paths_.parent[holder] != kNone) {
            node = tree_.node_of[paths_.parent[holder]];
            label = make_label(LabelKind::attribute, payload_of(label));
        }
        uint32_t found = child(node, label, heap_.type[object]);
        if (found != kNone) tree_.nodes.count(found, heap_.shallow_bytes(object));
        return found;
    }
    bool is_namespace(uint32_t node) const noexcept {
        return kind_of(tree_.nodes.label[node]) == LabelKind::dict && is_exact_dict_[tree_.nodes.type[node]];
    }
    uint32_t child(uint32_t node, uint32_t label, uint32_t type) noexcept {
        if (!children_.prepare()) return kNone;
        uint32_t& known = children_.at(node, label, type);
        if (known == kNone) known = ancestor(node, label, type);
        if (known == kNone) known = tree_.nodes.add(node, label, type);
        return known;
    }
    uint32_t ancestor(uint32_t node, uint32_t label, uint32_t type) const noexcept {
        for (int i = 0; i < kFoldedDepth && node != 0; ++i, node = tree_.nodes.parent[node])
            if (tree_.nodes.label[node] == label && tree_.nodes.type[node] == type) return node;
        return kNone;
    }

    const Heap& heap_;
    const Types& types_;
    const Texts& texts_;
    const PathsView& paths_;
    LabelTree& tree_;
    Array<uint8_t> is_exact_dict_;
    KeyMap children_;
};

} // namespace

Status label_tree(const Heap& heap, const Types& types, const Texts& texts, const PathsView& paths,
                  LabelTree& tree) noexcept {
    return Folding(heap, types, texts, paths, tree).run();
}

} // namespace heapdiff
