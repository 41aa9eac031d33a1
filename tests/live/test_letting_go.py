"""What a report says would be freed is freed: the named references are taken away in a living process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# tracemalloc is the witness: it counts what the allocator was asked for, and knows nothing of heapdiff.
PROGRAM = """
import gc, json, sys, tracemalloc
from heapdiff import compare, take_snapshot

tracemalloc.start()

class Session:
    def __init__(self, number):
        self.name = "session " + str(number)
        self.data = bytearray(300)

class Registry:
    def __init__(self):
        self.sessions = {}
        self.by_name = {}
        self.audit = []

registry = Registry()

def work(first, last):
    for number in range(first, last):
        session = Session(number)
        registry.sessions[float(number)] = session  # an int is allocated with a digit more than it has
        registry.by_name[session.name] = session
        registry.audit.append((session, bytes(100)))

def freed_by(names):
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for name in names:
        setattr(registry, name, None)
    gc.collect()
    return before - tracemalloc.get_traced_memory()[0]

work(0, 100)
base = take_snapshot(sites=False)
work(100, 5100)
report = compare(base, take_snapshot(sites=False))
growers = [g for g in report.explanation.growers if g.type_name.endswith("Session")]
holders = {h.expression.rpartition(".")[2]: h for h in growers[0].holders}
said = {name: [h.joint, h.exclusive_bytes, h.share_bytes] for name, h in holders.items()}
del report, growers, holders, base
order = json.loads(sys.argv[1])
freed = [freed_by([name]) for name in order]
print(json.dumps({"said": said, "freed": freed}))
"""


@pytest.mark.parametrize(
    "order",
    [["sessions", "by_name", "audit"], ["audit", "by_name", "sessions"], ["by_name", "sessions", "audit"]],
)
def test_letting_go_of_the_joint_holders_frees_what_the_report_says(order: list[str]) -> None:
    """Each alone frees its own, and the last one what all of them kept alive together; within one percent."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(order)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    said, freed = answer["said"], answer["freed"]

    assert {name: joint for name, (joint, _, _) in said.items()} == dict.fromkeys(order, True)
    assert freed[0] == pytest.approx(said[order[0]][1], rel=0.01)
    assert sum(freed) == pytest.approx(sum(share for _, _, share in said.values()), rel=0.01)
