"""What the whole library promises: cheap to import, a fixed set of public names, rooms in their order."""

import inspect
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import heapdiff
from tests.conftest import Check

_ROOT = Path(__file__).parents[1]


def _modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=_ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "heavy", ["numpy", "pandas", "pympler", "objgraph", "rich", "asyncio", "http", "socket", "tracemalloc", "logging"]
)
def test_importing_heapdiff_does_not_import(heavy: str) -> None:
    """It is imported in services; what it brings along stays in their memory."""
    assert heavy not in _modules_after("import heapdiff")


@pytest.mark.parametrize("door", ["heapdiff", "heapdiff.integrations.cli.running"])
def test_whoever_only_takes_snapshots_carries_nothing_that_explains_them(door: str) -> None:
    """What is imported is part of the heap that is looked at."""
    rooms = {"heapdiff.graph", "heapdiff.diff", "heapdiff.explain", "heapdiff.report", "heapdiff.pipeline"}

    assert not rooms & _modules_after(f"import {door}")


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'compare_heaps'"):
        heapdiff.compare_heaps  # noqa: B018


def _signature(name: str) -> str:
    """Names and defaults; annotations are written differently by each version of Python."""
    thing = getattr(heapdiff, name)
    if not inspect.isfunction(thing):
        return name
    signature = inspect.signature(thing)
    plain = (
        parameter.replace(
            annotation=inspect.Parameter.empty,
            default=parameter.default if isinstance(parameter.default, int | None | type) else ...,
        )
        for parameter in signature.parameters.values()
    )
    return f"{name}{signature.replace(parameters=list(plain), return_annotation=inspect.Signature.empty)}"


def test_no_public_name_changes_by_accident(golden: Check) -> None:
    """``pytest --update-golden`` after a change on purpose; then tell users in ``changelog.d/``."""
    golden("public_api.txt", "".join(f"{_signature(name)}\n" for name in sorted(heapdiff.__all__)))


def test_every_public_name_says_what_it_is() -> None:
    undocumented = [name for name in heapdiff.__all__ if not inspect.getdoc(getattr(heapdiff, name))]

    assert undocumented == []


def test_imports_go_down_the_list_of_rooms() -> None:
    """The contract is in pyproject.toml; ``make layers`` says more."""
    checker = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    if checker is None:
        pytest.skip("import-linter is not installed here")

    done = subprocess.run([checker, "--no-cache"], cwd=_ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
