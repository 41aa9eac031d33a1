// Names for what a tp_traverse reported: by member, by place, or by the order in which the type reports.
#include "cpython/walk.hpp"

#include <algorithm>
#include <cstring>

namespace heapdiff {

using namespace cpython;

namespace {

// The trie in which a context keeps its variables is of types that no header names.
bool is_trie(const PyTypeObject* type) { return std::strncmp(type->tp_name, "hamt", 4) == 0; }

} // namespace

void Walker::name_reported(PyObject* object, const TypeInfo& info, size_t first) noexcept {
    name_members(object, info, first);
    if (info.task) name_coroutine(object, first);
    if (info.base_shape == Shape::lru_cache) name_cache(first);
    if (info.base_shape == Shape::sequence) name_elements(first);
    if (info.type == &PyContext_Type || is_trie(info.type)) name_variables(first);
    name_rest(info, first);
}

// Gives the references that a tp_traverse reported the names of the members they stand in.
void Walker::name_members(PyObject* object, const TypeInfo& info, size_t first) noexcept {
    const Member* members = heap_.types.members(info);
    Py_ssize_t dict_offset = info.base->tp_dictoffset;
    uint64_t dict = dict_offset > 0 ? *reinterpret_cast<uint64_t*>(reinterpret_cast<char*>(object) + dict_offset) : 0;
    for (size_t i = first; i < heap_.target.size(); ++i) {
        if (kind_of(heap_.label[i]) != LabelKind::field) continue;
        if (dict != 0 && heap_.target[i] == dict) {
            heap_.label[i] = make_label(LabelKind::dict);
            continue;
        }
        for (uint32_t j = 0; j < info.member_count; ++j)
            if (members[j].offset < info.base->tp_basicsize &&
                *reinterpret_cast<uint64_t*>(reinterpret_cast<char*>(object) + members[j].offset) == heap_.target[i]) {
                heap_.label[i] = members[j].label;
                break;
            }
    }
}

void Walker::name_elements(size_t first) noexcept {
    for (size_t i = first; i < heap_.target.size(); ++i)
        if (kind_of(heap_.label[i]) == LabelKind::field)
            heap_.label[i] = make_label(LabelKind::element, payload_of(heap_.label[i]));
}

// What is still without a name. Elements are told by their number only, so many of them make one label path.
void Walker::name_rest(const TypeInfo& info, size_t first) noexcept {
    constexpr uint32_t kMostFields = 32;
    while (first < heap_.target.size() && kind_of(heap_.label[first]) != LabelKind::field) ++first;
    if (first == heap_.target.size()) return;
    bool is_element = std::strcmp(info.base->tp_name, "xml.etree.ElementTree.Element") == 0;
    bool is_shared = std::strcmp(info.base->tp_name, "itertools._tee_dataobject") == 0;
    uint32_t children = 0;
    for (size_t i = first; i < heap_.target.size(); ++i) {
        if (kind_of(heap_.label[i]) != LabelKind::field) continue;
        auto* type = Py_TYPE(reinterpret_cast<PyObject*>(heap_.target[i]));
        if (is_element && type == &PyDict_Type)
            heap_.label[i] = make_label(LabelKind::attribute, heap_.texts.intern("attrib"));
        else if (is_shared || (is_element && type == info.type))
            heap_.label[i] = make_label(LabelKind::element, children++);
        else if (payload_of(heap_.label[i]) > kMostFields) heap_.label[i] = make_label(LabelKind::field, kMostFields);
    }
}

// A cache reports the keys and results of its links, then its table, its function and four constants.
// Source: _functoolsmodule.c, lru_cache_tp_traverse.
void Walker::name_cache(size_t first) noexcept {
    size_t last = heap_.target.size();
    while (last > first && kind_of(heap_.label[last - 1]) == LabelKind::dict) --last;
    if (last < first + 5) return;
    size_t table = last - 5;
    heap_.label[table] = make_label(LabelKind::attribute, heap_.texts.intern("cache"));
    heap_.label[table + 1] = make_label(LabelKind::attribute, heap_.texts.intern("__wrapped__"));
    for (size_t i = table + 2; i < last; ++i)
        heap_.label[i] = make_label(LabelKind::internal, heap_.texts.intern("constants"));
    for (size_t i = first; i < table; ++i)
        if (kind_of(heap_.label[i]) == LabelKind::field) heap_.label[i] = make_label(LabelKind::cache_entry);
}

// A context keeps its variables in a trie, whose nodes report each value right before its variable.
// Source: hamt.c, hamt_node_bitmap_traverse and hamt_node_collision_traverse.
void Walker::name_variables(size_t first) noexcept {
    struct Variable {
        PyObject_HEAD
        PyObject* name;
    };
    for (size_t i = first; i < heap_.target.size(); ++i) {
        auto* target = reinterpret_cast<PyObject*>(heap_.target[i]);
        if (is_trie(Py_TYPE(target))) {
            heap_.label[i] = make_label(LabelKind::internal, heap_.texts.intern("variables"));
        } else if (Py_TYPE(target) == &PyContextVar_Type) {
            heap_.label[i] = make_label(LabelKind::key_object);
            if (i == first || kind_of(heap_.label[i - 1]) != LabelKind::field) continue;
            uint32_t name = heap_.texts.identifier(reinterpret_cast<Variable*>(target)->name);
            heap_.label[i - 1] = name == TextPool::kNoText ? key_label(target) : make_label(LabelKind::key, name);
        }
    }
}

} // namespace heapdiff
