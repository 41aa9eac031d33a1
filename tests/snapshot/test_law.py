"""The law, with files in between: heapdiff leaves nothing behind in the process that it looks at."""

import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import collections.abc, sys, types
import heapdiff

# As frameworks have them: abstract classes derived from Mapping, each of which has a cache of its own.
kinds = [types.new_class(f"Kind{n}", (collections.abc.Mapping,)) for n in range(50)]

def written(name):
    snapshot = heapdiff.take_snapshot()
    heapdiff.write_snapshot(snapshot, f"{sys.argv[1]}/{name}.heap")
    return snapshot

before, after = written("before"), written("after")
growers = heapdiff.compare(before, after, growers=1000).growers
print([grower.type_name for grower in growers if grower.type_name != "str"])
"""


def test_writing_a_snapshot_grows_nothing(tmp_path: Path) -> None:
    """A handful of names apart, which the interpreter's C code makes when it needs them first."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, tmp_path],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("[]\n", "")
