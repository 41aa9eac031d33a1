// The references of one object, by the shape of its type, with the names a person knows them by.
#include "cpython/walk.hpp"

#include <algorithm>

namespace heapdiff {

using namespace cpython;

void Walker::references(PyObject* object, const TypeInfo& info) noexcept {
    sees_type_ = false;
    if (info.shape == Shape::leaf) {
        // A C type without a tp_traverse still says where its members are.
        const Member* members = heap_.types.members(info);
        for (uint32_t i = 0; i < info.member_count; ++i)
            add(*reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object) + members[i].offset), members[i].label);
        if (info.heap) add(reinterpret_cast<PyObject*>(info.type), LabelKind::type);
        return;
    }
    // A type may say that an object of it is not collected: static types do, and their traverse would abort.
    if (info.shape == Shape::traverse && !PyObject_IS_GC(object)) return;
    if (info.shape == Shape::instance) instance(object, info);
    else shaped(object, info, info.shape);
    if (info.heap && !sees_type_ && info.shape != Shape::lru_cache_link)
        add(reinterpret_cast<PyObject*>(info.type), LabelKind::type);
}

void Walker::shaped(PyObject* object, const TypeInfo& info, Shape shape) noexcept {
    switch (shape) {
    case Shape::tuple: {
        auto* items = reinterpret_cast<PyTupleObject*>(object)->ob_item;
        for (Py_ssize_t i = 0; i < Py_SIZE(object); ++i) add(items[i], LabelKind::element, static_cast<uint32_t>(i));
        return;
    }
    case Shape::list: {
        auto* items = reinterpret_cast<PyListObject*>(object)->ob_item;
        for (Py_ssize_t i = 0; i < Py_SIZE(object); ++i) add(items[i], LabelKind::element, static_cast<uint32_t>(i));
        return;
    }
    case Shape::dict: return dict(object, info);
    case Shape::set: return set(object);
    case Shape::function: return function(object);
    case Shape::code: return visit_code(object, [this](PyObject* part, const char* name) { add_internal(part, name); });
    case Shape::cell: return add_internal(reinterpret_cast<PyCellObject*>(object)->ob_ref, "cell_contents");
    case Shape::type: return type(object);
    case Shape::module: return module(object);
    case Shape::weak_reference: {
        auto* reference = reinterpret_cast<PyWeakReference*>(object);
        // While an object dies its weak references may still lead to what is left of it.
        if (reference->wr_object != Py_None && Py_REFCNT(reference->wr_object) > 0)
            add(reference->wr_object, LabelKind::weak);
        return add(reference->wr_callback, LabelKind::weak_callback);
    }
    case Shape::generator: return generator(object);
    case Shape::frame: return frame_object(object);
    case Shape::descriptor: return descriptor(object);
    case Shape::range: {
        struct Range {
            PyObject_HEAD
            PyObject* parts[4];
        };
        for (PyObject* part : reinterpret_cast<Range*>(object)->parts) add_internal(part, "bounds");
        return;
    }
    case Shape::lru_cache:
    case Shape::sequence:
    case Shape::traverse: return traverse(object, info);
    case Shape::instance:
    case Shape::lru_cache_link:
    case Shape::leaf: return;
    }
}

