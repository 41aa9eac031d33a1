// A flat array outside the Python heap that grows without copying.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/mman.h>
#include <utility>

namespace heapdiff {

// Numbers in pages of the operating system: grown with mremap(2), which moves page tables
// and not bytes, and returned whole with munmap(2). Neither the Python allocator nor malloc
// is touched, so filling one changes nothing that a snapshot counts, and it is safe in a
// forked child. Memory arrives zeroed and is paid for only when it is written.
template <class T> class Array {
  public:
    Array() noexcept = default;
    Array(const Array&) = delete;
    Array& operator=(const Array&) = delete;
    Array(Array&& other) noexcept { swap(other); }
    Array& operator=(Array&& other) noexcept {
        Array gone(std::move(other));
        swap(gone);
        return *this;
    }
    ~Array() {
        if (data_ != nullptr) munmap(data_, bytes_);
    }

    // Makes room for `count` numbers; false when the operating system has no memory.
    [[nodiscard]] bool reserve(size_t count) noexcept {
        if (count <= capacity_) return true;
        if (count > SIZE_MAX / sizeof(T) - kPage) return false;
        size_t wanted = (count * sizeof(T) + kPage - 1) & ~(kPage - 1);
        void* room = data_ == nullptr
                         ? mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                         : mremap(data_, bytes_, wanted, MREMAP_MAYMOVE);
        if (room == MAP_FAILED) return false;
        data_ = static_cast<T*>(room);
        bytes_ = wanted;
        capacity_ = wanted / sizeof(T);
        return true;
    }
    [[nodiscard]] bool resize(size_t count) noexcept {
        if (!reserve(count)) return false;
        size_ = count;
        return true;
    }
    [[nodiscard]] bool push(T value) noexcept {
        if (size_ == capacity_ && !reserve(capacity_ == 0 ? kPage / sizeof(T) : capacity_ * 2)) return false;
        data_[size_++] = value;
        return true;
    }
    // Only after reserve() has made the room.
    void push_reserved(T value) noexcept { data_[size_++] = value; }
    // Gives back the room that was reserved and not used.
    void shrink() noexcept {
        if (data_ == nullptr) return;
        size_t wanted = (size_ * sizeof(T) + kPage - 1) & ~(kPage - 1);
        if (wanted == 0) wanted = kPage;
        if (wanted >= bytes_) return;
        void* room = mremap(data_, bytes_, wanted, 0);
        if (room == MAP_FAILED) return;
        bytes_ = wanted;
        capacity_ = wanted / sizeof(T);
    }
    // The same pages seen as bytes.
    Array<uint8_t> as_bytes() && noexcept {
        Array<uint8_t> bytes;
        bytes.adopt(reinterpret_cast<uint8_t*>(std::exchange(data_, nullptr)), size_ * sizeof(T), bytes_);
        size_ = capacity_ = bytes_ = 0;
        return bytes;
    }
    // The pages, to be adopted by another array; nobody else unmaps them.
    T* give_up() noexcept {
        size_ = capacity_ = bytes_ = 0;
        return std::exchange(data_, nullptr);
    }
    void adopt(T* data, size_t size, size_t mapped_bytes) noexcept {
        release();
        data_ = data;
        size_ = size;
        bytes_ = mapped_bytes;
        capacity_ = mapped_bytes / sizeof(T);
    }
    void clear() noexcept { size_ = 0; }
    void release() noexcept {
        Array gone;
        swap(gone);
    }
    void pop() noexcept { --size_; }
    void swap(Array& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        std::swap(bytes_, other.bytes_);
    }

    T* data() noexcept { return data_; }
    const T* data() const noexcept { return data_; }
    size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    size_t capacity() const noexcept { return capacity_; }
    size_t mapped_bytes() const noexcept { return bytes_; }
    T& operator[](size_t i) noexcept { return data_[i]; }
    const T& operator[](size_t i) const noexcept { return data_[i]; }
    T& back() noexcept { return data_[size_ - 1]; }
    std::span<T> span() noexcept { return {data_, size_}; }
    std::span<const T> span() const noexcept { return {data_, size_}; }

  private:
    static constexpr size_t kPage = 4096;
    T* data_ = nullptr;
    size_t size_ = 0;
    size_t capacity_ = 0;
    size_t bytes_ = 0;
};

} // namespace heapdiff
