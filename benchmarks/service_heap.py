"""A deterministic, mixed "service" heap of a given size, and a leak of which everything is known.

``build(1_000_000)`` makes about that many live objects; ``leak(5_000)`` adds a known number of Sessions through a
known chain: module → ``REGISTRY`` → ``.entries`` → Session → ``.payload`` → blob, items, labels.

The heap is made as a long-running service makes one: records are built, then a share of them is thrown away and
rebuilt in random order, so that neighbours in memory are not always neighbours in the graph. It is the same under one
``PYTHONHASHSEED`` and one Python version.
"""

import collections
import dataclasses
import random
import sys
import threading
import tracemalloc
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

import attrs

__all__ = ["REGISTRY", "LeakTruth", "Session", "build", "instance_bytes", "leak"]


class User:  # an ordinary class, attributes in the instance
    def __init__(self, uid: int, name: str, email: str, tags: list[str], config: dict[str, Any]) -> None:
        self.uid = uid
        self.name = name
        self.email = email
        self.tags = tags  # shared list
        self.config = config  # shared dict
        self.prefs: Any = None
        self.profile: Any = None
        self.account: Any = None
        self.friends: tuple[User, ...] = ()
        self.event: Any = None


@dataclasses.dataclass
class Profile:
    bio: str
    scores: tuple[float, ...]
    flags: set[str]


class Account:
    __slots__ = ("balance", "history", "owner")

    def __init__(self, owner: User, balance: float) -> None:
        self.owner: User | None = owner  # cycle User <-> Account
        self.balance = balance
        self.history: list[Txn] = []


class Txn:
    __slots__ = ("amount", "currency", "ref", "ts")

    def __init__(self, amount: float, currency: str, ts: int, ref: bytes) -> None:
        self.amount = amount
        self.currency = currency
        self.ts = ts
        self.ref = ref


@attrs.define
class Event:  # attrs, slots
    kind: str
    ts: float
    payload: dict[str, Any]


class TreeNode:  # cycle parent <-> child
    def __init__(self, parent: "TreeNode | None", label: str) -> None:
        self.parent = parent
        self.label = label
        self.children: list[TreeNode] = []


class CacheEntry:
    __slots__ = ("expires", "user", "value")

    def __init__(self, value: bytes, expires: float, user: User) -> None:
        self.value = value
        self.expires = expires
        self.user = user


class LinkNode:  # a chain as deep as the heap allows: recursion ends here
    __slots__ = ("next", "value")

    def __init__(self, value: int, following: "LinkNode | None") -> None:
        self.value = value
        self.next = following


class Registry:
    def __init__(self) -> None:
        self.entries: dict[str, Session] = {}


class Session:
    """What leaks; its attributes are the token, a user, a time, the payload, and a list that ten Sessions share."""

    def __init__(self, token: str, user: User, created: float, payload: "Payload", batch: list[Any]) -> None:
        self.token = token
        self.user = user  # shared with the rest of the heap
        self.created = created
        self.payload = payload
        self.batch = batch  # shared by ten Sessions


class Payload:
    __slots__ = ("blob", "items", "labels")

    def __init__(self, blob: bytes, items: list[int], labels: dict[str, str]) -> None:
        self.blob = blob
        self.items = items
        self.labels = labels


class World:
    """The holder of everything that build() makes; ``truth``: instances of each class, exact by construction."""

    users: list[User]
    truth: dict[str, int]
    shared_tags: list[list[str]]
    shared_configs: list[dict[str, Any]]
    by_email: dict[str, User]
    tree: TreeNode
    cache: collections.OrderedDict[str, CacheEntry]
    handlers: list[Callable[[int], int]]
    generators: list[Generator[Any, int, None]]
    coroutines: list[Coroutine[Any, Any, Any]]
    never: "_Never"
    chain: LinkNode | None
    stop: threading.Event
    threads: list[threading.Thread]


