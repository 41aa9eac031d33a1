// The critical section of a capture: every object of the heap, once, with its labelled references.
#pragma once

#include "cpython/address_set.hpp"
#include "cpython/frames.hpp"
#include "cpython/gc_lists.hpp"
#include "cpython/text_pool.hpp"
#include "cpython/type_table.hpp"
#include "graph/array.hpp"
#include "graph/heap.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace heapdiff {

// How the walk ended.
enum class WalkEnd { complete, out_of_memory, too_many_objects, too_many_bytes, collecting };

// What is wanted: everything, or objects, types and sizes alone, without labels and references.
enum class Picture { snapshot, census };

struct WalkBounds {
    uint64_t objects = UINT32_MAX - 2;
    uint64_t bytes = UINT64_MAX; // of heapdiff's own memory
};

// A word on an evaluation stack of unknown depth that may be a reference.
struct StackWord {
    uint64_t address;
    uint32_t label;
};

// A word in the body of an object whose type does not tell what it holds; it may be a reference.
struct BodyWord {
    uint32_t holder; // where the object was found
    uint32_t offset;
    uint64_t address;
};

struct ObjectBytes {
    uint32_t object; // where it was found
    uint64_t bytes;
};

// Objects of some types, each with a reference of its own, for the caller to hand on.
struct Instances {
    PyObject* types;  // a tuple
    size_t most;      // that are kept
    size_t count = 0; // all there are
    Array<PyObject*> kept{};
    Array<uint8_t> wanted{}; // by type: 0 not asked yet, 1 no, 2 yes
};

// A task with a name of its own: whether it may be written is known when all code was found.
struct NamedTask {
    size_t reference; // to its coroutine; its label is to be extended
    PyObject* coroutine;
    PyObject* name;
};

// What the walk found, in the order it was found; references are still addresses.
struct RawHeap {
    Array<PyObject*> object;
    Array<uint32_t> type, shallow, count, start; // count: the reference count, capped; start: first reference
    Array<uint8_t> flags;
    Array<uint64_t> target;
    Array<uint32_t> label;
    Array<uint64_t> root_target;
    Array<uint32_t> root_label;
    Array<ObjectBytes> large_bytes; // of the objects whose shallow is UINT32_MAX, in their order
    Array<ObjectBytes> unsized; // to be asked for their size after the walk, besides these bytes, and held until then
    Array<uint32_t> site;       // filled afterwards, where allocations are traced
    Array<uint64_t> uncounted;  // targets of references that no reference count knows of, as often as they were found
    std::vector<StackWord> stack_words;
    Array<BodyWord> body_words;
    AddressSet addresses;
    TextPool texts;
    Extensions extensions;
    TypeTable types{texts, extensions};

    size_t bytes() const noexcept {
        return object.mapped_bytes() + type.mapped_bytes() + shallow.mapped_bytes() + count.mapped_bytes() +
               start.mapped_bytes() + flags.mapped_bytes() + body_words.mapped_bytes() + target.mapped_bytes() +
               label.mapped_bytes() + addresses.bytes();
    }
};

using ThreadNames = std::vector<std::pair<unsigned long, std::string>>; // from a thread's ident to its name

// Reads the heap while the caller holds the GIL and keeps it; in a free-threaded build it stops the other threads.
// Allocates nothing in Python, runs no Python code, takes no reference but those of `instances`; what it needs of the
// operating system is mmap(2). roots.cpp says where it starts, references.cpp what each object refers to.
class Walker {
  public:
    Walker(RawHeap& heap, const GcLists& lists, WalkBounds bounds, Picture picture, Instances* instances = nullptr)
        : heap_(heap), lists_(lists), bounds_(bounds), census_(picture == Picture::census), instances_(instances) {}

    WalkEnd walk(const ThreadNames& thread_names) noexcept;

  private:
    void read_all(const ThreadNames& thread_names);   // may throw bad_alloc
    void read_roots(const ThreadNames& thread_names); // likewise
    void read_tracked(const ThreadNames& thread_names);
    bool is_over_bounds() const noexcept;
    static int visit(PyObject* object, void* walker) noexcept;

    // Roots (roots.cpp).
    void read_gc_lists() noexcept;
    void read_modules() noexcept;
    void mark(PyObject* object, ObjectFlag flag) noexcept;
    void mark_last_error(PyObject* sys) noexcept;
    void read_interpreter() noexcept;
    void read_thread(PyThreadState* thread, const std::string& name);
    void read_running_frame(cpython::InterpreterFrame* frame, const std::string& thread_name);
    void add_root(PyObject* object, LabelKind kind, std::string_view text) noexcept;

