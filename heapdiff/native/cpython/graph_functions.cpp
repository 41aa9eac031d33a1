#include "cpython/graph_functions.hpp"

#include "cpython/columns.hpp"
#include "cpython/errors.hpp"
#include "graph/bounds.hpp"
#include "graph/dominators.hpp"
#include "graph/groups.hpp"
#include "graph/label_growth.hpp"
#include "graph/label_text.hpp"
#include "graph/label_tree.hpp"
#include "graph/paths.hpp"
#include "graph/profile.hpp"
#include "graph/selection.hpp"
#include "graph/sites.hpp"
#include "graph/survivors.hpp"
#include "graph/types.hpp"
#include "graph/validate.hpp"

#include <algorithm>

namespace heapdiff {
namespace {

// ------------------------------------------------------------------ running a pass

// Runs the pass without the GIL; false with an exception set where it fails.
template <class Pass> bool run(Pass pass) {
    Status status = without_gil(pass);
    if (status == Status::out_of_memory) PyErr_NoMemory();
    if (status == Status::malformed && !PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "the columns do not belong to one heap: one points outside of another; "
                                          "pass what the earlier functions returned for this very heap");
    return status == Status::ok;
}

// What a pass wrote, under the names of its columns.
template <class... Arrays> PyObject* columns_of(Arrays&&... named) {
    ColumnStore store;
    (store.add(named.first, std::move(named.second)), ...);
    return new_columns(std::move(store));
}
template <class T> std::pair<const char*, Array<T>&> named(const char* name, Array<T>& numbers) {
    return {name, numbers};
}

// ------------------------------------------------------------------ reading arguments

bool wrong_length(const char* column, size_t length, size_t expected) {
    PyErr_Format(PyExc_ValueError, "column '%s' has %zu numbers, expected %zu: it belongs to another heap", column,
                 length, expected);
    return false;
}
template <class T> bool numbers_of(const ColumnStore& store, const char* name, size_t length, std::span<const T>* out) {
    if (!column_numbers(store, name, out)) return false;
    return out->size() == length || wrong_length(name, out->size(), length);
}

bool read_types(const ColumnStore& store, Types* types) {
    return column_numbers(store, "type_module", &types->module) && column_numbers(store, "type_name", &types->name) &&
           column_numbers(store, "type_object", &types->object) && column_numbers(store, "type_flags", &types->flags);
}
bool read_texts(const ColumnStore& store, Texts* texts) {
    return column_numbers(store, "text_start", &texts->start) && column_numbers(store, "text_bytes", &texts->bytes);
}

// A heap and what the arguments beside it say of it.
struct HeapArgument {
    Heap heap;
    const ColumnStore* store = nullptr;

    bool read(PyObject* argument) { return heap_argument(argument, &heap, &store); }
    size_t n() const { return heap.object_count(); }
};

struct PathsArgument {
    PathsView view;

    bool read(PyObject* argument, const HeapArgument& heap) {
        const ColumnStore* store = columns_argument(argument, "paths");
        edge_count = heap.heap.target.size();
        return store != nullptr && numbers_of(*store, "state", heap.n(), &view.state) &&
               numbers_of(*store, "parent", heap.n(), &view.parent) && numbers_of(*store, "via", heap.n(), &view.via) &&
               numbers_of(*store, "is_shared", heap.n(), &view.is_shared);
    }
    // Every live object but the root has a parent and an edge, and both exist.
    bool fits() const {
        if (!points_inside(view.parent, view.parent.size()) || !points_inside(view.via, edge_count)) return false;
        bool complete = true;
        for (size_t v = 1; v < view.state.size(); ++v)
            complete &= (view.parent[v] != kNone && view.via[v] != kNone) == (view.state[v] == kLive);
        return complete;
    }

  private:
    size_t edge_count = 0;
};

struct DominatorsArgument {
    std::span<const uint32_t> immediate;
    std::span<const uint64_t> retained;

