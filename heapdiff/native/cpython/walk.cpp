#include "cpython/walk.hpp"

#include "cpython/interpreter_layout.h"
#include "cpython/sizes.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace heapdiff {

using namespace cpython;

template <bool census>
WalkEnd Walker<census>::walk(const std::vector<std::pair<unsigned long, std::string>>& thread_names) noexcept {
    try {
        read_all(thread_names);
    } catch (const std::bad_alloc&) {
        return WalkEnd::out_of_memory;
    }
    if (!ok_) return WalkEnd::out_of_memory;
    if (heap_.object.size() > bounds_.objects || heap_.target.size() >= UINT32_MAX - 1)
        return WalkEnd::too_many_objects;
    return heap_.bytes() > bounds_.bytes ? WalkEnd::too_many_bytes : WalkEnd::complete;
}

template <bool census>
void Walker<census>::read_all(const std::vector<std::pair<unsigned long, std::string>>& thread_names) {
    read_gc_lists();
    read_modules();
    read_interpreter();
    for (PyThreadState* thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get()); thread != nullptr;
         thread = PyThreadState_Next(thread)) {
        auto named = std::find_if(thread_names.begin(), thread_names.end(),
                                  [thread](const auto& pair) { return pair.first == thread->thread_id; });
        read_thread(thread, named == thread_names.end() ? std::string() : named->second);
    }
    drain();
}

// ------------------------------------------------------------------ roots

template <bool census> void Walker<census>::read_gc_lists() noexcept {
    for (size_t list = 0; list < 4; ++list) {
        auto flags = static_cast<uint8_t>(list == GcLists::kPermanent ? kTracked | kFrozen : kTracked);
        GcHead* head = lists_.heads[list];
        for (GcHead* at = head->next_head(); at != head && ok_; at = at->next_head()) {
            __builtin_prefetch(at->next_head());
            insert(at->object(), flags);
        }
    }
}

template <bool census> void Walker<census>::add_root(PyObject* object, LabelKind kind, std::string_view text) noexcept {
    if (object == nullptr) return;
    insert(object, 0);
    if constexpr (!census) {
        uint32_t payload = kind == LabelKind::root_own ? 0 : heap_.texts.intern(text);
        ok_ &= heap_.root_target.push(reinterpret_cast<uint64_t>(object));
        ok_ &= heap_.root_label.push(make_label(kind, payload));
    }
}

namespace {

// Modules that refer to nearly everything: a chain through them says nothing to a person.
bool is_machinery(std::string_view name) {
    static const std::string_view names[] = {"sys",       "builtins",          "importlib",
                                             "linecache", "tracemalloc",       "gc",
                                             "zipimport", "_frozen_importlib", "_frozen_importlib_external",
                                             "_imp",      "inspect",           "pkgutil"};
    for (std::string_view machinery : names)
        if (name == machinery || (name.starts_with("importlib.") && machinery == "importlib")) return true;
    return false;
}

bool is_trie(const PyTypeObject* type) { return std::strncmp(type->tp_name, "hamt", 4) == 0; }

} // namespace

template <bool census> void Walker<census>::read_modules() noexcept {
    PyObject* modules = PyImport_GetModuleDict();
    if (modules == nullptr || !PyDict_Check(modules)) return;
    Py_ssize_t position = 0;
    PyObject *key = nullptr, *value = nullptr;
    while (PyDict_Next(modules, &position, &key, &value)) {
        if (!PyUnicode_CheckExact(key)) continue;
        if (is_own_name(key)) {
            if (uint32_t* mark = own_objects_.at(value)) *mark = 1;
            add_root(value, LabelKind::root_own, {});
            continue;
        }
        char room[TextPool::kLongest];
        std::string_view name = utf8_of(key, room, sizeof room);
        if (value != Py_None)
            add_root(value, is_machinery(name) ? LabelKind::root_machinery : LabelKind::root_module, name);
    }
}

template <bool census> void Walker<census>::read_interpreter() noexcept {
    // The modules and dicts that only the interpreter state holds are found by the scan of it; what hangs on
    // memory of its own is visited here.
    if (Py_Version != heapdiff_compiled_version) return;
    heapdiff_visit_atexit(
        PyInterpreterState_Get(),
        [](void* object, void* walker) {
            static_cast<Walker*>(walker)->add_root(static_cast<PyObject*>(object), LabelKind::root_interpreter,
                                                   "atexit.register");
        },
        this);
}

