"""What a reference is called: a label is 5 bits of kind and 27 bits of payload."""

import enum

__all__ = ["PAYLOAD_BITS", "PAYLOAD_MASK", "LabelKind", "kind_of", "make_label", "payload_of"]

PAYLOAD_BITS = 27
PAYLOAD_MASK = (1 << PAYLOAD_BITS) - 1


class LabelKind(enum.IntEnum):
    """The kinds of reference, as in ``native/graph/heap.hpp``; the comment says what the payload is."""

    FIELD = 0  # number: the n-th reference a C type reports, without a name
    ATTRIBUTE = 1  # text: .name
    KEY = 2  # text: ['name'], the value under an identifier
    KEY_OF_TYPE = 3  # text, a type name: [<str>], the value under a key that is data
    KEY_OBJECT = 4  # nothing: a key of a dict
    ELEMENT = 5  # number: [7]
    MEMBER = 6  # nothing: an element of a set
    DICT = 7  # nothing: the namespace of an instance, module or class
    CELL = 8  # text: a closure variable
    LOCAL = 9  # text: a local variable of a suspended generator or a kept frame
    STACK = 10  # number: a slot of an evaluation stack
    TYPE = 11  # nothing: an object's class
    INTERNAL = 12  # text: innards of functions, code, types
    WEAK = 13  # nothing: does not hold
    WEAK_CALLBACK = 14  # nothing
    CACHE_ENTRY = 15  # nothing: what a functools.lru_cache keeps
    ROOT_MODULE = 16  # text: its name in sys.modules
    ROOT_LOCAL = 17  # text: "app.web.handle() buffer, thread MainThread"
    ROOT_THREAD = 18  # text: "context, thread MainThread"
    ROOT_INTERPRETER = 19  # text: the field of the interpreter state
    ROOT_STATIC_TYPE = 20  # text: the type's name
    ROOT_IMMORTAL = 21  # nothing
    ROOT_NATIVE = 22  # text: where in native code the reference was found, or empty
    ROOT_OWN = 23  # nothing: heapdiff's own frames; does not hold
    ROOT_MACHINERY = 24  # text: a module that refers to everything (sys, builtins, importlib, ...)
    ROOT_EVENT_LOOP = 25  # text: "asyncio, thread MainThread"

    @property
    def is_root(self) -> bool:
        """Whether such a reference starts at the virtual root."""
        return self >= LabelKind.ROOT_MODULE

    @property
    def has_text(self) -> bool:
        """Whether the payload is the number of a text."""
        return self in _WITH_TEXT


_WITH_TEXT = frozenset(
    {
        LabelKind.ATTRIBUTE,
        LabelKind.KEY,
        LabelKind.KEY_OF_TYPE,
        LabelKind.CELL,
        LabelKind.LOCAL,
        LabelKind.INTERNAL,
        LabelKind.ROOT_MODULE,
        LabelKind.ROOT_LOCAL,
        LabelKind.ROOT_THREAD,
        LabelKind.ROOT_INTERPRETER,
        LabelKind.ROOT_STATIC_TYPE,
        LabelKind.ROOT_NATIVE,
        LabelKind.ROOT_MACHINERY,
        LabelKind.ROOT_EVENT_LOOP,
    }
)


def kind_of(label: int) -> LabelKind:
    """The kind of a label."""
    return LabelKind(label >> PAYLOAD_BITS)


def payload_of(label: int) -> int:
    """The payload of a label: a text number or a plain number, by its kind."""
    return label & PAYLOAD_MASK


def make_label(kind: LabelKind, payload: int = 0) -> int:
    """The label of that kind and payload; a payload of 27 bits at most."""
    return int(kind) << PAYLOAD_BITS | payload