    bool read(PyObject* argument, const HeapArgument& heap) {
        const ColumnStore* store = columns_argument(argument, "dominators");
        return store != nullptr && numbers_of(*store, "immediate_dominator", heap.n(), &immediate) &&
               numbers_of(*store, "retained_bytes", heap.n(), &retained);
    }
    bool fits() const { return points_inside(immediate, immediate.size()); }
};

struct TablesArgument {
    Types types;
    Texts texts;

    bool read(const ColumnStore& store) {
        if (!read_types(store, &types) || !read_texts(store, &texts)) return false;
        size_t t = types.count();
        if (types.name.size() != t) return wrong_length("type_name", types.name.size(), t);
        if (types.flags.size() != t) return wrong_length("type_flags", types.flags.size(), t);
        return true;
    }
};

struct TreeArgument {
    NodeTreeView view;

    bool read(PyObject* argument, const char* what) {
        const ColumnStore* store = columns_argument(argument, what);
        if (store == nullptr || !column_numbers(*store, "node_parent", &view.parent)) return false;
        size_t k = view.parent.size();
        return numbers_of(*store, "node_label", k, &view.label) && numbers_of(*store, "node_type", k, &view.type) &&
               numbers_of(*store, "node_objects", k, &view.objects) && numbers_of(*store, "node_bytes", k, &view.bytes);
    }
    bool fits(const TablesArgument& tables) const {
        for (size_t node = 0; node < view.count(); ++node)
            if ((node > 0 && view.parent[node] >= node) || view.type[node] >= tables.types.count() ||
                (has_text(kind_of(view.label[node])) && payload_of(view.label[node]) >= tables.texts.count()))
                return false;
        return true;
    }
};

// A buffer of n bytes, open as long as this lives; empty for None.
class FlagsArgument {
  public:
    FlagsArgument() = default;
    FlagsArgument(const FlagsArgument&) = delete;
    FlagsArgument& operator=(const FlagsArgument&) = delete;
    ~FlagsArgument() {
        if (buffer_.obj != nullptr) PyBuffer_Release(&buffer_);
    }
    bool read(PyObject* argument, const char* what, const HeapArgument& heap) {
        return argument == Py_None || read(argument, what, heap.n());
    }
    bool read(PyObject* argument, const char* what, size_t length) {
        if (PyObject_GetBuffer(argument, &buffer_, PyBUF_SIMPLE) < 0) return false;
        view = {static_cast<const uint8_t*>(buffer_.buf), static_cast<size_t>(buffer_.len)};
        if (buffer_.itemsize != 1) {
            PyErr_Format(PyExc_ValueError, "'%s' has numbers of %zd bytes, expected 1", what, buffer_.itemsize);
            return false;
        }
        return view.size() == length || wrong_length(what, view.size(), length);
    }
    std::span<const uint8_t> view;

  private:
    Py_buffer buffer_{};
};

// ------------------------------------------------------------------ the functions

PyObject* py_validate(PyObject*, PyObject* argument) {
    SnapshotView view;
    const ColumnStore* store = columns_argument(argument, "heap");
    if (store == nullptr || !column_numbers(*store, "object_type", &view.heap.type) ||
        !column_numbers(*store, "object_shallow", &view.heap.shallow) ||
        !column_numbers(*store, "object_address", &view.heap.address) ||
        !column_numbers(*store, "object_flags", &view.heap.flags) ||
        !column_numbers(*store, "reference_start", &view.heap.start) ||
        !column_numbers(*store, "reference_target", &view.heap.target) ||
        !column_numbers(*store, "reference_label", &view.heap.label) ||
        !column_numbers(*store, "large_object", &view.heap.large_object) ||
        !column_numbers(*store, "large_bytes", &view.heap.large_bytes) ||
        !column_numbers(*store, "native_held_object", &view.native_held.object) ||
        !column_numbers(*store, "native_held_count", &view.native_held.count) || !read_types(*store, &view.types) ||
        !read_texts(*store, &view.texts))
        return nullptr;
    if (store->find("object_site") != nullptr && (!column_numbers(*store, "object_site", &view.sites.of_object) ||
                                                  !column_numbers(*store, "site_start", &view.sites.start) ||
                                                  !column_numbers(*store, "site_file", &view.sites.file) ||
                                                  !column_numbers(*store, "site_line", &view.sites.line)))
        return nullptr;
    Sentence problem;
    Status status = without_gil([&] { return validate(view, problem); });
    if (status == Status::ok) Py_RETURN_NONE;
    if (status == Status::out_of_memory) return PyErr_NoMemory();
    PyErr_SetString(PyExc_ValueError, problem.data());
    return nullptr;
}

PyObject* py_shortest_paths(PyObject*, PyObject* args, PyObject* kwargs) {
    static const char* names[] = {"heap", "without", nullptr};
    PyObject *heap_object = nullptr, *without_object = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:shortest_paths", const_cast<char**>(names), &heap_object,
                                     &without_object))
        return nullptr;
    HeapArgument heap;
    FlagsArgument without;
    Paths paths;
    if (!heap.read(heap_object) || !without.read(without_object, "without", heap) ||
        !run([&] { return shortest_paths(heap.heap, without.view, paths); }))
        return nullptr;
    return columns_of(named("state", paths.state), named("parent", paths.parent), named("via", paths.via),
                      named("is_shared", paths.is_shared));
}