// Source: typeobject.c, subtype_traverse.
void Walker::instance(PyObject* object, const TypeInfo& info) noexcept {
    const Member* members = heap_.types.members(info);
    auto at = [object](Py_ssize_t offset) {
        return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object) + offset);
    };
    bool plain_base =
        info.base_shape == Shape::instance || info.base_shape == Shape::leaf || info.base == &PyBaseObject_Type;
    if (info.managed_dict) {
        InstanceAttributes attributes = instance_attributes(object, info.type);
        add(attributes.dict, LabelKind::dict);
        if (attributes.values) {
            auto* names = reinterpret_cast<const StrEntry*>(key_entries(cached_keys(info.type)));
            for (size_t i = 0; i < attributes.values.count; ++i)
                if (PyObject* value = attributes.values.slots[i]) {
                    uint32_t name = census_ ? 0 : heap_.texts.identifier(names[i].key);
                    if (!census_ && name == TextPool::kNoText) name = heap_.texts.intern("[attribute]");
                    add(value, LabelKind::attribute, name);
                }
        }
    } else if (info.dict_offset != 0 && (plain_base || info.base->tp_dictoffset != info.dict_offset)) {
        Py_ssize_t offset = info.dict_offset;
        if (offset < 0) {
            auto items = PyType_FastSubclass(info.type, Py_TPFLAGS_LONG_SUBCLASS)
                             ? static_cast<Py_ssize_t>(digit_count(object))
                         : Py_SIZE(object) < 0 ? -Py_SIZE(object)
                                               : Py_SIZE(object);
            offset += (info.type->tp_basicsize + items * info.type->tp_itemsize + 7) & ~Py_ssize_t{7};
        }
        add(at(offset), LabelKind::dict);
    }
    // Slots that classes declared lie behind what the base has; the base reports its own members itself.
    for (uint32_t i = 0; i < info.member_count; ++i)
        if (plain_base || members[i].offset >= info.base->tp_basicsize) add(at(members[i].offset), members[i].label);
    if (!plain_base) shaped(object, info, info.base_shape);
}

uint32_t Walker::key_label(PyObject* key) noexcept {
    uint32_t name = heap_.texts.identifier(key);
    if (name != TextPool::kNoText) return make_label(LabelKind::key, name);
    uint32_t row = type_row(Py_TYPE(key));
    return ok_ ? heap_.types[row].key_label : 0;
}

void Walker::entry(PyObject* key, PyObject* value) noexcept {
    add(key, LabelKind::key_object);
    if (value != nullptr) add(value, census_ ? 0 : key_label(key));
}

void Walker::dict(PyObject* object, const TypeInfo& info) noexcept {
    const DictKeys* keys = dict_keys(object);
    const char* entries = key_entries(keys);
    if (Values values = split_values(object)) {
        // The class that shares the keys reports them.
        auto* names = reinterpret_cast<const StrEntry*>(entries);
        for (size_t i = 0; i < values.count; ++i)
            if (values.slots[i] != nullptr) add(values.slots[i], census_ ? 0 : key_label(names[i].key));
    } else if (kTracksInternedStrings && info.type == &PyDict_Type && is_interned_table(keys)) {
        auto* pairs = reinterpret_cast<const StrEntry*>(entries);
        for (Py_ssize_t i = 0; i < keys->entry_count; ++i) add(pairs[i].key, LabelKind::weak);
    } else if (keys->kind != 0) {
        auto* pairs = reinterpret_cast<const StrEntry*>(entries);
        for (Py_ssize_t i = 0; i < keys->entry_count; ++i) {
            if (i + 8 < keys->entry_count) __builtin_prefetch(pairs[i + 8].key);
            if (pairs[i].value != nullptr) entry(pairs[i].key, pairs[i].value);
        }
    } else {
        auto* triples = reinterpret_cast<const GeneralEntry*>(entries);
        for (Py_ssize_t i = 0; i < keys->entry_count; ++i) {
            if (i + 8 < keys->entry_count) __builtin_prefetch(triples[i + 8].key);
            if (triples[i].value != nullptr) entry(triples[i].key, triples[i].value);
        }
    }
    if (info.base == &PyDict_Type) return;
    if (info.base == &PyODict_Type) ordered_keys(keys, entries);
    // OrderedDict has a __dict__, defaultdict a default_factory.
    auto at = [object](Py_ssize_t offset) {
        return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object) + offset);
    };
    if (info.base->tp_dictoffset > 0 && (info.shape != Shape::instance || info.dict_offset == info.base->tp_dictoffset))
        add(at(info.base->tp_dictoffset), LabelKind::dict);
    const Member* members = heap_.types.members(info);
    for (uint32_t i = 0; i < info.member_count; ++i)
        if (members[i].offset < info.base->tp_basicsize) add(at(members[i].offset), members[i].label);
}

