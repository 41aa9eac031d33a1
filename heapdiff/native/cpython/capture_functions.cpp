#include "cpython/capture_functions.hpp"

#include "cpython/columns.hpp"
#include "cpython/errors.hpp"
#include "cpython/finish.hpp"
#include "cpython/sites.hpp"
#include "cpython/walk.hpp"

#include <ctime>
#include <memory>

namespace heapdiff {

using cpython::kFreeThreaded;

namespace {

double seconds(clockid_t clock) {
    timespec now;
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The time the GIL is held, or other threads are stopped.
struct Pause {
    double wall = seconds(CLOCK_MONOTONIC), processor = seconds(CLOCK_THREAD_CPUTIME_ID);
    void end() {
        wall = seconds(CLOCK_MONOTONIC) - wall;
        processor = seconds(CLOCK_THREAD_CPUTIME_ID) - processor;
    }
};

// A tp_traverse of somebody else's that allocates must not start a collection in the middle of the walk. Where threads
// run at once none can, for they stand; and another thread may switch the collector for itself right after.
class CollectorOff {
  public:
    CollectorOff() : was_on_(kFreeThreaded ? 0 : PyGC_Disable()) {}
    ~CollectorOff() {
        if (was_on_) PyGC_Enable();
    }

  private:
    int was_on_;
};

bool names_of_threads(PyObject* dict, std::vector<std::pair<unsigned long, std::string>>* names) {
    Py_ssize_t position = 0;
    PyObject *ident = nullptr, *name = nullptr;
    while (PyDict_Next(dict, &position, &ident, &name)) {
        unsigned long number = PyLong_AsUnsignedLong(ident);
        const char* text = PyUnicode_AsUTF8(name);
        if (text == nullptr || PyErr_Occurred()) return false;
        names->emplace_back(number, text);
    }
    return true;
}

void raise_busy() {
    raise_error("CaptureBusyError",
                "a garbage collection is running (the capture was called from __del__, a weakref callback or "
                "gc.callbacks%s): objects that the collector works on are in none of its lists. Capture "
                "after it has returned.",
                cpython::kFreeThreaded ? ", or another thread collects" : "");
}

bool raise_end(WalkEnd end, const RawHeap& heap, const WalkBounds& bounds, Picture picture) {
    const char* smaller = picture == Picture::census ? "" : ", or take a census: it keeps no references";
    unsigned long long objects = heap.object.size(), bytes = heap.bytes();
    switch (end) {
    case WalkEnd::complete: return false;
    case WalkEnd::out_of_memory: PyErr_NoMemory(); break;
    case WalkEnd::collecting: raise_busy(); break;
    case WalkEnd::too_many_objects:
        raise_error("CaptureLimitError",
                    "the heap has more than %llu objects, the bound that was given (max_objects); the capture stopped "
                    "after %llu "
                    "and nothing is left of it. Raise the bound%s.",
                    static_cast<unsigned long long>(bounds.objects), objects, smaller);
        break;
    case WalkEnd::too_many_bytes:
        raise_error("CaptureLimitError",
                    "the capture needs more than %llu bytes, its bound (max_bytes; by default a share of the memory "
                    "that is left); it stopped after "
                    "%llu objects with %llu bytes, and nothing is left of it. Raise the bound%s.",
                    static_cast<unsigned long long>(bounds.bytes), objects, bytes, smaller);
        break;
    }
    return true;
}

bool find_idle_lists(GcLists* lists) {
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        raise_unsupported(
            "this is a subinterpreter, and heapdiff reads the heap of the main interpreter only; capture there");
        return false;
    }
    if (cpython::is_finalizing()) {
        raise_error("CaptureError",
                    "the interpreter is shutting down and has begun to take its modules apart; capture before, "
                    "for example from atexit.register");
        return false;
    }
    if (!find_gc_lists(lists)) return false;
    if (!lists->collecting()) return true;
    raise_busy();
    return false;
}

// What the extension types kept to themselves, by name.
PyObject* unseen_of(const Extensions& extensions) {
    return Py_BuildValue("{sKsKsKsK}", "data_types", static_cast<unsigned long long>(extensions.unknown_data_types()),
                         "mapped_files", static_cast<unsigned long long>(extensions.mapped_files()),
                         "mapped_file_bytes", static_cast<unsigned long long>(extensions.mapped_file_bytes()),
                         "temporary_references", static_cast<unsigned long long>(extensions.temporary_references()));
}

// A copy of the object's body, for Python to check that fields are where they are expected.
PyObject* object_body(PyObject*, PyObject* object) {
    return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(object), Py_TYPE(object)->tp_basicsize);
}

PyObject* capture(PyObject*, PyObject* args) {
    PyObject *threads = nullptr, *plan = nullptr;
    WalkBounds bounds;
    int traced = 0, audited = 0;
    unsigned long long objects = 0, bytes = 0;
    if (!PyArg_ParseTuple(args, "O!KKp|O!p:capture", &PyDict_Type, &threads, &objects, &bytes, &traced, &PyTuple_Type,
                          &plan, &audited))
        return nullptr;
    bounds.objects = std::min<uint64_t>(bounds.objects, objects);
    bounds.bytes = bytes;
    std::vector<std::pair<unsigned long, std::string>> names;
    GcLists lists;
    if (!names_of_threads(threads, &names) || !find_idle_lists(&lists)) return nullptr;
    auto raw = std::make_unique<RawHeap>();
    if (plan != nullptr && !raw->extensions.parse(plan)) return nullptr;
    SiteTable sites;
    Pause pause;
    WalkEnd end = WalkEnd::complete;
    {
        CollectorOff off;
        end = Walker(*raw, lists, bounds, Picture::snapshot).walk(names);
        if (kFreeThreaded) pause.end();
        measure_unsized(*raw);
        if (end == WalkEnd::complete && traced && !read_sites(*raw, &sites)) end = WalkEnd::out_of_memory;
    }
    const void* interpreter = PyInterpreterState_Get();
    std::vector<Segment> segments = loaded_segments();
    if (!kFreeThreaded) pause.end();
    if (raise_end(end, *raw, bounds, Picture::snapshot)) return nullptr;
    ColumnStore store;
    Status status =
        without_gil([&] { return finish_snapshot(*raw, sites, {interpreter, segments, audited != 0}, &store); });
    if (status != Status::ok) return PyErr_NoMemory();
    PyObject* columns = new_columns(std::move(store));
    PyObject* unseen = columns == nullptr ? nullptr : unseen_of(raw->extensions);
    without_gil([&] { return raw.reset(), Status::ok; });
    if (unseen == nullptr) {
        Py_XDECREF(columns);
        return nullptr;
    }
    return Py_BuildValue("(NddN)", columns, pause.wall, pause.processor, unseen);
}

// The living objects of some types, as a list; to be asked before a capture.
PyObject* instances(PyObject*, PyObject* args) {
    PyObject *types = nullptr, *plan = nullptr;
    WalkBounds bounds;
    unsigned long long objects = 0, bytes = 0;
    Py_ssize_t most = 0;
    if (!PyArg_ParseTuple(args, "O!nKK|O!:instances", &PyTuple_Type, &types, &most, &objects, &bytes, &PyTuple_Type,
                          &plan))
        return nullptr;
    bounds.objects = std::min<uint64_t>(bounds.objects, objects);
    bounds.bytes = bytes;
    GcLists lists;
    if (!find_idle_lists(&lists)) return nullptr;
    auto raw = std::make_unique<RawHeap>();
    if (plan != nullptr && !raw->extensions.parse(plan)) return nullptr;
    Pause pause;
    CollectorOff off; // until the objects are held: what it would free is in the list of the walk
    Instances found{types, static_cast<size_t>(most)};
    WalkEnd end = Walker(*raw, lists, bounds, Picture::census, &found).walk({});
    pause.end();
    measure_unsized(*raw);
    bool failed = raise_end(end, *raw, bounds, Picture::census);
    raw.reset();
    PyObject* list = failed ? nullptr : PyList_New(static_cast<Py_ssize_t>(found.kept.size()));
    for (size_t i = 0; i < found.kept.size(); ++i)
        if (list == nullptr) Py_DECREF(found.kept[i]);
        else PyList_SET_ITEM(list, static_cast<Py_ssize_t>(i), found.kept[i]);
    if (list == nullptr) return nullptr;
    return Py_BuildValue("(Nndd)", list, static_cast<Py_ssize_t>(found.count), pause.wall, pause.processor);
}

PyObject* census(PyObject*, PyObject* args) {
    WalkBounds bounds;
    unsigned long long objects = 0, bytes = 0;
    PyObject* plan = nullptr;
    if (!PyArg_ParseTuple(args, "KK|O!:census", &objects, &bytes, &PyTuple_Type, &plan)) return nullptr;
    bounds.objects = std::min<uint64_t>(bounds.objects, objects);
    bounds.bytes = bytes;
    GcLists lists;
    if (!find_idle_lists(&lists)) return nullptr;
    auto raw = std::make_unique<RawHeap>();
    if (plan != nullptr && !raw->extensions.parse(plan)) return nullptr;
    Pause pause;
    WalkEnd end = WalkEnd::complete;
    {
        CollectorOff off;
        end = Walker(*raw, lists, bounds, Picture::census).walk({});
    }
    pause.end();
    measure_unsized(*raw);
    if (raise_end(end, *raw, bounds, Picture::census)) return nullptr;
    ColumnStore store;
    Status status = without_gil([&] {
        Status finished = finish_census(*raw, &store);
        raw.reset();
        return finished;
    });
    if (status != Status::ok) return PyErr_NoMemory();
    PyObject* columns = new_columns(std::move(store));
    return columns == nullptr ? nullptr : Py_BuildValue("(Ndd)", columns, pause.wall, pause.processor);
}

PyMethodDef functions[] = {
    {"capture", guarded<capture>, METH_VARARGS,
     "capture(thread_names, max_objects, max_bytes, traced, extensions=([], [], []))\n--\n\n"
     "The heap's columns, the wall and CPU seconds for which the GIL was held, and what was not seen."},
    {"instances", guarded<instances>, METH_VARARGS,
     "instances(types, most, max_objects, max_bytes, extensions=([], [], []))\n--\n\n"
     "A list of at most that many objects of these types, how many there are, and the wall and CPU seconds for which "
     "the GIL was held."},
    {"object_body", object_body, METH_O, "object_body(object)\n--\n\nThe bytes of the object's struct."},
    {"census", guarded<census>, METH_VARARGS,
     "census(max_objects, max_bytes, extensions=([], [], []))\n--\n\nObjects and bytes by type, and the wall and CPU "
     "seconds for "
     "which the GIL was held."},
    {nullptr, nullptr, 0, nullptr},
};

} // namespace

PyMethodDef* capture_functions() { return functions; }

} // namespace heapdiff