template <bool census> void Walker<census>::read_thread(PyThreadState* thread, const std::string& name) {
    std::string owner = "thread " + (name.empty() ? std::to_string(thread->thread_id) : name);
    visit_thread_state(thread, [&](PyObject* object, const char* field) {
        add_root(object, LabelKind::root_thread, std::string(field) + ", " + owner);
    });
    for (InterpreterFrame* frame = current_frame(thread); frame != nullptr; frame = frame->previous)
        if (frame->owner == kOwnedByThread) read_running_frame(frame, owner);
}

template <bool census>
void Walker<census>::read_running_frame(InterpreterFrame* frame, const std::string& thread_name) {
    PyCodeObject* code = frame_code(frame);
    if (code == nullptr) return;
    auto* function = frame->function != nullptr && PyFunction_Check(frame->function)
                         ? reinterpret_cast<PyFunctionObject*>(frame->function)
                         : nullptr;
    PyObject* module = function != nullptr ? function->func_module : nullptr;
    bool own = is_own_name(module);
    char room[TextPool::kLongest];
    std::string where;
    if (module != nullptr && PyUnicode_CheckExact(module))
        where = std::string(utf8_of(module, room, sizeof room)) + ".";
    where += std::string(utf8_of(code->co_qualname, room, sizeof room)) + "()";
    auto hold = [&](PyObject* object, std::string_view what) {
        if (own) add_root(object, LabelKind::root_own, {});
        else add_root(object, LabelKind::root_local, where + " " + std::string(what) + ", " + thread_name);
    };
    hold(frame->function, "itself");
    hold(reinterpret_cast<PyObject*>(code), "its code");
    hold(frame->locals, "its namespace");
    hold(frame->frame_object, "its frame object");
    int known = known_slots(frame, code);
    for (int i = 0; i < known; ++i) {
        if (frame->slots[i] == nullptr) continue;
        if (i >= code->co_nlocalsplus) hold(frame->slots[i], "evaluation stack");
        else hold(frame->slots[i], utf8_of(PyTuple_GET_ITEM(code->co_localsplusnames, i), room, sizeof room));
    }
    if constexpr (!census) {
        if (frame->stack_top >= 0) return;
        uint32_t label =
            own ? make_label(LabelKind::root_own)
                : make_label(LabelKind::root_local, heap_.texts.intern(where + " evaluation stack, " + thread_name));
        for (int i = code->co_nlocalsplus; i < code->co_nlocalsplus + code->co_stacksize; ++i)
            heap_.stack_words.push_back({reinterpret_cast<uint64_t>(frame->slots[i]), label});
    }
}

// ------------------------------------------------------------------ objects

template <bool census> void Walker<census>::insert(PyObject* object, uint8_t flags) noexcept {
    bool out_of_memory = false;
    if (heap_.addresses.insert(reinterpret_cast<uint64_t>(object), &out_of_memory)) {
        ok_ &= heap_.object.push(object);
        ok_ &= heap_.flags.push(flags);
    }
    ok_ &= !out_of_memory;
}

template <bool census> uint32_t Walker<census>::type_row(PyTypeObject* type) noexcept {
    bool fresh = false;
    uint32_t row = heap_.types.row(type, &fresh);
    if (fresh) insert(reinterpret_cast<PyObject*>(type), 0);
    ok_ &= row != UINT32_MAX;
    return row;
}

template <bool census> void Walker<census>::drain() noexcept {
    // The list of objects is its own queue: what is found is read later, in the order in which it was found.
    constexpr size_t kBlock = 256;
    for (size_t i = 0; i < heap_.object.size() && ok_;) {
        size_t end = std::min(heap_.object.size(), i + kBlock);
        size_t first = census ? 0 : heap_.target.size();
        if constexpr (census) heap_.target.clear();
        for (; i < end && ok_; ++i) {
            prefetch(i);
            read_object(heap_.object[i], i);
        }
        insert_targets(first);
        if (heap_.object.size() > bounds_.objects || heap_.target.size() >= UINT32_MAX - 1 ||
            heap_.bytes() > bounds_.bytes)
            return;
    }
    if constexpr (!census) ok_ &= heap_.start.push(static_cast<uint32_t>(heap_.target.size()));
}