@attrs.frozen
class LeakTruth:
    """What leak() added, and what would be freed; bytes are sums of sys.getsizeof."""

    session_count: int
    count_by_type: dict[str, int]  # by plain name, up to a handful
    object_count: int
    tracked_count: int  # of those the collector tracks
    single_retained_bytes: int  # sum over the Sessions of what is freed if only that one goes
    set_retained_bytes: int  # freed if every Session goes at once
    registry_retained_bytes: int  # freed if the Registry goes


WORLD: World | None = None
REGISTRY = Registry()

_CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY")
_KINDS = ("login", "logout", "purchase", "refund", "view")
_PREFERENCE_KEYS = ("theme", "lang", "tz", "digest", "volume", "zoom")
_OBJECTS_PER_USER = 54.9  # measured: live objects of one user record, all included
_CHURN = 0.3  # share of the records that are thrown away and rebuilt
_THREADS = 8
_SETTLED = 64  # instances after which CPython sizes the attributes of a class for those it has


def build(object_count: int, seed: int = 1) -> World:
    """About *object_count* live objects, held by the World that is returned and by ``WORLD``."""
    global WORLD  # noqa: PLW0603 - a service keeps its state in a module
    rnd = random.Random(seed)
    world = World()
    link_count = min(100_000, object_count // 10)
    user_count = max(20, int((object_count - 2 * link_count) / _OBJECTS_PER_USER))
    world.shared_tags = [[f"tag{i}-{j}" for j in range(6)] for i in range(max(4, user_count // 200))]
    world.shared_configs = [
        {
            "name": f"cfg{i}",
            "limits": {"rps": 300 + i, "burst": 5000 + i},
            "hosts": [f"h{i}-{j}" for j in range(4)],
        }
        for i in range(max(4, user_count // 100))
    ]
    world.users = [_make_user(rnd, i, world) for i in range(user_count)]
    world.by_email = {user.email: user for user in world.users}
    world.tree = _make_tree(rnd, 2 * user_count)
    _fill_cache(rnd, world)
    _start_suspended(rnd, world)
    world.chain = _make_chain(link_count)
    _age(rnd, world)
    for user in world.users:  # links across records: much of the graph becomes one strongly connected lump
        user.friends = (_any(rnd, world.users), _any(rnd, world.users))
    _start_threads(world)
    world.truth = {
        "User": user_count,
        "Profile": user_count,
        "Account": user_count,
        "Txn": 3 * user_count,
        "Event": user_count,
        "TreeNode": 2 * user_count + 1,
        "CacheEntry": 2 * user_count,
        "LinkNode": link_count,
        "Registry": 1,
        "World": 1,
        "_Never": 1,
    }
    WORLD = world
    return world


def leak(count: int, seed: int = 2) -> LeakTruth:
    """Adds *count* Sessions through ``REGISTRY.entries`` and says exactly what was added.

    The bytes are sums of ``sys.getsizeof``, which leaves out the attributes of a Session: ``instance_bytes()``
    gives what one really takes.
    """
    if WORLD is None:
        raise ValueError("leak() adds to the heap of build(); call that first")
    _settle_session()
    rnd = random.Random(seed)
    users, entries, size = WORLD.users, REGISTRY.entries, sys.getsizeof
    single = batches = tokens = batch_count = 0
    batch: list[Any] = []
    for i in range(count):
        if i % 10 == 0:
            batch = []
            batch_count += 1
        token = f"session-{i}-{rnd.randrange(1 << 60):x}"
        blob = rnd.randbytes(200)
        items = [rnd.randrange(1 << 40, 1 << 50) for _ in range(4)]
        value = f"label {i} {rnd.randrange(1 << 30)}"
        labels = {"kind": value}
        payload = Payload(blob, items, labels)
        session = Session(token, _any(rnd, users), 1.7e9 + rnd.random(), payload, batch)
        entries[token] = session
        single += size(session) + size(payload) + size(blob) + size(items) + sum(map(size, items))
        single += size(labels) + size(value) + size(session.created)
        tokens += size(token)
        if i % 10 == 9 or i == count - 1:
            batches += size(batch)
    by_type = {"Session": count, "Payload": count, "str": 2 * count, "float": count, "bytes": count}
    by_type |= {"int": 4 * count, "list": count + batch_count, "dict": count}
    return LeakTruth(
        session_count=count,
        count_by_type=by_type,
        object_count=12 * count + batch_count,
        tracked_count=3 * count + batch_count,
        single_retained_bytes=single,
        set_retained_bytes=single + batches,
        registry_retained_bytes=single + batches + tokens + size(entries) + size(REGISTRY),
    )


def instance_bytes() -> int:
    """Bytes CPython asks its allocators for to make one Session, the block of its attributes included.

    ``sys.getsizeof`` knows the body only: the attributes lie in a block beside it (3.11, 3.12) or behind it (3.13).
    tracemalloc counts every request exactly, so some Sessions are made while it traces.
    """
    _settle_session()
    tracing = tracemalloc.is_tracing()
    if not tracing:
        tracemalloc.start(1)
    arguments: tuple[Any, ...] = ("", None, 0.0, None, [])
    made: list[Any] = [None] * 200  # small numbers index it: they are not allocated
    before = tracemalloc.get_traced_memory()[0]
    for i in range(len(made)):
        made[i] = Session(*arguments)
    after = tracemalloc.get_traced_memory()[0]
    if not tracing:
        tracemalloc.stop()
    return (after - before) // len(made)  # what else was made in between is less than a byte for each


def _any(rnd: random.Random, users: list[User]) -> User:
    return users[rnd.randrange(len(users))]


def _make_user(rnd: random.Random, i: int, world: World) -> User:
    tags, configs = world.shared_tags, world.shared_configs
    user = User(
        10_000 + i,
        f"user {i}",
        f"user{i}@host{rnd.randrange(997)}.example",
        tags[rnd.randrange(len(tags))],
        configs[rnd.randrange(len(configs))],
    )
    user.prefs = {
        k: (f"{k}-{rnd.randrange(1 << 30)}" if rnd.random() < 0.5 else rnd.randrange(1000, 1 << 30))
        for k in _PREFERENCE_KEYS[: 3 + i % 3]
    }
    user.profile = Profile(
        "bio of %d " % i + "x" * rnd.randrange(10, 120),  # noqa: UP031 - as the heap was first measured
        (rnd.random(), rnd.random(), rnd.random()),
        {_KINDS[i % 5], _CURRENCIES[i % 5]},
    )
    account = user.account = Account(user, rnd.random() * 1e4)
    for _ in range(3):
        amount, currency = rnd.random() * 100, _CURRENCIES[rnd.randrange(5)]
        account.history.append(Txn(amount, currency, 1_600_000_000 + rnd.randrange(1 << 26), rnd.randbytes(12)))
    kind, moment = _KINDS[rnd.randrange(5)], 1.6e9 + rnd.random()
    user.event = Event(kind, moment, {"page": f"/p/{rnd.randrange(1 << 20)}", "ms": rnd.randrange(300, 1 << 20)})
    return user


def _make_tree(rnd: random.Random, node_count: int) -> TreeNode:
    nodes = [TreeNode(None, "root")]
    for i in range(node_count):
        parent = nodes[rnd.randrange(len(nodes))]
        child = TreeNode(parent, f"node {i}")
        parent.children.append(child)
        nodes.append(child)
    return nodes[0]


def _cache_entry(rnd: random.Random, world: World) -> CacheEntry:
    return CacheEntry(rnd.randbytes(rnd.randrange(20, 400)), 1.7e9 + rnd.random(), _any(rnd, world.users))


def _fill_cache(rnd: random.Random, world: World) -> None:
    world.cache = collections.OrderedDict()
    for i in range(2 * len(world.users)):
        world.cache[f"GET /item/{i}?v={rnd.randrange(1 << 30)}"] = _cache_entry(rnd, world)


def _handler(user: User, threshold: int) -> Callable[[int], int]:
    def handle(number: int) -> int:
        return user.uid + threshold + number

    return handle


def _generator(start: int, buffer: list[Any]) -> Generator[Any, int, None]:
    total = start
    while True:
        total += yield (total, buffer)


class _Never(Awaitable[None]):
    def __await__(self) -> Generator[Any, None, None]:
        yield self


async def _coroutine(user: User, token: str, never: _Never) -> list[Any]:
    scratch = [token, user.uid]
    await never
    return scratch


def _start_suspended(rnd: random.Random, world: World) -> None:
    user_count = len(world.users)
    world.handlers = [_handler(_any(rnd, world.users), 1000 + i) for i in range(user_count // 2)]
    world.generators = []
    for i in range(user_count // 5):
        generator = _generator(1000 + i, [i + 1000, f"buf{i}"])
        next(generator)
        world.generators.append(generator)
    world.never = _Never()
    _start_coroutines(rnd, world)


def _start_coroutines(rnd: random.Random, world: World) -> None:
    world.coroutines = []
    for i in range(len(world.users) // 10):
        coroutine = _coroutine(_any(rnd, world.users), f"tok{i}", world.never)
        coroutine.send(None)
        world.coroutines.append(coroutine)


def _make_chain(link_count: int) -> LinkNode | None:
    head = None
    for i in range(link_count):
        head = LinkNode(1_000_000 + i, head)
    return head


def _age(rnd: random.Random, world: World) -> None:
    """Throws away and rebuilds records in random order, in two rounds; nobody of the old generation stays held."""
    users, cache = world.users, world.cache
    for _ in range(2):
        for _ in range(int(len(users) * _CHURN / 2)):
            i = rnd.randrange(len(users))
            old, new = users[i], _make_user(rnd, i, world)
            del world.by_email[old.email]
            world.by_email[new.email] = new
            users[i] = new
            old.account.owner = None
        for _ in range(int(len(users) * _CHURN)):
            cache.popitem(last=False)
            entry = _cache_entry(rnd, world)
            cache[f"GET /item/{rnd.randrange(1 << 40)}/{rnd.randrange(1 << 40)}"] = entry
        keys = list(cache)
        for _ in range(len(users) // 2):  # touch, as a cache of the least recently used does
            cache.move_to_end(keys[rnd.randrange(len(keys))])
        del keys
    for entry in cache.values():
        entry.user = _any(rnd, users)
    world.handlers = [_handler(_any(rnd, users), 1000 + i) for i in range(len(users) // 2)]
    for coroutine in world.coroutines:
        coroutine.close()
    _start_coroutines(rnd, world)


def _thread_body(row_count: int, seed: int, ready: threading.Semaphore, stop: threading.Event) -> Any:
    rnd = random.Random(seed)
    local_rows = [{"row": f"r{seed}-{i}", "value": rnd.random()} for i in range(row_count)]
    local_index = {row["row"]: row for row in local_rows}
    ready.release()
    stop.wait()
    return local_rows, local_index


def _start_threads(world: World) -> None:
    ready, world.stop = threading.Semaphore(0), threading.Event()
    world.threads = []
    row_count = max(10, len(world.users) // 400)
    for k in range(_THREADS):
        thread = threading.Thread(target=_thread_body, args=(row_count, 100 + k, ready, world.stop), daemon=True)
        thread.start()
        world.threads.append(thread)
    for _ in range(_THREADS):
        ready.acquire()


def _settle_session() -> None:
    """Makes and drops Sessions: CPython reserves room for 30 attributes in the first instances of a class."""
    arguments: tuple[Any, ...] = ("", None, 0.0, None, [])
    for _ in range(_SETTLED):
        Session(*arguments)
