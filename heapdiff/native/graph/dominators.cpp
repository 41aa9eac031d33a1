#include "graph/dominators.hpp"

#include "graph/prefetch.hpp"

#include <algorithm>

namespace heapdiff {
namespace {

constexpr uint32_t kUnvisited = kNone - 1;

// An object that refers to nothing and has one referrer is dominated by that referrer. More than
// half of a Python heap is such leaves; they never enter the arrays below.
bool is_folded(const Heap& heap, const PathsView& paths, size_t object) {
    return heap.start[object] == heap.start[object + 1] && !paths.is_shared[object] && object != kRoot;
}

// Everything here is numbered in preorder (0 is the virtual root), so that neighbours in a walk are
// neighbours in memory; `number` leads there from an object.
class DominatorTree {
  public:
    DominatorTree(const Heap& heap, const PathsView& paths, Dominators& result) noexcept
        : heap_(heap), paths_(paths), result_(result), number_(result.immediate) {}

    Status run() noexcept {
        Status status = walk();
        if (status == Status::ok) status = semidominators();
        if (status == Status::ok) status = immediate_dominators();
        if (status == Status::ok) status = retained_sizes();
        if (status == Status::ok) write_as_objects();
        return status;
    }

  private:
    // A reference from a later object to an earlier one; those of one target are a linked list.
    struct BackReference {
        uint32_t next_plus_one;
        uint32_t source;
    };

    size_t count_objects() noexcept {
        size_t n = heap_.object_count(), count = 1;
        number_[kRoot] = 0;
        for (size_t v = 1; v < n; ++v) {
            bool walked = paths_.state[v] == kLive && !is_folded(heap_, paths_, v);
            number_[v] = walked ? kUnvisited : kNone;
            count += walked;
        }
        return count;
    }

    // Numbers the objects depth first. References forward lower the semidominator at once; only
    // those that lead back to an earlier object must be kept.
    Status walk() noexcept {
        if (!number_.resize(heap_.object_count())) return Status::out_of_memory;
        count_ = count_objects();
        if (!object_.resize(count_) || !parent_.resize(count_) || !semi_.resize(count_) || !head_.resize(count_))
            return Status::out_of_memory;
        Array<uint32_t> cursors;
        uint32_t visited = 1, at = 0, edge = heap_.start[kRoot];
        object_[0] = kRoot;
        for (;;) {
            uint32_t found = kNone;
            for (uint32_t end = heap_.start[object_[at] + 1]; edge < end;) {
                if (edge + kAhead < end) fetch_object(heap_.target[edge + kAhead]);
                uint32_t e = edge++;
                ObjectId target = heap_.target[e];
                uint32_t number = number_[target];
                if (number == kNone || !label_holds(heap_.label[e])) continue;
                if (number == kUnvisited) {
                    found = target;
                    break;
                }
                if (!refer(at, number)) return Status::out_of_memory;
            }
            if (found != kNone) {
                if (visited == count_ || !cursors.push(edge)) return Status::out_of_memory;
                number_[found] = visited;
                object_[visited] = found;
                parent_[visited] = semi_[visited] = at;
                at = visited++;
                edge = heap_.start[found];
                fetch_references(edge, heap_.start[found + 1]);
            } else {
                if (at == 0) break;
                at = parent_[at];
                edge = cursors.back();
                cursors.pop();
            }
        }
        return visited == count_ ? Status::ok : Status::malformed;
    }
    void fetch_object(ObjectId object) noexcept {
        fetch_to_write(&number_[object]);
        fetch(&heap_.start[object]);
    }
    void fetch_references(uint32_t edge, uint32_t end) noexcept {
        for (uint32_t e = edge; e < std::min(end, edge + uint32_t{kAhead}); ++e) fetch_object(heap_.target[e]);
    }
    bool refer(uint32_t source, uint32_t target) noexcept {
        if (target > source) {
            semi_[target] = std::min(semi_[target], source);
        } else if (target < source && semi_[target] != 0) { // below the root nothing can be lowered further
            if (!back_.push({head_[target], source})) return false;
            head_[target] = static_cast<uint32_t>(back_.size());
        }
        return true;
    }

