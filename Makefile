# Development: the extension is built into the source tree, one file for each Python.
PYTHON ?= python3
TAG := $(shell $(PYTHON) -c "import sys; print('%d%d' % sys.version_info[:2])")

.PHONY: build
build:
	@cmake -S . -B build/$(TAG) -G Ninja -DPython_EXECUTABLE=$$($(PYTHON) -c "import sys; print(sys.executable)") \
	    -DHEAPDIFF_WERROR=ON -DCMAKE_EXPORT_COMPILE_COMMANDS=ON > /dev/null
	@cmake --build build/$(TAG)
	@cp build/$(TAG)/_native.*.so heapdiff/native/