    // Objects.
    void drain() noexcept;
    void prefetch(size_t i) noexcept;
    void read_object(PyObject* object, size_t i) noexcept;
    void read_size(PyObject* object, const TypeInfo& info, size_t i) noexcept;
    uint32_t count_of(PyObject* object) const noexcept;
    void keep_instance(PyObject* object, const TypeInfo& info, uint32_t row, uint8_t flags) noexcept;
    void read_body(PyObject* object, const TypeInfo& info, size_t i) noexcept;
    void insert_targets(size_t first) noexcept;
    void insert(PyObject* object, uint8_t flags) noexcept;
    uint32_t type_row(PyTypeObject* type) noexcept;
    uint8_t mark_of(PyObject* object, const TypeInfo& info) const noexcept;
    bool is_own(PyObject* object, const TypeInfo& info) noexcept;

    // References of one object (references.cpp).
    void references(PyObject* object, const TypeInfo& info) noexcept;
    void shaped(PyObject* object, const TypeInfo& info, Shape shape) noexcept;
    void instance(PyObject* object, const TypeInfo& info) noexcept;
    void dict(PyObject* object, const TypeInfo& info) noexcept;
    void ordered_keys(const cpython::DictKeys* keys, const char* entries) noexcept;
    void entry(PyObject* key, PyObject* value) noexcept;
    void set(PyObject* object) noexcept;
    void function(PyObject* object) noexcept;
    void type(PyObject* object) noexcept;
    void module(PyObject* object) noexcept;
    void generator(PyObject* object) noexcept;
    void name_awaited(size_t first) noexcept;
    void frame_object(PyObject* object) noexcept;
    void frame(const cpython::InterpreterFrame* frame) noexcept;
    void descriptor(PyObject* object) noexcept;
    void traverse(PyObject* object, const TypeInfo& info) noexcept;
    void extension(PyObject* object, const TypeInfo& info, size_t first) noexcept;
    void add_named(PyObject* target, std::string_view name, size_t first) noexcept;
    void metatype(PyObject* object, size_t first) noexcept;
    void shared_keys(const cpython::DictKeys* keys) noexcept;

    void add(PyObject* target, uint32_t label) noexcept {
        if (target == nullptr) return;
        ok_ &= heap_.target.push(reinterpret_cast<uint64_t>(target));
        if (!census_) ok_ &= heap_.label.push(label);
    }
    void add(PyObject* target, LabelKind kind, uint32_t payload = 0) noexcept {
        add(target, make_label(kind, payload));
    }
    void add_internal(PyObject* target, const char* name) noexcept {
        if (target == nullptr) return;
        add(target, LabelKind::internal, census_ ? 0 : heap_.texts.intern(name));
    }
    // A reference that was added is in no reference count.
    void discount(PyObject* target) noexcept {
        if (target != nullptr && !census_) ok_ &= heap_.uncounted.push(reinterpret_cast<uint64_t>(target));
    }
    uint32_t key_label(PyObject* key) noexcept;

    // Names for what a tp_traverse reported (names.cpp).
    void name_reported(PyObject* object, const TypeInfo& info, size_t first) noexcept;
    void name_members(PyObject* object, const TypeInfo& info, size_t first) noexcept;
    void name_cache(size_t first) noexcept;
    void name_elements(size_t first) noexcept;
    void name_rest(const TypeInfo& info, size_t first) noexcept;
    void name_variables(size_t first) noexcept;

    // Coroutines and tasks by name (coroutines.cpp).
    void name_coroutine(PyObject* task, size_t first) noexcept;
    uint32_t coroutine_label(PyObject* coroutine, const char* before, std::string_view after) noexcept;
    void name_tasks(); // may throw bad_alloc

    RawHeap& heap_;
    const GcLists& lists_;
    WalkBounds bounds_;
    const bool census_;
    Instances* const instances_;
    size_t next_ = 0;                    // the object to be read next
    bool is_collecting_ = false;         // a collection was found running
    std::vector<NamedTask> named_tasks_; // that wait for name_tasks()
    PointerMap marks_;                   // flags of modules and of the last error, by object
    bool ok_ = true;
    bool sees_type_ = false; // whether tp_traverse reported the object's own type
    PyObject* visited_ = nullptr;
    uint32_t ordinal_ = 0;
    std::array<std::pair<uint64_t*, uint64_t>, 64> words_{}; // of insert_targets
};

// Asks the objects that the walk could not ask for their size, and lets go of them: to be called after every walk, with
// the GIL or attached, and with other threads running. What another thread let go of meanwhile dies here.
void measure_unsized(RawHeap& heap);

} // namespace heapdiff
