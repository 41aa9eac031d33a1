// What the interpreter itself holds: modules, thread states, running frames.
#include "cpython/walk.hpp"

#include "cpython/interpreter_layout.h"

#include <algorithm>
#include <new>

namespace heapdiff {

using namespace cpython;

void Walker::read_gc_lists() noexcept {
    for (size_t list = 0; list < 4; ++list) {
        auto flags = static_cast<uint8_t>(list == GcLists::kPermanent ? kTracked | kFrozen : kTracked);
        GcHead* head = lists_.heads[list];
        for (GcHead* at = head->next_head(); at != head && ok_; at = at->next_head()) {
            __builtin_prefetch(at->next_head());
            insert(at->object(), flags);
        }
    }
}

void Walker::add_root(PyObject* object, LabelKind kind, std::string_view text) noexcept {
    if (object == nullptr) return;
    insert(object, 0);
    if (!census_) {
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

} // namespace

void Walker::read_modules() noexcept {
    PyObject* modules = PyImport_GetModuleDict();
    if (modules == nullptr || !PyDict_Check(modules)) return;
    Py_ssize_t position = 0;
    PyObject *key = nullptr, *value = nullptr;
    while (PyDict_Next(modules, &position, &key, &value)) {
        if (!PyUnicode_CheckExact(key)) continue;
        if (is_own_name(key)) {
            mark(value, kOwn);
            add_root(value, LabelKind::root_own, {});
            continue;
        }
        char room[TextPool::kLongest];
        std::string_view name = utf8_of(key, room, sizeof room);
        if (value == Py_None) continue;
        mark(value, kModule);
        if (name == "sys" && PyModule_Check(value)) mark_last_error(value);
        add_root(value, is_machinery(name) ? LabelKind::root_machinery : LabelKind::root_module, name);
    }
}

void Walker::mark(PyObject* object, ObjectFlag flag) noexcept {
    uint32_t* known = marks_.at(object);
    if (known == nullptr) ok_ = false;
    else *known = (*known == PointerMap::kAbsent ? 0 : *known) | flag;
}

void Walker::mark_last_error(PyObject* sys) noexcept {
    Py_ssize_t position = 0;
    PyObject *key = nullptr, *value = nullptr;
    while (PyDict_Next(PyModule_GetDict(sys), &position, &key, &value)) {
        char room[32];
        std::string_view name = PyUnicode_CheckExact(key) ? utf8_of(key, room, sizeof room) : std::string_view{};
        if (name == "last_exc" || name == "last_value" || name == "last_traceback") mark(value, kLastError);
    }
}

void Walker::read_interpreter() noexcept {
    // The modules and dicts that only the interpreter state holds are found by the scan of it; what hangs on
    // memory of its own is visited here.
    if (Py_Version != heapdiff_compiled_version) return;
    heapdiff_visit_atexit(
        PyInterpreterState_Get(),
        [](void* object, int is_counted, void* argument) {
            auto* walker = static_cast<Walker*>(argument);
            walker->add_root(static_cast<PyObject*>(object), LabelKind::root_interpreter, "atexit.register");
            if (!is_counted) walker->discount(static_cast<PyObject*>(object));
        },
        this);
}

namespace {

// The event loop that runs in a thread, by what asyncio keeps in the dict of its state; null where none does.
// Source: _asynciomodule.c, set_running_loop.
PyObject* running_loop(PyObject* dict) {
    if (dict == nullptr || !PyDict_CheckExact(dict)) return nullptr;
    Py_ssize_t position = 0;
    PyObject *key = nullptr, *value = nullptr;
    while (PyDict_Next(dict, &position, &key, &value)) {
        char room[40];
        if (!PyUnicode_CheckExact(key) || utf8_of(key, room, sizeof room) != "__asyncio_running_event_loop__") continue;
        if (!is_named(Py_TYPE(value), "_RunningLoopHolder")) return value;
        return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(value) + kHeadShift + kHeldLoopOffset);
    }
    return nullptr;
}

} // namespace

void Walker::read_thread(PyThreadState* thread, const std::string& name) {
    std::string owner = "thread " + (name.empty() ? std::to_string(thread->thread_id) : name);
    PyObject* loop = running_loop(thread->dict);
    if (loop == nullptr && Py_Version == heapdiff_compiled_version) {
        loop = static_cast<PyObject*>(heapdiff_running_loop(thread));
        add_root(loop, LabelKind::root_thread, "running event loop, " + owner);
    }
    if (loop != Py_None) add_root(loop, LabelKind::root_event_loop, "asyncio, " + owner);
    visit_thread_state(thread, [&](PyObject* object, const char* field) {
        add_root(object, LabelKind::root_thread, std::string(field) + ", " + owner);
    });
    for (InterpreterFrame* frame = current_frame(thread); frame != nullptr; frame = frame->previous)
        if (frame->owner == kOwnedByThread) read_running_frame(frame, owner);
}

void Walker::read_running_frame(InterpreterFrame* frame, const std::string& thread_name) {
    PyCodeObject* code = frame_code(frame);
    if (code == nullptr) return;
    PyObject* module = frame_module(frame);
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
    auto hold_slot = [&](const FrameSlot& place, std::string_view what) {
        hold(place.object(), what);
        if (!place.is_counted()) discount(place.object());
    };
    hold_slot(frame->function, "itself");
    hold_slot(frame->code, "its code");
    hold(frame->locals, "its namespace");
    hold(frame->frame_object, "its frame object");
    int known = known_slots(frame, code);
    for (int i = 0; i < known; ++i) {
        if (i >= code->co_nlocalsplus) hold_slot(frame->slots[i], "evaluation stack");
        else hold_slot(frame->slots[i], utf8_of(PyTuple_GET_ITEM(code->co_localsplusnames, i), room, sizeof room));
    }
    if (!census_) {
        if (frame->used_slots() >= 0) return;
        uint32_t label =
            own ? make_label(LabelKind::root_own)
                : make_label(LabelKind::root_local, heap_.texts.intern(where + " evaluation stack, " + thread_name));
        for (int i = code->co_nlocalsplus; i < code->co_nlocalsplus + code->co_stacksize; ++i)
            heap_.stack_words.push_back({reinterpret_cast<uint64_t>(frame->slots[i].object()), label});
    }
}

} // namespace heapdiff
