"""Versions of imported packages: from the names of folders, and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import heapdiff
from heapdiff.capture.packages import package_versions

ROOT = Path(__file__).resolve().parents[2]


def versions(site: Path, *installed: str, code: str = "import json, tea_shop.sub, pots", first: str = "") -> object:
    """What a process says that has these folders of metadata beside three packages."""
    for name in ("tea_shop", "pots", "cups"):
        (site / name).mkdir(parents=True)
        (site / name / "__init__.py").touch()
    (site / "tea_shop" / "sub.py").touch()
    for name in installed:
        (site / name).mkdir()
    script = f"""
import sys
sys.path[:0] = [{str(site)!r}]
{first}
{code}
from heapdiff.capture.packages import package_versions
import json
found = package_versions()
print(json.dumps(None if found is None else {{k: v for k, v in found.items() if k not in {sorted(_OURS)!r}}}))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


_OURS = set(package_versions() or ()) | {"attrs"}


def test_imported_packages_have_their_versions(tmp_path: Path) -> None:
    found = versions(tmp_path / "site-packages", "tea_shop-1.2.dist-info", "pots-3.0rc1-py3.11.egg-info")

    assert found == {"pots": "3.0rc1", "tea-shop": "1.2"}


def test_packages_that_are_not_imported_are_left_out(tmp_path: Path) -> None:
    assert versions(tmp_path / "site-packages", "cups-1.0.dist-info") == {}


def test_a_distribution_may_be_called_after_a_part_of_a_namespace(tmp_path: Path) -> None:
    assert versions(tmp_path / "site-packages", "tea_shop_sub-0.38b0.dist-info") == {"tea-shop-sub": "0.38b0"}


def test_a_distribution_may_have_python_before_its_name(tmp_path: Path) -> None:
    assert versions(tmp_path / "dist-packages", "python_pots-4.6.1.dist-info") == {"python-pots": "4.6.1"}


def test_the_first_folder_on_the_path_wins(tmp_path: Path) -> None:
    later = tmp_path / "later" / "site-packages"
    (later / "pots-1.0.dist-info").mkdir(parents=True)

    found = versions(tmp_path / "site-packages", "pots-2.0.dist-info", first=f"sys.path.append({str(later)!r})")

    assert found == {"pots": "2.0"}


def test_a_folder_that_is_gone_is_passed_over(tmp_path: Path) -> None:
    gone = tmp_path / "gone" / "site-packages"

    assert versions(tmp_path / "site-packages", "pots-2.0.dist-info", first=f"sys.path.append({str(gone)!r})") == {
        "pots": "2.0"
    }


def test_without_a_folder_of_packages_versions_are_unknown(tmp_path: Path) -> None:
    first = f"import {', '.join(['attrs'])}; sys.path[:] = [p for p in sys.path if 'site-packages' not in p]"
    found = versions(tmp_path / "lib", first=f"import heapdiff.capture, tea_shop.sub, pots\n{first}", code="")

    assert found is None


@pytest.mark.parametrize("broken", ["del sys.path", "sys.path = None", "sys.path = ('a', 'b')", "sys.path[:] = [None]"])
def test_a_path_that_a_program_broke_leaves_versions_unknown(broken: str) -> None:
    code = f"import sys, heapdiff; heapdiff.take_census; {broken}; print(heapdiff.take_census().process.packages)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "None"


def test_a_second_snapshot_holds_the_same_object() -> None:
    """Texts of its own would be memory blocks that no object explains."""
    first, second = heapdiff.take_snapshot().process, heapdiff.take_snapshot().process

    assert first.packages is not None
    assert first.packages is second.packages


def test_nothing_is_imported_for_it(tmp_path: Path) -> None:
    code = "import sys, heapdiff; heapdiff.take_snapshot(); print('importlib.metadata' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("folder", ["/a\0b/site-packages", "/\ud800/site-packages"])
def test_a_path_that_no_file_system_takes_is_passed_over(tmp_path: Path, folder: str) -> None:
    first = f"import heapdiff.capture.packages, pots\nsys.path.append({folder!r})"

    assert versions(tmp_path / "site-packages", "pots-2.0.dist-info", first=first, code="") == {"pots": "2.0"}