// The nodes that keep an OrderedDict's order hold each key once more, and its traverse does not say so.
void Walker::ordered_keys(const DictKeys* keys, const char* entries) noexcept {
    for (Py_ssize_t i = 0; i < keys->entry_count; ++i) {
        auto& triple = reinterpret_cast<const GeneralEntry*>(entries)[i];
        auto& pair = reinterpret_cast<const StrEntry*>(entries)[i];
        PyObject* value = keys->kind == 0 ? triple.value : pair.value;
        if (value != nullptr) add(keys->kind == 0 ? triple.key : pair.key, LabelKind::key_object);
    }
}

void Walker::set(PyObject* object) noexcept {
    auto* set = reinterpret_cast<PySetObject*>(object);
    for (Py_ssize_t i = 0; i <= set->mask; ++i)
        if (set->table[i].key != nullptr && set->table[i].hash != -1) // -1 marks a deleted entry
            add(set->table[i].key, LabelKind::member);
}

void Walker::function(PyObject* object) noexcept {
    auto* function = reinterpret_cast<PyFunctionObject*>(object);
    if (!census_) {
        // The closure's cells by their variables' names, besides the plain way over the tuple.
        auto* code = PyCode_Check(function->func_code) ? reinterpret_cast<PyCodeObject*>(function->func_code) : nullptr;
        PyObject* cells = function->func_closure;
        if (code != nullptr && cells != nullptr && PyTuple_CheckExact(cells)) {
            Py_ssize_t first = code->co_nlocalsplus - PyTuple_GET_SIZE(cells);
            for (Py_ssize_t i = 0; first >= 0 && i < PyTuple_GET_SIZE(cells); ++i)
                add(PyTuple_GET_ITEM(cells, i), LabelKind::cell,
                    heap_.texts.intern(PyTuple_GET_ITEM(code->co_localsplusnames, first + i)));
        }
    }
    add(function->func_dict, LabelKind::dict);
    add_internal(function->func_code, "__code__");
    add_internal(function->func_globals, "__globals__");
    add_internal(function->func_builtins, "__builtins__");
    add_internal(function->func_module, "__module__");
    add_internal(function->func_name, "__name__");
    add_internal(function->func_qualname, "__qualname__");
    add_internal(function->func_doc, "__doc__");
    add_internal(function->func_defaults, "__defaults__");
    add_internal(function->func_kwdefaults, "__kwdefaults__");
    add_internal(function->func_annotations, "__annotations__");
    add_internal(annotate_function(function), "__annotate__");
    add_internal(function->func_closure, "__closure__");
    add_internal(type_parameters(function), "__type_params__");
}

// Keys that the instances of a class share are held by the class, once.
void Walker::shared_keys(const DictKeys* keys) noexcept {
    if (keys == nullptr || keys->kind == 0) return;
    auto* entries = reinterpret_cast<const StrEntry*>(key_entries(keys));
    for (Py_ssize_t i = 0; i < keys->entry_count; ++i) add_internal(entries[i].key, "attribute names");
}

void Walker::type(PyObject* object) noexcept {
    auto* type = reinterpret_cast<PyTypeObject*>(object);
    add(type_dict(type), LabelKind::dict);
    add_internal(type->tp_mro, "__mro__");
    add_internal(type->tp_bases, "__bases__");
    add_internal(type->tp_cache, "cache");
    add_internal(type_subclasses(type), "__subclasses__");
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) return;
    auto* heap_type = reinterpret_cast<PyHeapTypeObject*>(type);
    add_internal(reinterpret_cast<PyObject*>(type->tp_base), "__base__");
    add_internal(heap_type->ht_module, "__module__");
    add_internal(heap_type->ht_name, "__name__");
    add_internal(heap_type->ht_qualname, "__qualname__");
    add_internal(heap_type->ht_slots, "__slots__");
    shared_keys(cached_keys(type));
}

