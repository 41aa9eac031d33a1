"""A leaking service in its own process, real requests, two snapshots; out comes the report that names the leak."""

import argparse
import contextlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parent.parent
sys.path.insert(0, str(_ROOT))

import heapdiff  # noqa: E402 - the demo runs from the source tree

#: The map that is never cleared, as the report must name it.
CULPRIT = "dedupe_service.dedupe.registry._by_id"

_CONNECTIONS = 4
_WARM_UP_REQUESTS = 800


def main() -> int:
    """0 when the report names the map that is never cleared, 1 when it does not."""
    parser = argparse.ArgumentParser(description="A service leaks; heapdiff says where.")
    parser.add_argument("--requests", type=int, default=4_000, help="between the two snapshots (default: 4000)")
    parser.add_argument("--folder", type=Path, help="where the snapshots stay (default: a temporary folder)")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="heapdiff-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        return _demonstrate(folder, options.requests)


def _demonstrate(folder: Path, request_count: int) -> int:
    with _service(folder) as port:
        _say(f"dedupe_service listens on 127.0.0.1:{port}, in a process of its own")
        _send_orders(port, range(_WARM_UP_REQUESTS))
        _take_snapshot(port, "before")
        started = time.monotonic()
        _send_orders(port, range(_WARM_UP_REQUESTS, _WARM_UP_REQUESTS + request_count))
        _say(f"{request_count:,} orders over {_CONNECTIONS} connections, {time.monotonic() - started:.1f} s")
        _take_snapshot(port, "after")
    _say("heapdiff diff -base before.heap after.heap\n")
    before, after = (heapdiff.read_snapshot(folder / f"{name}.heap") for name in ("before", "after"))
    report = heapdiff.compare(before, after)
    print(report)
    return _judge(json.loads(report.to_json()), request_count)


def _judge(found: dict[str, list[dict[str, list[dict[str, str]]]]], request_count: int) -> int:
    """Whether the first grower is what the service leaks and its holder the map that holds it."""
    holders = [holder["expression"] for grower in found["growers"][:1] for holder in grower["holders"]]
    if CULPRIT in holders:
        _say(f"the report names the map: {CULPRIT} ({request_count:,} requests, none of them forgotten)")
        return 0
    _say(f"the report does not name {CULPRIT}; it names {', '.join(holders) or 'nothing'}")
    return 1


@contextlib.contextmanager
def _service(folder: Path) -> Iterator[int]:
    """The service in its own process; the value is its port."""
    environment = dict(os.environ, DEDUPE_SERVICE_SNAPSHOTS=str(folder))
    environment["PYTHONPATH"] = os.pathsep.join([str(_HERE), str(_ROOT), *filter(None, [os.getenv("PYTHONPATH")])])
    process = subprocess.Popen(
        [sys.executable, "-m", "dedupe_service"], stdout=subprocess.PIPE, env=environment, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise SystemExit("the service has not started; its message is above")
        yield int(line)
    finally:
        process.terminate()
        process.wait()


def _send_orders(port: int, numbers: range) -> None:
    """One order a number, over connections that stay open, each in a thread of its own."""
    failures: list[str] = []

    def send(mine: range) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            for number in mine:
                body = json.dumps({"article": number * 7 % 1_000, "quantity": 1 + number % 5})
                headers = {"X-Request-Id": f"{number:08x}-{port:04x}", "Content-Type": "application/json"}
                connection.request("POST", "/orders", body, headers)
                answer = connection.getresponse()
                answer.read()
                if answer.status != http.HTTPStatus.CREATED:
                    failures.append(f"order {number}: status {answer.status}")
        except OSError as error:
            failures.append(f"the service does not answer: {error}")
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(numbers[place::_CONNECTIONS],)) for place in range(_CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(failures[0])


def _take_snapshot(port: int, name: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", f"/debug/heap/{name}", headers={"Content-Length": "0"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise SystemExit(f"no snapshot: status {answer.status}: {body.decode(errors='replace')}")
    taken = json.loads(body)
    pause = taken["pause_seconds"]
    held = "pause not measured" if pause is None else f"pause {pause * 1e3:.0f} ms"
    _say(f"snapshot {name}.heap: {taken['objects']:,} objects, {held}, {taken['bytes'] / 1e6:.1f} MB")


def _say(text: str) -> None:
    print(f"demo: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
