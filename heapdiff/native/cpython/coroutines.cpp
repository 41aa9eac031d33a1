// Coroutines by the function they run, tasks by the part of their name that stands in the program.
#include "cpython/walk.hpp"

#include <algorithm>
#include <bitset>
#include <string>
#include <unordered_set>

namespace heapdiff {

using namespace cpython;

namespace {

constexpr size_t kLongestName = 80;

// Such as "app.poll()"; empty where it has ended or is no coroutine of Python code.
std::string function_of(PyObject* coroutine) {
    if (!PyCoro_CheckExact(coroutine) && !PyGen_CheckExact(coroutine) && !PyAsyncGen_CheckExact(coroutine)) return {};
    if (is_frame_cleared(coroutine)) return {};
    const InterpreterFrame* frame = generator_frame(coroutine);
    PyCodeObject* code = frame_code(frame);
    if (code == nullptr) return {};
    char room[TextPool::kLongest];
    PyObject* module = frame_module(frame);
    std::string name;
    if (module != nullptr && PyUnicode_CheckExact(module)) name = std::string(utf8_of(module, room, sizeof room)) + ".";
    return name + std::string(utf8_of(code->co_qualname, room, sizeof room)) + "()";
}

// asyncio's own: they tell one task from another and nothing else.
bool is_given_by_asyncio(std::string_view name) {
    constexpr std::string_view kPrefix = "Task-";
    return name.starts_with(kPrefix) &&
           std::all_of(name.begin() + kPrefix.size(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view plain_text(PyObject* object) {
    return {static_cast<const char*>(PyUnicode_DATA(object)), static_cast<size_t>(PyUnicode_GET_LENGTH(object))};
}
// Short, in one line, and of characters that show.
bool is_plain_text(PyObject* object) {
    if (!PyUnicode_CheckExact(object) || !PyUnicode_IS_COMPACT_ASCII(object) || is_legacy_text(object)) return false;
    std::string_view text = plain_text(object);
    return text.size() <= kLongestName &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool is_word(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The part of a name that is written. A literal of the program is written in full; of "poller-3", which the program
// put together from a literal and a value, "poller-…"; of anything else nothing, for it may be anybody's data.
std::string part_in_program(std::string_view name, const std::unordered_set<std::string_view>& literals) {
    constexpr size_t kShortest = 2;
    if (literals.contains(name)) return std::string(name);
    for (size_t length = name.size() - 1; length >= kShortest && length < name.size(); --length) {
        bool is_whole_word = !is_word(name[length - 1]) || (is_digit(name[length]) && !is_digit(name[length - 1]));
        if (is_whole_word && literals.contains(name.substr(0, length)))
            return std::string(name.substr(0, length)) + "…";
    }
    return {};
}

} // namespace

uint32_t Walker::coroutine_label(PyObject* coroutine, const char* before, std::string_view after) noexcept {
    uint32_t text = TextPool::kNoText;
    try {
        std::string name = function_of(coroutine);
        text = heap_.texts.intern(std::string(before) + (name.empty() ? "" : " ") + name + std::string(after));
    } catch (const std::bad_alloc&) {
    }
    ok_ &= text != TextPool::kNoText;
    return make_label(LabelKind::internal, text);
}

void Walker::name_coroutine(PyObject* task, size_t first) noexcept {
    auto field = [task](Py_ssize_t offset) {
        return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(task) + kHeadShift + offset);
    };
    PyObject* coroutine = field(kTaskCoroutineOffset);
    PyObject* name = field(kTaskNameOffset);
    uint32_t label = make_label(LabelKind::attribute, heap_.texts.intern("_coro"));
    for (size_t i = first; i < heap_.target.size(); ++i) {
        if (heap_.target[i] != reinterpret_cast<uint64_t>(coroutine) || heap_.label[i] != label) continue;
        heap_.label[i] = coroutine_label(coroutine, "coroutine", {});
        if (name == nullptr || !is_plain_text(name) || is_given_by_asyncio(plain_text(name))) return;
        try {
            named_tasks_.push_back({i, coroutine, name});
        } catch (const std::bad_alloc&) {
            ok_ = false;
        }
        return;
    }
}

// The literals are looked for only where some task has a name of its own.
void Walker::name_tasks() {
    if (named_tasks_.empty() || !ok_) return;
    std::bitset<128> beginnings; // of the names: few literals share one, and the others need no place in the set
    for (const NamedTask& task : named_tasks_)
        if (std::string_view name = plain_text(task.name); !name.empty()) beginnings.set(static_cast<size_t>(name[0]));
    std::unordered_set<std::string_view> literals;
    uint32_t code_row = heap_.types.known_row(&PyCode_Type);
    for (size_t i = 0; i < heap_.type.size(); ++i) {
        if (heap_.type[i] != code_row) continue;
        PyObject* constants = reinterpret_cast<PyCodeObject*>(heap_.object[i])->co_consts;
        for (Py_ssize_t j = 0; constants != nullptr && j < PyTuple_GET_SIZE(constants); ++j) {
            PyObject* constant = PyTuple_GET_ITEM(constants, j);
            if (!is_plain_text(constant)) continue;
            std::string_view literal = plain_text(constant);
            if (!literal.empty() && beginnings.test(static_cast<size_t>(literal[0]))) literals.insert(literal);
        }
    }
    for (const NamedTask& task : named_tasks_) {
        std::string part = part_in_program(plain_text(task.name), literals);
        if (!part.empty())
            heap_.label[task.reference] = coroutine_label(task.coroutine, "coroutine", ", task \"" + part + "\"");
    }
}

} // namespace heapdiff