// Source: moduleobject.c, module_traverse. The module's state is its own tp_traverse's affair.
void Walker::module(PyObject* object) noexcept {
    add(PyModule_GetDict(object), LabelKind::dict);
    add_internal(cpython::module_name(object), "__name__");
    PyModuleDef* definition = PyModule_GetDef(object);
    if (definition == nullptr || definition->m_traverse == nullptr || traversal_is_unsafe(definition->m_name)) return;
    if (definition->m_size > 0 && PyModule_GetState(object) == nullptr) return;
    visited_ = object;
    ordinal_ = 0;
    size_t first = heap_.target.size();
    definition->m_traverse(object, visit, this);
    for (size_t i = first; !census_ && i < heap_.target.size(); ++i)
        if (kind_of(heap_.label[i]) == LabelKind::field)
            heap_.label[i] = make_label(LabelKind::internal, heap_.texts.intern("state of the module"));
}

void Walker::frame(const InterpreterFrame* frame) noexcept {
    PyCodeObject* code = frame_code(frame);
    auto slot = [this](const FrameSlot& place, LabelKind kind, uint32_t payload) {
        add(place.object(), kind, payload);
        if (!place.is_counted()) discount(place.object());
    };
    slot(frame->function, LabelKind::internal, census_ ? 0 : heap_.texts.intern("function"));
    slot(frame->code, LabelKind::internal, census_ ? 0 : heap_.texts.intern("code"));
    add_internal(frame->locals, "f_locals");
    add_internal(frame->frame_object, "frame");
    if (code == nullptr) return;
    int known = known_slots(frame, code);
    for (int i = 0; i < known; ++i) {
        if (frame->slots[i].object() == nullptr) continue;
        if (i >= code->co_nlocalsplus)
            slot(frame->slots[i], LabelKind::stack, static_cast<uint32_t>(i - code->co_nlocalsplus));
        else
            slot(frame->slots[i], LabelKind::local,
                 census_ ? 0 : heap_.texts.intern(PyTuple_GET_ITEM(code->co_localsplusnames, i)));
    }
}

void Walker::generator(PyObject* object) noexcept {
    visit_generator_extras(object, [this](PyObject* part, const char* name) { add_internal(part, name); });
    size_t first = heap_.target.size();
    if (!is_frame_cleared(object)) frame(generator_frame(object));
    if (is_awaiting(object) && !census_) name_awaited(first);
}

// What a coroutine waits for lies on top of its evaluation stack.
void Walker::name_awaited(size_t first) noexcept {
    size_t last = heap_.target.size();
    if (last == first || kind_of(heap_.label[last - 1]) != LabelKind::stack) return;
    heap_.label[last - 1] = coroutine_label(reinterpret_cast<PyObject*>(heap_.target[last - 1]), "awaits", {});
}

void Walker::frame_object(PyObject* object) noexcept {
    auto* kept = reinterpret_cast<FrameObject*>(object);
    add_internal(kept->back, "f_back");
    add_internal(kept->trace, "f_trace");
    visit_frame_object_extras(kept, [this](PyObject* part, const char* name) { add_internal(part, name); });
    // Frames that still run, and those of generators, are read where they are.
    if (kept->frame != nullptr && kept->frame->owner == kOwnedByFrameObject) frame(kept->frame);
}

void Walker::descriptor(PyObject* object) noexcept {
    auto* descriptor = reinterpret_cast<PyDescrObject*>(object);
    add_internal(reinterpret_cast<PyObject*>(descriptor->d_type), "__objclass__");
    add_internal(descriptor->d_name, "__name__");
    add_internal(descriptor->d_qualname, "__qualname__");
}

