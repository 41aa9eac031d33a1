// What the walk must know of each type, worked out once when its first object is met.
#pragma once

#include "cpython/extension_types.hpp"
#include "cpython/pointer_map.hpp"
#include "cpython/text_pool.hpp"
#include "cpython/versions.hpp"
#include "graph/array.hpp"

#include <vector>

namespace heapdiff {

// How the references of an object are read.
enum class Shape : uint8_t {
    leaf,
    tuple,
    list,
    dict,
    set,
    function,
    code,
    cell,
    type,
    module,
    weak_reference,
    generator,
    frame,
    descriptor,
    range,
    lru_cache,
    lru_cache_link, // what it holds is reported by its cache
    instance,       // a class made by a class statement: slots, attributes, then what its base has
    sequence,       // a deque or a queue: its tp_traverse reports the elements in their order
    traverse,       // any other type: ask its tp_traverse
};

// How the shallow size of an object is worked out.
enum class SizeRule : uint8_t {
    fixed,
    integer,
    text,
    list,
    dict,
    set,
    byte_array,
    frame,
    generator,
    type,
    native_call
};

// A reference at a fixed place of every object of a type.
struct Member {
    Py_ssize_t offset;
    uint32_t label;
};

struct TypeInfo {
    PyTypeObject* type;
    PyTypeObject* base; // of an instance: the first base that is not a plain class
    Shape shape;
    Shape base_shape;
    SizeRule size_rule;
    bool gc;
    bool heap;
    bool managed_dict;  // instances keep attributes as bare values, or in a dict made when asked for
    bool own;           // of heapdiff itself
    bool body_hides;    // holds objects that neither a tp_traverse nor a member tells of
    bool task;          // of asyncio, or derived from it: its coroutine and name are of interest
    bool may_end_early; // a datetime without a time zone is allocated without room for one
    bool native_memory; // has memory of its own that cannot be sized from outside
    uint32_t pre_header;
    Py_ssize_t dict_offset; // of an unmanaged __dict__; 0: none
    uint32_t first_member, member_count;
    uint32_t module, name; // texts
    uint32_t key_label;    // of a value under a key of this type
    PyCFunction size_call;
    ExtensionUse extension;
    Py_ssize_t size_needs; // offset of a pointer without which size_call crashes; 0: none
};

class TypeTable {
  public:
    TypeTable(TextPool& texts, const Extensions& extensions) : texts_(texts), extensions_(extensions) {}

    // The row of a type; UINT32_MAX when memory ran out. *fresh where it is new.
    uint32_t row(PyTypeObject* type, bool* fresh) noexcept {
        Slot& slot = recent_[reinterpret_cast<uintptr_t>(type) >> 5 & (kRecent - 1)];
        *fresh = false;
        if (slot.type == type) return slot.row;
        uint32_t* known = rows_.at(type);
        if (known == nullptr) return UINT32_MAX;
        if (*known == PointerMap::kAbsent) {
            *known = static_cast<uint32_t>(count_);
            *fresh = true;
            if (!add(type)) return UINT32_MAX;
        }
        slot = {type, *known};
        return *known;
    }
    // The row of a type that was met before, or UINT32_MAX.
    uint32_t known_row(const PyTypeObject* type) const noexcept { return rows_.find(type); }
    const TypeInfo& operator[](uint32_t row) const noexcept { return chunks_[row / kChunk][row % kChunk]; }
    size_t count() const noexcept { return count_; }
    const Member* members(const TypeInfo& info) const noexcept { return members_.data() + info.first_member; }

  private:
    struct Slot {
        PyTypeObject* type = nullptr;
        uint32_t row = 0;
    };
    static constexpr size_t kRecent = 1024, kChunk = 256;

    bool add(PyTypeObject* type) noexcept;
    bool name_type(TypeInfo& info) noexcept;
    void shape_type(TypeInfo& info) noexcept;
    bool find_members(TypeInfo& info) noexcept;
    bool add_member(Py_ssize_t offset, const char* name) noexcept;
    void size_type(TypeInfo& info) noexcept;

    TextPool& texts_;
    const Extensions& extensions_;
    std::vector<Array<TypeInfo>> chunks_; // a row never moves while the table grows
    size_t count_ = 0;
    Array<Member> members_;
    PointerMap rows_;
    Slot recent_[kRecent];
};

// To be called once, with the interpreter running normally; 0 or -1 with an exception set.
int prepare_type_table();

// Whether this is the C type of that name. A class statement may take any name, but has its own tp_dealloc.
bool is_named(const PyTypeObject* type, const char* name) noexcept;

// Whether these are the entries of the interpreter's table of interned strings.
bool is_interned_table(const cpython::DictKeys* keys) noexcept;

// The __name__ in the namespace of a module, borrowed; null where there is none.
PyObject* name_in(PyObject* globals) noexcept;

// Whether a name is of heapdiff itself: "heapdiff" or "heapdiff.anything".
bool is_own_name(PyObject* name) noexcept;

} // namespace heapdiff
