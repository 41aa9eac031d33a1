"""The names of the living threads, read without running any of their code."""

import sys

__all__ = ["thread_names"]


def thread_names() -> dict[int, str]:
    """From a thread's ident to its name, for the threads that ``threading`` knows.

    A subclass of Thread may compute its name, so only the plain attribute that ``Thread.__init__``
    set is read, and no ``__getattribute__`` of the class is asked.
    """
    threading = sys.modules.get("threading")
    # A program may have put anything in the place of the module, even what runs code when it is asked.
    active = vars(threading).get("_active") if type(threading) is type(sys) else None
    names: dict[int, str] = {}
    if type(active) is not dict:
        return names
    for ident, thread in list(active.items()):
        if type(ident) is not int:
            continue
        name = _plain_attribute(thread, "_name")
        if type(name) is str:
            names[ident] = name.encode("utf-8", "replace").decode()
    return names


def _plain_attribute(thread: object, attribute: str) -> object:
    """The instance's own attribute; None where a class along its bases defines the name itself."""
    for base in type.__dict__["__mro__"].__get__(type(thread)):
        if attribute in type.__dict__["__dict__"].__get__(base):
            return None
    try:
        return object.__getattribute__(thread, attribute)
    except AttributeError:
        return None