template <bool census> void Walker<census>::prefetch(size_t i) noexcept {
    constexpr size_t kFar = 24, kNear = 12;
    size_t n = heap_.object.size();
    if (i + kFar < n) __builtin_prefetch(heap_.object[i + kFar]);
    if (i + kNear >= n) return;
    PyObject* object = heap_.object[i + kNear]; // its header has arrived: fetch what hangs on it
    PyTypeObject* type = Py_TYPE(object);
    if (type == &PyList_Type) __builtin_prefetch(reinterpret_cast<PyListObject*>(object)->ob_item);
    else if (type == &PyDict_Type) __builtin_prefetch(reinterpret_cast<PyDictObject*>(object)->ma_keys);
    else if (has_managed_dict(type)) __builtin_prefetch(reinterpret_cast<void**>(object)[-4]);
}

template <bool census> void Walker<census>::insert_targets(size_t first) noexcept {
    // In two strides, so that the words of the set arrive before they are read.
    size_t stride = words_.size();
    size_t n = heap_.target.size();
    for (size_t i = first; i < n && ok_; i += stride) {
        size_t count = std::min(stride, n - i);
        for (size_t j = 0; j < count; ++j) {
            words_[j].first = heap_.addresses.word(heap_.target[i + j], &words_[j].second);
            if (words_[j].first == nullptr) {
                ok_ = false;
                return;
            }
            __builtin_prefetch(words_[j].first, 1);
        }
        for (size_t j = 0; j < count; ++j) {
            auto [word, mask] = words_[j];
            if (*word & mask) continue;
            *word |= mask;
            ok_ &= heap_.object.push(reinterpret_cast<PyObject*>(heap_.target[i + j]));
            ok_ &= heap_.flags.push(0);
        }
    }
}

template <bool census> bool Walker<census>::is_own(PyObject* object, const TypeInfo& info) noexcept {
    if (info.own) return true;
    switch (info.base_shape) {
    case Shape::module: return own_objects_.find(object) != PointerMap::kAbsent;
    case Shape::function: return is_own_name(reinterpret_cast<PyFunctionObject*>(object)->func_module);
    case Shape::type: {
        uint32_t row = type_row(reinterpret_cast<PyTypeObject*>(object));
        return ok_ && heap_.types[row].own;
    }
    default:
        return info.type == &PyCFunction_Type && is_own_name(reinterpret_cast<PyCFunctionObject*>(object)->m_module);
    }
}

template <bool census> void Walker<census>::read_object(PyObject* object, size_t i) noexcept {
    uint32_t row = type_row(Py_TYPE(object));
    if (!ok_) return;
    const TypeInfo& info = heap_.types[row];
    uint64_t bytes = shallow_bytes(object, info);
    ExtensionBytes besides;
    if (info.extension) besides = heap_.extensions.measure(object, info.extension);
    bytes += besides.bytes;
    ok_ &= heap_.type.push(row);
    ok_ &= heap_.shallow.push(bytes < UINT32_MAX ? static_cast<uint32_t>(bytes) : UINT32_MAX);
    if (bytes >= UINT32_MAX) ok_ &= heap_.large_bytes.push(bytes);
    uint8_t flags = heap_.flags[i];
    if (is_immortal(object)) flags |= kImmortal;
    if (is_own(object, info)) flags |= kOwn;
    if (besides.native_memory || (info.native_memory && !besides.sized)) flags |= kNativeMemory;
    heap_.flags[i] = flags;
    if constexpr (!census) {
        Py_ssize_t count = Py_REFCNT(object);
        ok_ &= heap_.count.push(count < 0 || count > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(count));
        ok_ &= heap_.start.push(static_cast<uint32_t>(heap_.target.size()));
    }
    size_t first = heap_.target.size();
    references(object, info);
    if (info.extension) extension(object, info, first);
}

// ------------------------------------------------------------------ references

