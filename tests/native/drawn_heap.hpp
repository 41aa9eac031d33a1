// Heaps made of plain vectors, and the slow definitions that the passes are compared with.
#pragma once

#include "graph/heap.hpp"
#include "graph/paths.hpp"

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

namespace heapdiff::testing {

// Objects 0 … n-1, object 0 the virtual root, each of (number % 7) bytes and of type 1 + number % 3.
class DrawnHeap {
  public:
    explicit DrawnHeap(size_t n) : references_(n) {}

    DrawnHeap& refer(uint32_t source, uint32_t target, LabelKind kind = LabelKind::element) {
        references_[source].push_back({target, make_label(source == kRoot ? LabelKind::root_module : kind)});
        return *this;
    }
    void flag(uint32_t object, uint8_t flag) { flags_of_.push_back({object, flag}); }

    // The heap as columns; they live as long as this object.
    Heap heap() {
        size_t n = references_.size();
        start_.assign(1, 0);
        target_.clear();
        label_.clear();
        type_.clear();
        shallow_.clear();
        address_.clear();
        flags_.assign(n, 0);
        for (size_t v = 0; v < n; ++v) {
            for (auto [target, label] : references_[v]) {
                target_.push_back(target);
                label_.push_back(label);
            }
            start_.push_back(static_cast<uint32_t>(target_.size()));
            type_.push_back(v == 0 ? 0 : static_cast<uint32_t>(1 + v % 3));
            shallow_.push_back(static_cast<uint32_t>(v % 7));
            address_.push_back(16 * v);
        }
        for (auto [object, flag] : flags_of_) flags_[object] |= flag;
        return {type_, shallow_, address_, flags_, start_, target_, label_, {}, {}};
    }

  private:
    std::vector<std::vector<std::pair<uint32_t, uint32_t>>> references_;
    std::vector<std::pair<uint32_t, uint8_t>> flags_of_;
    std::vector<uint32_t> start_, target_, label_, type_, shallow_;
    std::vector<uint64_t> address_;
    std::vector<uint8_t> flags_;
};

// n objects and about `degree` references each, some weak, one object of ours.
inline DrawnHeap random_heap(uint32_t seed, uint32_t n, double degree) {
    std::mt19937 random(seed);
    DrawnHeap drawn(n);
    auto any = [&] { return 1 + random() % (n - 1); };
    for (int i = 0; i < 3; ++i) drawn.refer(kRoot, any());
    for (uint32_t i = 0; i < n * degree; ++i) {
        // Neighbours often, so that chains get long, and anywhere now and then.
        uint32_t source = any(), target = random() % 4 == 0 ? any() : 1 + (source + random() % 5) % (n - 1);
        drawn.refer(source, target, random() % 10 == 0 ? LabelKind::weak : LabelKind::attribute);
    }
    drawn.flag(any(), kOwn);
    return drawn;
}

// 1 for what the root reaches without passing an object marked in `without`.
inline std::vector<uint8_t> reachable(const Heap& heap, const std::vector<uint8_t>& without) {
    std::vector<uint8_t> seen(heap.object_count());
    std::vector<uint32_t> waiting{kRoot};
    seen[kRoot] = 1;
    while (!waiting.empty()) {
        uint32_t source = waiting.back();
        waiting.pop_back();
        for (uint32_t e = heap.start[source]; e < heap.start[source + 1]; ++e) {
            uint32_t target = heap.target[e];
            if (seen[target] || without[target] || !reference_holds(heap, source, e)) continue;
            seen[target] = 1;
            waiting.push_back(target);
        }
    }
    return seen;
}

inline PathsView view_of(const Paths& paths) {
    return {paths.state.span(), paths.parent.span(), paths.via.span(), paths.is_shared.span()};
}

} // namespace heapdiff::testing