PyObject* py_dominators(PyObject*, PyObject* args) {
    PyObject *heap_object = nullptr, *paths_object = nullptr;
    if (!PyArg_ParseTuple(args, "OO:dominators", &heap_object, &paths_object)) return nullptr;
    HeapArgument heap;
    PathsArgument paths;
    Dominators result;
    if (!heap.read(heap_object) || !paths.read(paths_object, heap) ||
        !run([&] { return paths.fits() ? dominators(heap.heap, paths.view, result) : Status::malformed; }))
        return nullptr;
    return columns_of(named("immediate_dominator", result.immediate), named("retained_bytes", result.retained));
}

PyObject* py_retained_by_groups(PyObject*, PyObject* args) {
    PyObject *heap_object = nullptr, *group_object = nullptr;
    if (!PyArg_ParseTuple(args, "OO:retained_by_groups", &heap_object, &group_object)) return nullptr;
    HeapArgument heap;
    FlagsArgument group;
    GroupTotals totals;
    Array<uint64_t> bytes, objects;
    if (!heap.read(heap_object) || !group.read(group_object, "group", heap)) return nullptr;
    if (group.view.size() != heap.n()) {
        PyErr_SetString(PyExc_TypeError, "group must be a buffer with one byte for each object, not None");
        return nullptr;
    }
    if (std::any_of(group.view.begin(), group.view.end(), [](uint8_t number) { return number >= kGroups; })) {
        PyErr_SetString(PyExc_ValueError, "'group' has a number of 64 or more, expected 0 for no group or 1 ... 63");
        return nullptr;
    }
    if (!run([&] {
            if (!bytes.resize(kGroups) || !objects.resize(kGroups)) return Status::out_of_memory;
            Status status = retained_by_groups(heap.heap, group.view, totals);
            std::copy(totals.bytes.begin(), totals.bytes.end(), bytes.data());
            std::copy(totals.objects.begin(), totals.objects.end(), objects.data());
            return status;
        }))
        return nullptr;
    return columns_of(named("bytes", bytes), named("objects", objects));
}

PyObject* columns_of_nodes(ColumnStore&& store, NodeTree& nodes) {
    store.add("node_parent", std::move(nodes.parent));
    store.add("node_label", std::move(nodes.label));
    store.add("node_type", std::move(nodes.type));
    store.add("node_objects", std::move(nodes.objects));
    store.add("node_bytes", std::move(nodes.bytes));
    return new_columns(std::move(store));
}

