#include "cpython/known_places.hpp"

#include "cpython/versions.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace heapdiff {
namespace {

// Sorted by type, for the search; offsets are those behind a head of 16 bytes. The structs are in no header but in the
// .c file of each type, such as _asynciomodule.c (FutureObj_HEAD, TaskObj), itertoolsmodule.c, textio.c,
// _threadmodule.c and descrobject.c.
constexpr KnownPlace kPlaces[] = {
    {"TaskStepMethWrapper", 16, "task"}, // until 3.11
    {"_abc._abc_data", 16, "_abc_registry"},
    {"_abc._abc_data", 24, "_abc_cache"},
    {"_abc._abc_data", 32, "_abc_negative_cache"},
    {"_asyncio.Future", 16, "_loop"},
    {"_asyncio.Future", 24, "first callback"},
    {"_asyncio.Future", 32, "context of the first callback"},
    {"_asyncio.Future", 40, "_callbacks"},
    {"_asyncio.Future", 48, "_exception"},
    {"_asyncio.Future", 56, "traceback of the exception"},
    {"_asyncio.Future", 64, "_result"},
    {"_asyncio.Future", 72, "_source_traceback"},
    {"_asyncio.Future", 80, "_cancel_message"},
    {"_asyncio.Future", 96, "_asyncio_awaited_by"}, // from 3.14 on
    {"_asyncio.FutureIter", 16, "future"},
    {"_asyncio.Task", 16, "_loop"},
    {"_asyncio.Task", 24, "first callback"},
    {"_asyncio.Task", 32, "context of the first callback"},
    {"_asyncio.Task", 40, "_callbacks"},
    {"_asyncio.Task", 48, "_exception"},
    {"_asyncio.Task", 56, "traceback of the exception"},
    {"_asyncio.Task", 64, "_result"},
    {"_asyncio.Task", 72, "_source_traceback"},
    {"_asyncio.Task", 80, "_cancel_message"},
    {"_asyncio.Task", 96, "_asyncio_awaited_by"}, // from 3.14 on
    {"_asyncio.Task", cpython::kTaskWaiterOffset, "_fut_waiter"},
    {"_asyncio.Task", cpython::kTaskCoroutineOffset, "_coro"},
    {"_asyncio.Task", cpython::kTaskNameOffset, "name"},
    {"_asyncio.Task", cpython::kTaskContextOffset, "context"},
    {"_asyncio.TaskStepMethWrapper", 16, "task"},
    {"_collections._deque_iterator", 32, "deque"},
    {"_contextvars.ContextVar", 16, "name"},
    {"_contextvars.ContextVar", 24, "default"},
    {"_contextvars.Token", 16, "context"},
    {"_contextvars.Token", 24, "var"},
    {"_contextvars.Token", 32, "old value"},
    {"_csv.reader", 16, "input"},
    {"_csv.reader", 24, "dialect"},
    {"_csv.reader", 32, "fields"},
    {"_io.IncrementalNewlineDecoder", 16, "decoder"},
    {"_io.IncrementalNewlineDecoder", 24, "errors"},
    {"_io.TextIOWrapper", 32, "buffer"},
    {"_io.TextIOWrapper", 40, "encoding"},
    {"_io.TextIOWrapper", 48, "encoder"},
    {"_io.TextIOWrapper", 56, "decoder"},
    {"_io.TextIOWrapper", 64, "newline"},
    {"_io.TextIOWrapper", 72, "errors"},
    {"_io.TextIOWrapper", 120, "decoded text"},
    {"_io.TextIOWrapper", 136, "pending text"},
    {"_io.TextIOWrapper", 152, "state of the decoder"},
    {"_io.TextIOWrapper", 168, "raw"},
    {"_queue.SimpleQueue", 32, "items"},
    {"_struct.Struct", 40, "format"},
    {"_thread._local", cpython::kLocalArgumentsOffset, "arguments"},
    {"_thread._local", cpython::kLocalArgumentsOffset + 8, "keyword arguments"},
    {"_thread._local", cpython::kLocalTablesOffset, "attributes by thread"},
    {"_thread._local", cpython::kLocalTablesOffset + 8, "watchers of threads"}, // from 3.13 on
    {"async_generator_asend", 16, "async generator"},
    {"builtin_method", 56, "class"},
    {"bytes_iterator", 24, "bytes"},
    {"callable_iterator", 16, "callable"},
    {"callable_iterator", 24, "sentinel"},
    {"collections._deque_iterator", 32, "deque"}, // from 3.12 on
    {"coroutine_wrapper", 16, "coroutine"},
    {"decimal.Context", 64, "traps"},
    {"decimal.Context", 72, "flags"},
    {"dict_itemiterator", 16, "dict"},
    {"dict_itemiterator", 40, "result"},
    {"dict_items", 16, "mapping"},
    {"dict_keyiterator", 16, "dict"},
    {"dict_keys", 16, "mapping"},
    {"dict_reverseitemiterator", 16, "dict"},
    {"dict_reversekeyiterator", 16, "dict"},
    {"dict_reversevalueiterator", 16, "dict"},
    {"dict_valueiterator", 16, "dict"},
    {"dict_values", 16, "mapping"},
    {"enumerate", 24, "iterator"},
    {"enumerate", 32, "result"},
    {"enumerate", 40, "count"},
    {"filter", 16, "function"},
    {"filter", 24, "iterator"},
    {"iterator", 24, "sequence"},
    {"itertools._grouper", 16, "groupby"},
    {"itertools._grouper", 24, "key"},
    {"itertools._tee", 16, "data"},
    {"itertools._tee_dataobject", 16, "iterator"},
    {"itertools.accumulate", 16, "total"},
    {"itertools.accumulate", 24, "iterator"},
    {"itertools.accumulate", 32, "function"},
    {"itertools.accumulate", 40, "initial"},
    {"itertools.chain", 16, "iterators"},
    {"itertools.chain", 24, "iterator"},
    {"itertools.combinations", 16, "pool"},
    {"itertools.combinations_with_replacement", 16, "pool"},
    {"itertools.compress", 16, "iterator"},
    {"itertools.compress", 24, "selectors"},
    {"itertools.count", 24, "count"},
    {"itertools.count", 32, "step"},
    {"itertools.cycle", 16, "iterator"},
    {"itertools.cycle", 24, "saved"},
    {"itertools.dropwhile", 16, "function"},
    {"itertools.dropwhile", 24, "iterator"},
    {"itertools.filterfalse", 16, "function"},
    {"itertools.filterfalse", 24, "iterator"},
    {"itertools.groupby", 16, "iterator"},
    {"itertools.groupby", 24, "keyfunc"},
    {"itertools.groupby", 32, "key of the group"},
    {"itertools.groupby", 40, "current key"},
    {"itertools.groupby", 48, "current value"},
    {"itertools.islice", 16, "iterator"},
    {"itertools.pairwise", 16, "iterator"},
    {"itertools.pairwise", 24, "before"},
    {"itertools.pairwise", 32, "result"},
    {"itertools.permutations", 16, "pool"},
    {"itertools.product", 16, "pools"},
    {"itertools.repeat", 16, "element"},
    {"itertools.starmap", 16, "function"},
    {"itertools.starmap", 24, "iterator"},
    {"itertools.takewhile", 16, "function"},
    {"itertools.takewhile", 24, "iterator"},
    {"itertools.zip_longest", 32, "iterators"},
    {"itertools.zip_longest", 40, "result"},
    {"itertools.zip_longest", 48, "fillvalue"},
    {"list_iterator", 24, "list"},
    {"list_reverseiterator", 24, "list"},
    {"map", 16, "iterators"},
    {"map", 24, "function"},
    {"mappingproxy", 16, "mapping"},
    {"method-wrapper", 16, "descriptor"},
    {"method-wrapper", 24, "__self__"},
    {"odict_iterator", 24, "mapping"},
    {"odict_iterator", 48, "current key"},
    {"operator.attrgetter", 24, "attributes"},
    {"operator.itemgetter", 24, "item"},
    {"operator.methodcaller", 16, "name"},
    {"operator.methodcaller", 24, "arguments"},
    {"operator.methodcaller", 32, "keyword arguments"},
    {"operator.methodcaller", 40, "arguments of the call"},      // from 3.14 on an object
    {"operator.methodcaller", 48, "names of keyword arguments"}, // likewise
    {"property", 40, "__doc__"},
    {"property", 48, "__name__"},
    {"re.Match", 24, "string"},
    {"re.Match", 40, "re"},
    {"re.Pattern", 32, "groupindex"},
    {"re.Pattern", 40, "group names"},
    {"re.Pattern", 48, "pattern"},
    {"reversed", 24, "sequence"},
    {"set_iterator", 16, "set"},
    {"str_ascii_iterator", 24, "str"},
    {"str_iterator", 24, "str"},
    {"tuple_iterator", 24, "tuple"},
    {"types.GenericAlias", 32, "__parameters__"},
    {"zip", 24, "iterators"},
    {"zip", 32, "result"},
};

struct ByType {
    bool operator()(const KnownPlace& place, const char* name) const { return std::strcmp(place.type, name) < 0; }
    bool operator()(const char* name, const KnownPlace& place) const { return std::strcmp(name, place.type) < 0; }
};

} // namespace

std::span<const KnownPlace> known_places(const char* type_name) noexcept {
    auto [first, last] = std::equal_range(std::begin(kPlaces), std::end(kPlaces), type_name, ByType{});
    return {first, last};
}

} // namespace heapdiff
