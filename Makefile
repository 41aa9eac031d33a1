# Everything a developer runs. Each Python has an environment of its own, .venv-311 and so on; a fresh machine
# needs git, make, a C++20 compiler and Python 3.11 or newer with its headers, the rest is fetched.
#
#   make demo    a service leaks, heapdiff says where          make test       the whole suite on $(PYTHON)
#   make check   every linter                                  make test-all   the same on 3.11 to 3.14
#   make bench   the benchmarks                                make sanitize   the suite under ASan and UBSan
#   make prey    CPython's own tests with snapshots between    make format     what the formatters can mend
PYTHON ?= python3
TAG := $(shell $(PYTHON) -c "import sys; print('%d%d%s' % (*sys.version_info[:2], sys.abiflags))")
ifeq ($(TAG),)
$(error $(PYTHON) does not run; name another with PYTHON=...)
endif
VENV := .venv-$(TAG)
# The environment of one Python is the same for all its links, so that its build is configured once.
REAL_PYTHON = $(shell $(PYTHON) -c "import os, sys; print(os.path.realpath(sys._base_executable))")
WORKERS ?= auto
ARGS ?=
CMAKE_FLAGS := -G Ninja -DHEAPDIFF_WERROR=ON -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
CXX_FILES = $(shell git ls-files '*.cpp' '*.hpp' '*.c' '*.h')
PYTHON_CODE := heapdiff tests examples benchmarks

.PHONY: build test demo check lint types layers cxx-format format bench test-all sanitize prey clean

# The extension, built into the source tree. cmake and ninja: those beside $(PYTHON), else those on PATH, else PyPI's.
build:
	@tools="$$(dirname "$$($(PYTHON) -c 'import sys; print(sys.executable)')")"; export PATH="$$tools:$$PATH"; \
	if ! { cmake --version && ninja --version; } > /dev/null 2>&1; then \
	    $(MAKE) --no-print-directory $(VENV)/build.ready && export PATH="$(CURDIR)/$(VENV)/bin:$$PATH" || exit 1; \
	fi; \
	cmake -S . -B build/$(TAG) $(CMAKE_FLAGS) -DPython_EXECUTABLE="$(REAL_PYTHON)" > build-$(TAG).log 2>&1 \
	    && cmake --build build/$(TAG) >> build-$(TAG).log 2>&1 \
	    || { cat build-$(TAG).log; rm -f build-$(TAG).log; exit 1; }; \
	rm -f build-$(TAG).log; cp -u --remove-destination build/$(TAG)/_native.*.so heapdiff/native/

# An environment with the requirements of that name: made once, and again when they change.
$(VENV)/%.ready: requirements/%.txt
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV) 2> /dev/null \
	    || { rm -rf $(VENV); $(PYTHON) -m venv --without-pip $(VENV); }
	@if $(VENV)/bin/python -m pip --version > /dev/null 2>&1; then \
	    $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<; \
	else \
	    $(PYTHON) -m pip --python $(VENV)/bin/python install --quiet --disable-pip-version-check -r $<; \
	fi
	@touch $@

$(VENV)/test.ready: requirements/build.txt requirements/demo.txt
$(VENV)/check.ready: requirements/build.txt requirements/demo.txt requirements/test.txt
$(VENV)/bench.ready: requirements/build.txt benchmarks/requirements.txt

demo: $(VENV)/build.ready $(VENV)/demo.ready
	@$(MAKE) --no-print-directory build PYTHON=$(VENV)/bin/python
	@$(VENV)/bin/python examples/dedupe_service/demo.py $(ARGS)

test: $(VENV)/test.ready
	@$(MAKE) --no-print-directory build PYTHON=$(VENV)/bin/python
	@$(VENV)/bin/python -m pytest -q -n $(WORKERS) $(ARGS)

check: lint types layers cxx-format

lint: $(VENV)/check.ready
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/check.ready
	$(VENV)/bin/python -m mypy $(wildcard $(PYTHON_CODE))

layers: $(VENV)/check.ready
	$(VENV)/bin/lint-imports

# The build itself treats warnings as errors.
cxx-format: $(VENV)/check.ready
	$(VENV)/bin/clang-format --dry-run -Werror $(CXX_FILES)
	@$(MAKE) --no-print-directory build PYTHON=$(VENV)/bin/python

format: $(VENV)/check.ready
	$(VENV)/bin/ruff check --fix-only .
	$(VENV)/bin/ruff format .
	$(VENV)/bin/clang-format -i $(CXX_FILES)

bench: $(VENV)/bench.ready
	@$(MAKE) --no-print-directory build PYTHON=$(VENV)/bin/python
	@$(VENV)/bin/python -m benchmarks $(ARGS)

# pyenv's shims answer to any version and run only some: what counts is whether it starts.
test-all:
	@ran=0; missing=; for version in 3.11 3.12 3.13 3.14; do \
	    found=; for python in "$$HOME"/.pyenv/versions/$$version.*/bin/python python$$version; do \
	        if "$$python" -c "" 2> /dev/null; then \
	            echo "== Python $$version"; $(MAKE) --no-print-directory test PYTHON="$$python" || exit 1; \
	            ran=$$((ran + 1)); found=yes; break; \
	        fi; \
	    done; \
	    test -n "$$found" || missing="$$missing $$version"; \
	done; test -z "$$missing" || echo "== not found and so not run: Python$$missing"; test $$ran -gt 0

# A copy of the tree with a sanitized extension, without the tests that only repeat; CPython itself is not sanitized, so ASan is loaded before it.
SANITIZED := build/sanitized-$(TAG)
sanitize: $(VENV)/test.ready
	@mkdir -p $(SANITIZED)/tree
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" && cmake -S . -B $(SANITIZED)/cmake $(CMAKE_FLAGS) -DHEAPDIFF_SANITIZE=ON \
	    -DHEAPDIFF_NATIVE_TESTS=ON -DPython_EXECUTABLE="$(REAL_PYTHON)" > /dev/null && cmake --build $(SANITIZED)/cmake
	@cp -r heapdiff tests examples benchmarks docs pyproject.toml CMakeLists.txt $(SANITIZED)/tree/
	@rm -f $(SANITIZED)/tree/heapdiff/native/*.so && cp $(SANITIZED)/cmake/_native.*.so $(SANITIZED)/tree/heapdiff/native/
	$(SANITIZED)/cmake/native_tests
	cd $(SANITIZED)/tree && ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 PYTHONMALLOC=malloc \
	    LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so) $$(gcc -print-file-name=libstdc++.so.6)" \
	    $(CURDIR)/$(VENV)/bin/python -m pytest -q -p no:cacheprovider --timeout 3000 --hypothesis-profile sanitized -k 'not thousand and not rounds_of' tests/native tests/graph tests/capture tests/snapshot $(ARGS)

# CPython's own tests, with a snapshot after each module and while they run. Takes half an hour.
prey: $(VENV)/test.ready
	@$(MAKE) --no-print-directory build PYTHON=$(VENV)/bin/python
	$(VENV)/bin/python tests/live/prey.py --write docs/dev/prey.md $(ARGS)
	$(VENV)/bin/python tests/live/prey.py --during $(ARGS)

clean:
	rm -rf build heapdiff/native/*.so .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
