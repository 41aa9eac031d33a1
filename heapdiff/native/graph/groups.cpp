#include "graph/groups.hpp"

#include "graph/array.hpp"
#include "graph/prefetch.hpp"

#include <algorithm>
#include <bit>

namespace heapdiff {
namespace {

// Bit g of an object's mask: some reference path leads here without passing group g. Bit 0: any
// path does. Bits are only ever added, so the search comes to an end.
using Mask = uint64_t;
constexpr Mask kAll = ~Mask{0};

class Search {
  public:
    Search(const Heap& heap, std::span<const uint8_t> group) noexcept : heap_(heap), group_(group) {}

    Status run(GroupTotals& totals) noexcept {
        size_t n = heap_.object_count();
        if (!reached_.resize(n) || !is_queued_.resize(n) || !queue_.resize(std::bit_ceil(n))) {
            return Status::out_of_memory;
        }
        for (size_t v = 0; v < n; ++v)
            if (heap_.flags[v] & kOwn) reached_[v] = kAll; // so that nothing enters it
        reach(kRoot, kAll);
        while (head_ != tail_) {
            fetch_ahead();
            expand(queue_[head_++ & (queue_.size() - 1)]);
        }
        sum(totals);
        return Status::ok;
    }

  private:
    void fetch_ahead() noexcept {
        ObjectId far = queue_[std::min(head_ + 2 * kAhead, tail_ - 1) & (queue_.size() - 1)];
        fetch(&heap_.start[far]);
        uint32_t edge = heap_.start[queue_[std::min(head_ + kAhead, tail_ - 1) & (queue_.size() - 1)]];
        fetch(heap_.target.data() + edge);
        fetch(heap_.label.data() + edge);
        ObjectId soon = queue_[std::min(head_ + kAhead / 2, tail_ - 1) & (queue_.size() - 1)];
        uint32_t begin = heap_.start[soon], end = heap_.start[soon + 1];
        for (uint32_t e = begin; e < std::min(end, begin + 4); ++e) fetch_object(heap_.target[e]);
    }
    void fetch_object(ObjectId object) noexcept {
        fetch_to_write(&reached_[object]);
        fetch(&group_[object]);
    }
    void expand(ObjectId source) noexcept {
        is_queued_[source] = 0;
        Mask mask = reached_[source];
        uint32_t end = heap_.start[source + 1];
        for (uint32_t e = heap_.start[source]; e < end; ++e) {
            if (e + kAhead < end) fetch_object(heap_.target[e + kAhead]);
            if (label_holds(heap_.label[e])) reach(heap_.target[e], mask);
        }
    }
    void reach(ObjectId object, Mask mask) noexcept {
        if (group_[object] != 0) mask &= ~(Mask{1} << group_[object]);
        if ((mask | reached_[object]) == reached_[object]) return;
        reached_[object] |= mask;
        if (is_queued_[object] || heap_.start[object] == heap_.start[object + 1]) return;
        is_queued_[object] = 1;
        queue_[tail_++ & (queue_.size() - 1)] = object;
    }
    void sum(GroupTotals& totals) const noexcept {
        for (size_t v = 1; v < heap_.object_count(); ++v) {
            if (reached_[v] == 0 || heap_.flags[v] & kOwn) continue;
            for (Mask freed = ~reached_[v]; freed != 0; freed &= freed - 1) {
                int bit = std::countr_zero(freed);
                totals.objects[bit] += 1;
                totals.bytes[bit] += heap_.shallow_bytes(static_cast<ObjectId>(v));
            }
        }
    }

    const Heap& heap_;
    std::span<const uint8_t> group_;
    Array<Mask> reached_;
    Array<uint8_t> is_queued_;
    Array<ObjectId> queue_; // a ring; every object is in it at most once
    size_t head_ = 0;
    size_t tail_ = 0;
};

} // namespace

Status retained_by_groups(const Heap& heap, std::span<const uint8_t> group, GroupTotals& totals) noexcept {
    return Search(heap, group).run(totals);
}

} // namespace heapdiff
