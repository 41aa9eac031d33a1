"""Builds the C++ tests of the graph part without Python, and runs them."""

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not on PATH")
def test_the_graph_part_passes_its_own_tests_without_python(tmp_path: Path) -> None:
    """It is compiled where CMake finds no Python at all, so nothing of Python can be in it."""
    configure = [
        "cmake",
        *("-S", str(SOURCES), "-B", str(tmp_path)),
        *("-DHEAPDIFF_NATIVE_TESTS=ON", "-DHEAPDIFF_WERROR=ON", "-DCMAKE_DISABLE_FIND_PACKAGE_Python=ON"),
    ]
    subprocess.run(configure, check=True, capture_output=True, text=True)
    build = ["cmake", "--build", str(tmp_path), "--target", "native_tests"]
    subprocess.run(build, check=True, capture_output=True, text=True)

    run = subprocess.run([str(tmp_path / "native_tests")], check=False, capture_output=True, text=True)

    assert run.returncode == 0, run.stdout + run.stderr