PyObject* py_label_tree(PyObject*, PyObject* args) {
    PyObject *heap_object = nullptr, *paths_object = nullptr;
    if (!PyArg_ParseTuple(args, "OO:label_tree", &heap_object, &paths_object)) return nullptr;
    HeapArgument heap;
    PathsArgument paths;
    TablesArgument tables;
    LabelTree tree;
    if (!heap.read(heap_object) || !paths.read(paths_object, heap) || !tables.read(*heap.store) || !run([&] {
            return paths.fits() ? label_tree(heap.heap, tables.types, tables.texts, paths.view, tree)
                                : Status::malformed;
        }))
        return nullptr;
    ColumnStore store;
    store.add("node_of", std::move(tree.node_of));
    return columns_of_nodes(std::move(store), tree.nodes);
}

PyObject* py_label_growth(PyObject*, PyObject* args) {
    PyObject *base_object = nullptr, *base_tree_object = nullptr, *now_object = nullptr, *now_tree_object = nullptr;
    if (!PyArg_ParseTuple(args, "OOOO:label_growth", &base_object, &base_tree_object, &now_object, &now_tree_object))
        return nullptr;
    HeapArgument base, now;
    TablesArgument base_tables, now_tables;
    TreeArgument base_tree, now_tree;
    LabelGrowth growth;
    if (!base.read(base_object) || !base_tables.read(*base.store) || !base_tree.read(base_tree_object, "base_tree") ||
        !now.read(now_object) || !now_tables.read(*now.store) || !now_tree.read(now_tree_object, "now_tree") ||
        !run([&] {
            Matching matching;
            if (!base_tree.fits(base_tables) || !now_tree.fits(now_tables)) return Status::malformed;
            if (!match_tables(base_tables.types, base_tables.texts, now_tables.types, now_tables.texts, matching))
                return Status::out_of_memory;
            return label_growth(base_tree.view, now_tree.view, matching, growth);
        }))
        return nullptr;
    return columns_of(named("base_node", growth.base_node), named("now_node", growth.now_node),
                      named("objects_base", growth.objects_base), named("objects_now", growth.objects_now),
                      named("bytes_base", growth.bytes_base), named("bytes_now", growth.bytes_now));
}

PyObject* py_type_totals(PyObject*, PyObject* args) {
    PyObject *heap_object = nullptr, *paths_object = nullptr;
    if (!PyArg_ParseTuple(args, "OO:type_totals", &heap_object, &paths_object)) return nullptr;
    HeapArgument heap;
    PathsArgument paths;
    TablesArgument tables;
    TypeTotals totals;
    if (!heap.read(heap_object) || !paths.read(paths_object, heap) || !tables.read(*heap.store) ||
        !run([&] { return type_totals(heap.heap, tables.types.count(), paths.view, totals); }))
        return nullptr;
    return columns_of(named("objects", totals.objects), named("bytes", totals.bytes));
}

PyObject* py_type_retained(PyObject*, PyObject* args) {
    PyObject *heap_object = nullptr, *paths_object = nullptr, *dominators_object = nullptr;
    if (!PyArg_ParseTuple(args, "OOO:type_retained", &heap_object, &paths_object, &dominators_object)) return nullptr;
    HeapArgument heap;
    PathsArgument paths;
    DominatorsArgument tree;
    TablesArgument tables;
    Array<uint64_t> bytes;
    if (!heap.read(heap_object) || !paths.read(paths_object, heap) || !tree.read(dominators_object, heap) ||
        !tables.read(*heap.store) || !run([&] {
            return tree.fits() ? type_retained(heap.heap, tables.types.count(), tree.immediate, tree.retained, bytes)
                               : Status::malformed;
        }))
        return nullptr;
    return columns_of(named("bytes", bytes));
}