template <bool census> void Walker<census>::references(PyObject* object, const TypeInfo& info) noexcept {
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

template <bool census> void Walker<census>::shaped(PyObject* object, const TypeInfo& info, Shape shape) noexcept {
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
    case Shape::cell: return add_internal(PyCell_GET(object), "cell_contents");
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
    case Shape::traverse: return traverse(object, info);
    case Shape::instance:
    case Shape::lru_cache_link:
    case Shape::leaf: return;
    }
}

// Source: typeobject.c, subtype_traverse.
template <bool census> void Walker<census>::instance(PyObject* object, const TypeInfo& info) noexcept {
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
                    uint32_t name = census ? 0 : heap_.texts.identifier(names[i].key);
                    if (!census && name == TextPool::kNoText) name = heap_.texts.intern("[attribute]");
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

template <bool census> uint32_t Walker<census>::key_label(PyObject* key) noexcept {
    uint32_t name = heap_.texts.identifier(key);
    if (name != TextPool::kNoText) return make_label(LabelKind::key, name);
    uint32_t row = type_row(Py_TYPE(key));
    return ok_ ? heap_.types[row].key_label : 0;
}

template <bool census> void Walker<census>::entry(PyObject* key, PyObject* value) noexcept {
    add(key, LabelKind::key_object);
    if (value != nullptr) add(value, census ? 0 : key_label(key));
}

template <bool census> void Walker<census>::dict(PyObject* object, const TypeInfo& info) noexcept {
    const DictKeys* keys = dict_keys(object);
    const char* entries = key_entries(keys);
    if (Values values = split_values(object)) {
        // The class that shares the keys reports them.
        auto* names = reinterpret_cast<const StrEntry*>(entries);
        for (size_t i = 0; i < values.count; ++i)
            if (values.slots[i] != nullptr) add(values.slots[i], census ? 0 : key_label(names[i].key));
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
template <bool census> void Walker<census>::ordered_keys(const DictKeys* keys, const char* entries) noexcept {
    for (Py_ssize_t i = 0; i < keys->entry_count; ++i) {
        auto& triple = reinterpret_cast<const GeneralEntry*>(entries)[i];
        auto& pair = reinterpret_cast<const StrEntry*>(entries)[i];
        PyObject* value = keys->kind == 0 ? triple.value : pair.value;
        if (value != nullptr) add(keys->kind == 0 ? triple.key : pair.key, LabelKind::key_object);
    }
}

template <bool census> void Walker<census>::set(PyObject* object) noexcept {
    auto* set = reinterpret_cast<PySetObject*>(object);
    for (Py_ssize_t i = 0; i <= set->mask; ++i)
        if (set->table[i].key != nullptr && set->table[i].hash != -1) // -1 marks a deleted entry
            add(set->table[i].key, LabelKind::member);
}

template <bool census> void Walker<census>::function(PyObject* object) noexcept {
    auto* function = reinterpret_cast<PyFunctionObject*>(object);
    if constexpr (!census) {
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
    add_internal(function->func_closure, "__closure__");
    add_internal(type_parameters(function), "__type_params__");
}

// Keys that the instances of a class share are held by the class, once.
template <bool census> void Walker<census>::shared_keys(const DictKeys* keys) noexcept {
    if (keys == nullptr || keys->kind == 0) return;
    auto* entries = reinterpret_cast<const StrEntry*>(key_entries(keys));
    for (Py_ssize_t i = 0; i < keys->entry_count; ++i) add_internal(entries[i].key, "attribute names");
}

template <bool census> void Walker<census>::type(PyObject* object) noexcept {
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
template <bool census> void Walker<census>::module(PyObject* object) noexcept {
    add(PyModule_GetDict(object), LabelKind::dict);
    PyModuleDef* definition = PyModule_GetDef(object);
    if (definition == nullptr || definition->m_traverse == nullptr || traversal_is_unsafe(definition->m_name)) return;
    if (definition->m_size > 0 && PyModule_GetState(object) == nullptr) return;
    visited_ = object;
    ordinal_ = 0;
    definition->m_traverse(object, visit, this);
}

template <bool census> void Walker<census>::frame(const InterpreterFrame* frame) noexcept {
    PyCodeObject* code = frame_code(frame);
    add_internal(frame->function, "function");
    add_internal(frame->code, "code");
    add_internal(frame->locals, "f_locals");
    add_internal(frame->frame_object, "frame");
    if (code == nullptr) return;
    int known = known_slots(frame, code);
    for (int i = 0; i < known; ++i) {
        if (frame->slots[i] == nullptr) continue;
        if (i >= code->co_nlocalsplus)
            add(frame->slots[i], LabelKind::stack, static_cast<uint32_t>(i - code->co_nlocalsplus));
        else
            add(frame->slots[i], LabelKind::local,
                census ? 0 : heap_.texts.intern(PyTuple_GET_ITEM(code->co_localsplusnames, i)));
    }
}

template <bool census> void Walker<census>::generator(PyObject* object) noexcept {
    visit_generator_extras(object, [this](PyObject* part, const char* name) { add_internal(part, name); });
    if (reinterpret_cast<PyGenObject*>(object)->gi_frame_state < kFrameCleared) frame(generator_frame(object));
}

template <bool census> void Walker<census>::frame_object(PyObject* object) noexcept {
    auto* kept = reinterpret_cast<FrameObject*>(object);
    add_internal(kept->back, "f_back");
    add_internal(kept->trace, "f_trace");
    visit_frame_object_extras(kept, [this](PyObject* part, const char* name) { add_internal(part, name); });
    // Frames that still run, and those of generators, are read where they are.
    if (kept->frame != nullptr && kept->frame->owner == kOwnedByFrameObject) frame(kept->frame);
}

template <bool census> void Walker<census>::descriptor(PyObject* object) noexcept {
    auto* descriptor = reinterpret_cast<PyDescrObject*>(object);
    add_internal(reinterpret_cast<PyObject*>(descriptor->d_type), "__objclass__");
    add_internal(descriptor->d_name, "__name__");
    add_internal(descriptor->d_qualname, "__qualname__");
}

template <bool census> int Walker<census>::visit(PyObject* object, void* walker) noexcept {
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

template <bool census> void Walker<census>::traverse(PyObject* object, const TypeInfo& info) noexcept {
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
    if constexpr (!census) {
        name_members(object, info, first);
        if (info.base_shape == Shape::lru_cache) name_cache(object, info, first);
        if (info.type == &PyContext_Type || is_trie(info.type)) name_variables(first);
    }
}

// Gives the references that a tp_traverse reported the names of the members they stand in.
template <bool census>
void Walker<census>::name_members(PyObject* object, const TypeInfo& info, size_t first) noexcept {
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

// What the type's layout or its author says, besides what the object reported itself from `first` on.
template <bool census> void Walker<census>::extension(PyObject* object, const TypeInfo& info, size_t first) noexcept {
    heap_.extensions.visit(
        object, info.extension, [&](PyObject* target, std::string_view name) { add_named(target, name, first); },
        [&](PyObject* target, size_t i) {
            add(target, LabelKind::element, static_cast<uint32_t>(std::min<size_t>(i, kPayloadMask)));
        });
}

// A reference that tp_traverse reported gets its name, one that was not reported is added.
template <bool census> void Walker<census>::add_named(PyObject* target, std::string_view name, size_t first) noexcept {
    if (target == nullptr) return;
    if constexpr (census) {
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

// A cache reports the keys and results of its links, then its table, its function and four constants.
// Source: _functoolsmodule.c, lru_cache_tp_traverse.
template <bool census> void Walker<census>::name_cache(PyObject* object, const TypeInfo& info, size_t first) noexcept {
    (void)object;
    (void)info;
    size_t last = heap_.target.size();
    while (last > first && kind_of(heap_.label[last - 1]) == LabelKind::dict) --last;
    if (last < first + 5) return;
    size_t table = last - 5;
    heap_.label[table] = make_label(LabelKind::attribute, heap_.texts.intern("cache"));
    heap_.label[table + 1] = make_label(LabelKind::attribute, heap_.texts.intern("__wrapped__"));
    for (size_t i = first; i < table; ++i)
        if (kind_of(heap_.label[i]) == LabelKind::field) heap_.label[i] = make_label(LabelKind::cache_entry);
}

// A context keeps its variables in a trie, whose nodes report each value right before its variable.
// Source: hamt.c, hamt_node_bitmap_traverse and hamt_node_collision_traverse.
template <bool census> void Walker<census>::name_variables(size_t first) noexcept {
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

template class Walker<true>;
template class Walker<false>;

} // namespace heapdiff