    // From the last object to the first. `linked` is the parent, shortened as paths are compressed;
    // `label` is the least semidominator on the way. An object's list of references is used up when
    // its label is written, so that both share one array.
    Status semidominators() noexcept {
        Array<uint32_t>& label = head_;
        if (!linked_.resize(count_)) return Status::out_of_memory;
        std::copy_n(parent_.data(), count_, linked_.data());
        for (uint32_t i = static_cast<uint32_t>(count_) - 1; i >= 1; --i) {
            if (i > kAhead && head_[i - kAhead] != 0) fetch(&back_[head_[i - kAhead] - 1]);
            uint32_t least = semi_[i];
            for (uint32_t list = head_[i]; list != 0 && least != 0; list = back_[list - 1].next_plus_one) {
                uint32_t seen = least_above(back_[list - 1].source, i);
                if (seen == kNone) return Status::out_of_memory;
                least = std::min(least, seen);
            }
            semi_[i] = label[i] = least;
        }
        back_.release();
        pending_.release();
        return Status::ok;
    }
    // The least semidominator from `object` up to, and without, the first that is not below `limit`.
    uint32_t least_above(uint32_t object, uint32_t limit) noexcept {
        Array<uint32_t>& label = head_;
        uint32_t top = object;
        while (linked_[top] > limit) {
            if (!pending_.push(top)) return kNone;
            top = linked_[top];
        }
        for (uint32_t above = top; !pending_.empty(); pending_.pop()) {
            uint32_t below = pending_.back();
            label[below] = std::min(label[below], label[above]);
            linked_[below] = linked_[top];
            above = below;
        }
        return label[object];
    }

    // The nearest dominator of the parent that is not after the semidominator. Each object has a
    // jump over so many dominators that any of them is found in logarithmic time.
    Status immediate_dominators() noexcept {
        Array<uint32_t>& dominator = parent_;
        Array<uint32_t>& jump = linked_;
        Array<uint32_t>& depth = head_;
        jump[0] = depth[0] = dominator[0] = 0;
        for (size_t i = 1; i < count_; ++i) {
            uint32_t at = dominator[i];
            while (at > semi_[i]) at = jump[at] > semi_[i] ? jump[at] : dominator[at];
            dominator[i] = at;
            depth[i] = depth[at] + 1;
            uint32_t far = jump[at];
            jump[i] = depth[at] - depth[far] == depth[far] - depth[jump[far]] ? jump[far] : at;
        }
        semi_.release();
        linked_.release();
        head_.release();
        return Status::ok;
    }

    Status retained_sizes() noexcept {
        size_t n = heap_.object_count();
        Array<uint64_t>& retained = result_.retained;
        if (!retained.resize(n)) return Status::out_of_memory;
        for (size_t v = 0; v < n; ++v) {
            if (v + kAhead < n && number_[v + kAhead] == kNone && paths_.state[v + kAhead] == kLive)
                fetch_to_write(&retained[paths_.parent[v + kAhead]]);
            if (paths_.state[v] != kLive) continue;
            uint64_t bytes = heap_.shallow_bytes(static_cast<ObjectId>(v));
            retained[v] += bytes;
            if (number_[v] == kNone) retained[paths_.parent[v]] += bytes;
        }
        for (size_t i = count_ - 1; i >= 1; --i) {
            if (i > kAhead) fetch_to_write(&retained[object_[i - kAhead]]);
            retained[object_[parent_[i]]] += retained[object_[i]];
        }
        return Status::ok;
    }

    void write_as_objects() noexcept {
        size_t n = heap_.object_count();
        for (size_t v = 0; v < n; ++v) {
            uint32_t number = number_[v];
            if (number != kNone) number_[v] = object_[parent_[number]];
            else number_[v] = paths_.state[v] == kLive ? paths_.parent[v] : kNone;
        }
        number_[kRoot] = kNone;
    }

    const Heap& heap_;
    const PathsView& paths_;
    Dominators& result_;
    Array<uint32_t>& number_; // n: preorder number; becomes the result at the end
    size_t count_ = 0;
    Array<uint32_t> object_;
    Array<uint32_t> parent_; // in the depth-first tree; becomes the dominator
    Array<uint32_t> semi_;
    Array<uint32_t> head_; // the first back reference, then the label, then the depth
    Array<uint32_t> linked_;
    Array<BackReference> back_;
    Array<uint32_t> pending_; // the stack of path compression
};

} // namespace

Status dominators(const Heap& heap, const PathsView& paths, Dominators& result) noexcept {
    return DominatorTree(heap, paths, result).run();
}

} // namespace heapdiff