PyObject* py_survivors(PyObject*, PyObject* args) {
    PyObject *base_object = nullptr, *base_paths_object = nullptr, *now_object = nullptr, *now_paths_object = nullptr;
    int same_epoch = 0;
    if (!PyArg_ParseTuple(args, "OOOO|p:survivors", &base_object, &base_paths_object, &now_object, &now_paths_object,
                          &same_epoch))
        return nullptr;
    HeapArgument base, now;
    PathsArgument base_paths, now_paths;
    TablesArgument base_tables, now_tables;
    Array<uint8_t> survived;
    Array<uint64_t> recycled;
    if (!base.read(base_object) || !base_paths.read(base_paths_object, base) || !base_tables.read(*base.store) ||
        !now.read(now_object) || !now_paths.read(now_paths_object, now) || !now_tables.read(*now.store) || !run([&] {
            Matching matching;
            if (!match_tables(base_tables.types, base_tables.texts, now_tables.types, now_tables.texts, matching))
                return Status::out_of_memory;
            if (!recycled.resize(1)) return Status::out_of_memory;
            return survivors(base.heap, base_paths.view, now.heap, now_paths.view, matching, same_epoch != 0, survived,
                             recycled[0]);
        }))
        return nullptr;
    return columns_of(named("survived", survived), named("recycled", recycled));
}

PyObject* py_dominator_profile(PyObject*, PyObject* args) {
    PyObject *heap_object = nullptr, *paths_object = nullptr, *dominators_object = nullptr;
    if (!PyArg_ParseTuple(args, "OOO:dominator_profile", &heap_object, &paths_object, &dominators_object))
        return nullptr;
    HeapArgument heap;
    PathsArgument paths;
    DominatorsArgument tree;
    NodeTree nodes;
    if (!heap.read(heap_object) || !paths.read(paths_object, heap) || !tree.read(dominators_object, heap) ||
        !run([&] { return tree.fits() ? dominator_profile(heap.heap, tree.immediate, nodes) : Status::malformed; }))
        return nullptr;
    return columns_of_nodes(ColumnStore{}, nodes);
}

PyObject* py_site_totals(PyObject*, PyObject* args) {
    PyObject *heap_object = nullptr, *paths_object = nullptr;
    if (!PyArg_ParseTuple(args, "OO:site_totals", &heap_object, &paths_object)) return nullptr;
    HeapArgument heap;
    PathsArgument paths;
    std::span<const uint32_t> site_of;
    SiteTotals totals;
    if (!heap.read(heap_object) || !paths.read(paths_object, heap) ||
        !numbers_of(*heap.store, "object_site", heap.n(), &site_of) ||
        !run([&] { return site_totals(heap.heap, site_of, paths.view, totals); }))
        return nullptr;
    return columns_of(named("site", totals.site), named("type", totals.type), named("objects", totals.objects),
                      named("bytes", totals.bytes));
}

PyObject* py_select_types(PyObject*, PyObject* args) {
    PyObject *heap_object = nullptr, *group_object = nullptr;
    if (!PyArg_ParseTuple(args, "OO:select_types", &heap_object, &group_object)) return nullptr;
    HeapArgument heap;
    TablesArgument tables;
    FlagsArgument group_of_type;
    Array<uint8_t> group;
    if (!heap.read(heap_object) || !tables.read(*heap.store) ||
        !group_of_type.read(group_object, "group_of_type", tables.types.count()) ||
        !run([&] { return select_types(heap.heap, group_of_type.view, group); }))
        return nullptr;
    return columns_of(named("group", group));
}

PyObject* py_objects_at(PyObject*, PyObject* args) {
    PyObject *tree_object = nullptr, *wanted_object = nullptr;
    if (!PyArg_ParseTuple(args, "OO:objects_at", &tree_object, &wanted_object)) return nullptr;
    const ColumnStore* tree = columns_argument(tree_object, "tree");
    std::span<const uint32_t> node_of, node_parent;
    FlagsArgument wanted;
    Array<uint32_t> objects;
    if (tree == nullptr || !column_numbers(*tree, "node_of", &node_of) ||
        !column_numbers(*tree, "node_parent", &node_parent) ||
        !wanted.read(wanted_object, "wanted", node_parent.size()) ||
        !run([&] { return objects_at(node_of, wanted.view, objects); }))
        return nullptr;
    return columns_of(named("objects", objects));
}

