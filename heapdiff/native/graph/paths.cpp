#include "graph/paths.hpp"

#include "graph/prefetch.hpp"

#include <algorithm>

namespace heapdiff {
namespace {

// While the search runs a state has more to say; the last step folds it back to ObjectState.
constexpr uint8_t kWaiting = 4;   // in the second queue
constexpr uint8_t kForbidden = 8; // named in `without`
constexpr uint8_t kShared = 128;

class Search {
  public:
    Search(const Heap& heap, Paths& paths) noexcept : heap_(heap), paths_(paths) {}

    Status run(std::span<const uint8_t> without) noexcept {
        size_t n = heap_.object_count();
        if (!paths_.state.resize(n) || !paths_.parent.resize(n) || !paths_.via.resize(n) ||
            !paths_.is_shared.resize(n) || !first_.reserve(n))
            return Status::out_of_memory;
        std::fill_n(paths_.parent.data(), n, kNone);
        std::fill_n(paths_.via.data(), n, kNone);
        mark_before(without);
        search();
        if (out_of_memory_) return Status::out_of_memory;
        settle();
        mark_own();
        return out_of_memory_ ? Status::out_of_memory : Status::ok;
    }

  private:
    void mark_before(std::span<const uint8_t> without) noexcept {
        for (size_t v = 0; v < paths_.state.size(); ++v)
            paths_.state[v] = heap_.flags[v] & kOwn ? kOwnState : !without.empty() && without[v] ? kForbidden : 0;
    }

    void search() noexcept {
        paths_.state[kRoot] = kLive;
        first_.push_reserved(kRoot);
        // The second queue begins with the modules of the machinery: "module gc, .callbacks" says more to a person
        // than the field of the interpreter, or the place in a library's data, that holds the same list.
        for (uint32_t e = heap_.start[kRoot]; e < heap_.start[kRoot + 1]; ++e)
            if (kind_of(heap_.label[e]) == LabelKind::root_machinery) reach(kRoot, e, true);
        size_t head = 0, second_head = 0;
        for (;;) {
            while (head < first_.size()) {
                fetch_ahead(head);
                expand(first_[head++]);
            }
            while (second_head < second_.size() && (paths_.state[second_[second_head]] & kWaiting) == 0) ++second_head;
            if (second_head == second_.size()) return;
            ObjectId object = second_[second_head++];
            paths_.state[object] ^= kWaiting | kLive;
            first_.push_reserved(object);
        }
    }

    void fetch_ahead(size_t head) noexcept {
        size_t last = first_.size() - 1;
        fetch(&heap_.start[first_[std::min(head + 2 * kAhead, last)]]);
        uint32_t edge = heap_.start[first_[std::min(head + kAhead, last)]];
        fetch(heap_.target.data() + edge);
        fetch(heap_.label.data() + edge);
        ObjectId soon = first_[std::min(head + kAhead / 2, last)];
        size_t begin = heap_.start[soon], end = heap_.start[soon + 1];
        for (size_t e = begin; e < std::min(end, begin + 4); ++e) fetch_object(heap_.target[e]);
    }
    void fetch_object(ObjectId object) noexcept {
        fetch_to_write(&paths_.state[object]);
        fetch_to_write(&paths_.parent[object]);
        fetch_to_write(&paths_.via[object]);
    }

    void expand(ObjectId source) noexcept {
        uint32_t begin = heap_.start[source], end = heap_.start[source + 1];
        for (uint32_t e = begin; e < end; ++e) {
            if (e + kAhead < end) fetch_object(heap_.target[e + kAhead]);
            uint32_t label = heap_.label[e];
            if (label_holds(label) && kind_of(label) != LabelKind::root_machinery)
                reach(source, e, is_secondary(heap_, e));
        }
    }

    void reach(ObjectId source, uint32_t edge, bool secondary) noexcept {
        ObjectId target = heap_.target[edge];
        uint8_t& state = paths_.state[target];
        if (state & (kOwnState | kForbidden)) return;
        if (state & kLive) {
            state |= kShared;
            return;
        }
        if (state & kWaiting) state |= kShared;
        if (secondary) {
            if (state & kWaiting) return;
            state |= kWaiting;
            if (!second_.push(target)) out_of_memory_ = true;
        } else {
            state = static_cast<uint8_t>((state & kShared) | kLive);
            first_.push_reserved(target);
        }
        paths_.parent[target] = source;
        paths_.via[target] = edge;
    }

    void settle() noexcept {
        for (size_t v = 0; v < paths_.state.size(); ++v) {
            uint8_t state = paths_.state[v];
            paths_.is_shared[v] = state >> 7;
            paths_.state[v] = state & (kLive | kOwnState);
        }
    }

    // Garbage that hangs on objects of ours, or on nothing but ROOT_OWN references, is ours too.
    void mark_own() noexcept {
        first_.clear();
        for (uint32_t e = heap_.start[kRoot]; e < heap_.start[kRoot + 1]; ++e)
            if (kind_of(heap_.label[e]) == LabelKind::root_own && paths_.state[heap_.target[e]] == kGarbage) {
                paths_.state[heap_.target[e]] = kOwnState;
            }
        for (size_t v = 0; v < paths_.state.size(); ++v)
            if (paths_.state[v] == kOwnState) first_.push_reserved(static_cast<ObjectId>(v));
        for (size_t head = 0; head < first_.size(); ++head)
            for (uint32_t e = heap_.start[first_[head]]; e < heap_.start[first_[head] + 1]; ++e) {
                uint8_t& state = paths_.state[heap_.target[e]];
                if (!label_holds(heap_.label[e]) || state != kGarbage) continue;
                state = kOwnState;
                first_.push_reserved(heap_.target[e]);
            }
    }

    const Heap& heap_;
    Paths& paths_;
    Array<ObjectId> first_;
    Array<ObjectId> second_;
    bool out_of_memory_ = false;
};

} // namespace

Status shortest_paths(const Heap& heap, std::span<const uint8_t> without, Paths& paths) noexcept {
    return Search(heap, paths).run(without);
}

} // namespace heapdiff