int Walker::visit(PyObject* object, void* walker) noexcept {
    auto* self = static_cast<Walker*>(walker);
    // A badly written tp_traverse reports what is no object.
    if (object == nullptr || (reinterpret_cast<uintptr_t>(object) & 7) != 0) return 0;
    if (reinterpret_cast<PyObject*>(Py_TYPE(self->visited_)) == object && !self->sees_type_) {
        self->sees_type_ = true;
        self->add(object, LabelKind::type);
    } else {
        self->add(object, LabelKind::field, std::min(self->ordinal_++, kPayloadMask));
    }
    return 0;
}

void Walker::traverse(PyObject* object, const TypeInfo& info) noexcept {
    size_t first = heap_.target.size();
    visited_ = object;
    ordinal_ = 0;
    info.base->tp_traverse(object, visit, this);
    // Keys that are all strs are not reported by a dict's traverse.
    if (PyDict_Check(object)) {
        const DictKeys* keys = dict_keys(object);
        auto* pairs = reinterpret_cast<const StrEntry*>(key_entries(keys));
        for (Py_ssize_t i = 0; keys->kind == 1 && i < keys->entry_count; ++i)
            if (pairs[i].value != nullptr) add(pairs[i].key, LabelKind::key_object);
    }
    if (PyType_FastSubclass(info.type, Py_TPFLAGS_TYPE_SUBCLASS)) metatype(object, first);
    if (!census_) name_reported(object, info, first);
}

// A class of a metatype in C, as those of ctypes: what its tp_traverse reports of a plain type is replaced by all of
// it. Source: typeobject.c, type_traverse.
void Walker::metatype(PyObject* object, size_t first) noexcept {
    auto* type = reinterpret_cast<PyTypeObject*>(object);
    auto* heap_type = reinterpret_cast<PyHeapTypeObject*>(type);
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) return this->type(object);
    const std::array<void*, 6> reported{type_dict(type), type->tp_cache, type->tp_mro,
                                        type->tp_bases,  type->tp_base,  heap_type->ht_module};
    uint32_t taken = 0;
    size_t kept = first;
    for (size_t i = first; i < heap_.target.size(); ++i) {
        size_t field = 0;
        while (field < reported.size() &&
               (taken >> field & 1 || heap_.target[i] != reinterpret_cast<uint64_t>(reported[field])))
            ++field;
        if (field < reported.size()) {
            taken |= 1u << field;
            continue;
        }
        heap_.target[kept] = heap_.target[i];
        if (!census_) heap_.label[kept] = heap_.label[i];
        ++kept;
    }
    ok_ &= heap_.target.resize(kept) && (census_ || heap_.label.resize(kept));
    this->type(object);
}

// What the type's layout or its author says, besides what the object reported itself from `first` on.
void Walker::extension(PyObject* object, const TypeInfo& info, size_t first) noexcept {
    heap_.extensions.visit(
        object, info.extension, [&](PyObject* target, std::string_view name) { add_named(target, name, first); },
        [&](PyObject* target, size_t i) {
            add(target, LabelKind::element, static_cast<uint32_t>(std::min<size_t>(i, kPayloadMask)));
        });
}

// A reference that tp_traverse reported gets its name, one that was not reported is added.
void Walker::add_named(PyObject* target, std::string_view name, size_t first) noexcept {
    if (target == nullptr) return;
    if (census_) {
        add(target, LabelKind::attribute);
    } else {
        uint32_t text = heap_.texts.intern(name);
        if (text == TextPool::kNoText) {
            ok_ = false;
            return;
        }
        uint32_t label = make_label(LabelKind::attribute, text);
        for (size_t i = first; i < heap_.target.size(); ++i) {
            if (heap_.target[i] != reinterpret_cast<uint64_t>(target)) continue;
            if (heap_.label[i] == label) return;
            if (kind_of(heap_.label[i]) != LabelKind::field) continue;
            heap_.label[i] = label;
            return;
        }
        add(target, label);
    }
}

} // namespace heapdiff