PyObject* py_children_of(PyObject*, PyObject* args) {
    PyObject* tree_object = nullptr;
    unsigned int node = 0;
    if (!PyArg_ParseTuple(args, "OI:children_of", &tree_object, &node)) return nullptr;
    const ColumnStore* tree = columns_argument(tree_object, "tree");
    std::span<const uint32_t> node_parent;
    Array<uint32_t> children;
    if (tree == nullptr || !column_numbers(*tree, "node_parent", &node_parent) ||
        !run([&] { return children_of(node_parent, node, children); }))
        return nullptr;
    return columns_of(named("nodes", children));
}

PyObject* py_state_totals(PyObject*, PyObject* args) {
    PyObject *heap_object = nullptr, *paths_object = nullptr;
    if (!PyArg_ParseTuple(args, "OO:state_totals", &heap_object, &paths_object)) return nullptr;
    HeapArgument heap;
    PathsArgument paths;
    StateTotals totals;
    if (!heap.read(heap_object) || !paths.read(paths_object, heap) ||
        !run([&] { return state_totals(heap.heap, paths.view, totals); }))
        return nullptr;
    return columns_of(named("objects", totals.objects), named("bytes", totals.bytes));
}

PyCFunction with_keywords(PyObject* (*function)(PyObject*, PyObject*, PyObject*)) {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyMethodDef functions[] = {
    {"validate", guarded<py_validate>, METH_O,
     "validate(heap)\n--\n\nRaise ValueError where the columns do not fit together."},
    {"shortest_paths", with_keywords(guarded_with_keywords<py_shortest_paths>), METH_VARARGS | METH_KEYWORDS,
     "shortest_paths(heap, without=None)\n--\n\nstate, parent, via and is_shared of every object."},
    {"dominators", guarded<py_dominators>, METH_VARARGS,
     "dominators(heap, paths)\n--\n\nimmediate_dominator and retained_bytes of every object."},
    {"retained_by_groups", guarded<py_retained_by_groups>, METH_VARARGS,
     "retained_by_groups(heap, group)\n--\n\nbytes and objects that each of 63 groups retains as a set."},
    {"label_tree", guarded<py_label_tree>, METH_VARARGS,
     "label_tree(heap, paths)\n--\n\nThe chains of all live objects, identities removed."},
    {"label_growth", guarded<py_label_growth>, METH_VARARGS,
     "label_growth(base, base_tree, now, now_tree)\n--\n\nThe nodes of two trees that differ."},
    {"type_totals", guarded<py_type_totals>, METH_VARARGS,
     "type_totals(heap, paths)\n--\n\nobjects and bytes of every type, live ones."},
    {"type_retained", guarded<py_type_retained>, METH_VARARGS,
     "type_retained(heap, paths, dominators)\n--\n\nbytes that every type retains at least."},
    {"survivors", guarded<py_survivors>, METH_VARARGS,
     "survivors(base, base_paths, now, now_paths, same_epoch=False, /)\n--\n\n"
     "survived: 1 for objects that are live in both, 2 where that is proven; recycled: how many are not the same."},
    {"dominator_profile", guarded<py_dominator_profile>, METH_VARARGS,
     "dominator_profile(heap, paths, dominators)\n--\n\nThe dominator tree folded by type."},
    {"site_totals", guarded<py_site_totals>, METH_VARARGS,
     "site_totals(heap, paths)\n--\n\nobjects and bytes by site and type, live ones."},
    {"select_types", guarded<py_select_types>, METH_VARARGS,
     "select_types(heap, group_of_type)\n--\n\ngroup of every object, by the group of its type."},
    {"objects_at", guarded<py_objects_at>, METH_VARARGS,
     "objects_at(tree, wanted)\n--\n\nThe objects of the nodes of a label tree that are marked 1."},
    {"children_of", guarded<py_children_of>, METH_VARARGS,
     "children_of(tree, node)\n--\n\nThe nodes under one node of a tree."},
    {"state_totals", guarded<py_state_totals>, METH_VARARGS,
     "state_totals(heap, paths)\n--\n\nobjects and bytes that are garbage, live and our own."},
    {nullptr, nullptr, 0, nullptr},
};

} // namespace

PyMethodDef* graph_functions() { return functions; }

} // namespace heapdiff
