# `make help` lists the targets. Everything below ends up in build/, dist/ and the environments .venv and .venvs/;
# steps leave a stamp in build/stamps and are not repeated until one of their inputs changes.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= python3
PYTHONS ?= 3.10 3.11 3.12 3.13
FUZZTIME ?= 5s
GLIBC ?= 2.17
MACOS ?= 14.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# cgo admits only listed flags in #cgo lines; the kernels' floating-point flags are not on its list.
export CGO_CFLAGS_ALLOW := -[fm].*
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

S := build/stamps
DEMO := .venv/bin
MAIN := .venvs/main/bin
BUILD := .venvs/build/bin
ZIG_CC := $(CURDIR)/tools/zigcc
SOURCES := $(wildcard go.mod go.sum setup.py pyproject.toml MANIFEST.in README.md LICENSE) \
  $(shell find core backends internal capi python -type f ! -name '*_test.go' ! -name '*.so' ! -path '*/testdata/*' \
    ! -path '*/__pycache__/*' ! -path '*.egg-info/*' 2>/dev/null)
GO_DIRS := $(wildcard core backends internal capi tests_go)

NATIVE = $$(ls dist/native/*.whl)
MANYLINUX = $$(ls dist/*-manylinux_*.whl)
zig = $$($(BUILD)/python -c 'import ziglang, os; print(os.path.join(os.path.dirname(ziglang.__file__), "zig"))')
say = @printf '\n== %s [%s s]\n' "$(1)" "$$(( $$(date +%s) - $(START) ))"
START := $(shell date +%s)

.PHONY: help demo notebook test levels test-go lint-go race fuzz lint-python test-python double search smoke check wheel wheel-macos bench clean distclean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## ---- using it ----

demo: $(S)/demo ## build and install the wheel in .venv, train the digits classifiers, write examples/out
	$(call say,examples/digits.py)
	$(DEMO)/python examples/digits.py

notebook: $(S)/demo ## run the digits example as a notebook and save it with its outputs
	$(DEMO)/pip install -q -r <($(DEMO)/python tools/extra.py notebook)
	$(DEMO)/python tools/build_notebook.py examples/digits.py examples/digits.ipynb

bench: $(S)/main-package ## compare speed with MLX and NumPy
	$(MAIN)/python tests_py/bench/run.py

## ---- checking it: what CI runs ----

test: lint-go test-go race fuzz lint-python check smoke test-python double levels ## everything that CI runs

lint-go: ## gofmt, go vet, staticcheck, warnings of the C compiler; generated files are up to date
	$(call say,gofmt)
	@unformatted=$$(gofmt -l $(GO_DIRS)); test -z "$$unformatted" || { echo "run gofmt -w on: $$unformatted"; exit 1; }
	$(call say,go generate)
	tools/check_generated
	$(call say,go vet)
	go vet ./...
	$(call say,staticcheck)
	go run $(STATICCHECK) ./...
	$(call say,warnings of the C compiler)
	tools/check_warnings
	$(call say,frames of kernels)
	tools/check_frames

test-go: ## go test over everything
	$(call say,go test)
	go test -timeout 60m ./... # as long as it takes on a machine that others use
	CGO_CFLAGS="-O2 -DMLX_GO_PARK_PORTABLE" go test ./internal/park # as on systems without a futex

race: ## the core, the test double and the waiting of threads under the race detector
	$(call say,go test -race)
	go test -race -short ./core/... ./internal/park ./backends/double
	MLX_GO_DOUBLE=mixed go test -race -timeout 60m ./core -skip '^(TestLongChain|TestLargerThanDevice)$$'

fuzz: ## each fuzz target for FUZZTIME
	$(call say,fuzz)
	tools/fuzz $(FUZZTIME)

lint-python: $(S)/main-package ## ruff, mypy, stubtest
	$(call say,ruff)
	$(MAIN)/ruff check .
	$(call say,mypy)
	$(MAIN)/mypy
	$(call say,stubtest)
	cd build && ../$(MAIN)/python -m mypy.stubtest mlx_go.core --mypy-config-file ../pyproject.toml \
	  $$(test ! -f ../tools/stubtest-allowlist.txt || echo --allowlist ../tools/stubtest-allowlist.txt)

check: $(S)/wheel $(S)/wheel-macos ## build both wheels and check what is in them
	$(call say,check wheels)
	$(BUILD)/python tools/check_wheel.py $(MANYLINUX)
	$(BUILD)/python tools/check_wheel.py $$(ls dist/*-macosx_*.whl)

# The manylinux wheel, one file, in each CPython that this machine has.
smoke: $(S)/wheel ## import and core tests in every CPython of PYTHONS, all with the same wheel
	$(call say,smoke tests)
	@mkdir -p build/logs
	@tools/find_pythons $(PYTHONS) > build/pythons; test -s build/pythons
	@echo "$$(wc -l < build/pythons) of CPython $(PYTHONS) found"
	@while read -r python; do \
	  tag=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); env=.venvs/smoke-$$tag; \
	  if [ ! $$env/ready -nt $(S)/wheel ]; then \
	    test -x $$env/bin/pip || "$$python" -m venv $$env; \
	    $$env/bin/pip install -q $(MANYLINUX)[numpy] pytest; \
	    $$env/bin/pip install -q --force-reinstall --no-deps $(MANYLINUX); touch $$env/ready; \
	  fi; \
	  echo "-- CPython $$tag, $$(sha256sum $$env/lib/python*/site-packages/mlx_go/_core.abi3.so | cut -c1-16)"; \
	  $$env/bin/python -m pytest -q -m smoke -p no:cacheprovider \
	    $$(grep -rlE 'mark\.smoke' --include='test_*.py' tests_py) \
	    </dev/null 2>&1 | tee build/logs/pytest-smoke-$$tag.log; \
	done < build/pythons

test-python: $(S)/main-package ## the whole Python suite, beside the oracle
	$(call say,pytest)
	@mkdir -p build/logs
	$(MAIN)/python -m pytest -q $(PYTEST_ARGS) 2>&1 | tee build/logs/pytest.log

# The device "gpu" is the test double then (backends/double/asgpu), which finds what core does not order. Faults of all
# processes of the suite end up in one file.
DOUBLE := build/double
DOUBLED ?= tests_py/core tests_py/nn
double: $(S)/double ## the Python suite with the test double as the default gpu; DOUBLED are its folders
	$(call say,pytest on the test double)
	@rm -f $(DOUBLE)/faults
	PYTHONPATH=$(CURDIR)/$(DOUBLE) MLX_GO_TEST_DEVICE=gpu MLX_GO_DOUBLE_REPORT=$(CURDIR)/$(DOUBLE)/faults \
	  MLX_GO_DOUBLE_SEED=$(or $(SEED),1) MLX_GO_DOUBLE_DELAY=$(or $(DELAY),100us) \
	  $(MAIN)/python -m pytest -q -p no:cacheprovider $(PYTEST_ARGS) $(DOUBLED)
	@test ! -s $(DOUBLE)/faults || { echo "faults of core, found by the double:"; sort $(DOUBLE)/faults | uniq -c; exit 1; }

SEARCHED ?= tests_py/core/test_inplace_programs.py
search: $(S)/main-package ## random programs with in-place updates under nested transforms, with new seeds for MINUTES
	@mkdir -p build
	PYTHON=$(MAIN)/python tools/search $(or $(MINUTES),60) $(SEARCHED)

levels: $(S)/main-package ## the kernels and the tests near to them at the other instruction-set levels of this machine
	$(call say,instruction sets)
	tools/test_levels $(MAIN)/python

## ---- building it ----

wheel: $(S)/wheel ## Linux wheel for glibc >= GLIBC, cross-linked with zig
	$(BUILD)/python tools/check_wheel.py $(MANYLINUX)

wheel-macos: $(S)/wheel-macos ## macOS arm64 wheel (CPU), cross-built with zig
	$(BUILD)/python tools/check_wheel.py $$(ls dist/*-macosx_*.whl)

# $(1): where the wheel goes, $(2): the environment.
define build_wheel
	@mkdir -p $(1) $(S)
	$(2) $(BUILD)/python -m pip wheel -q --no-deps --no-build-isolation -w $(1) .
endef

$(S)/wheel-native: $(SOURCES) $(S)/build-tools
	$(call say,wheel for this machine)
	@rm -rf dist/native
	$(call build_wheel,dist/native,)
	@touch $@

$(S)/double: $(SOURCES) $(S)/build-tools $(S)/main-tools
	$(call say,library with the test double)
	@rm -rf dist/double $(DOUBLE)
	$(call build_wheel,dist/double,GOFLAGS=-tags=double)
	$(MAIN)/pip install -q --no-deps --target $(DOUBLE) dist/double/*.whl
	@touch $@

$(S)/wheel: $(SOURCES) tools/zigcc $(S)/build-tools
	$(call say,manylinux wheel)
	@rm -f dist/*-manylinux_*.whl
	$(call build_wheel,dist,ZIG=$(zig) CC="'$(ZIG_CC)' x86_64-linux-gnu.$(GLIBC)" MLX_GO_TARGET=linux/amd64 MLX_GO_PLATFORM=manylinux_$(subst .,_,$(GLIBC))_x86_64)
	@touch $@

$(S)/wheel-macos: $(SOURCES) tools/zigcc tools/macos_stubs.py $(S)/build-tools
	$(call say,macOS wheel)
	@rm -rf dist/*-macosx_*.whl build/macos-stubs
	$(BUILD)/python tools/macos_stubs.py build/macos-stubs
	$(call build_wheel,dist,ZIG=$(zig) CC="'$(ZIG_CC)' aarch64-macos.$(MACOS)" MACOS_STUBS="$(CURDIR)/build/macos-stubs" MLX_GO_TARGET=darwin/arm64 MLX_GO_PLATFORM=macosx_$(subst .,_,$(MACOS))_arm64)
	@touch $@

# ---- environments ----

$(S)/build-tools: pyproject.toml tools/extra.py
	$(call say,build tools in .venvs/build)
	@mkdir -p $(S)
	@test -x $(BUILD)/pip || $(PYTHON) -m venv .venvs/build
	$(BUILD)/pip install -q 'setuptools>=77' -r <($(BUILD)/python tools/extra.py wheels)
	@touch $@

$(S)/main-tools: pyproject.toml tools/extra.py
	$(call say,test tools and the oracle in .venvs/main)
	@mkdir -p $(S)
	@test -x $(MAIN)/pip || $(PYTHON) -m venv .venvs/main
	$(MAIN)/pip install -q 'setuptools>=77' -r <($(MAIN)/python tools/extra.py test programs lint)
	$(MAIN)/pip install -q --no-deps -r <($(MAIN)/python tools/extra.py packages)
	@touch $@

$(S)/main-package: $(S)/wheel-native $(S)/main-tools
	$(MAIN)/pip install -q $(NATIVE)
	$(MAIN)/pip install -q --force-reinstall --no-deps $(NATIVE)
	@touch $@

# The demo asks for nothing but Go, gcc and Python: pip builds the wheel in isolation, as it does for users.
$(S)/demo: $(SOURCES)
	$(call say,.venv and the wheel: Go and C are compiled in minutes at first and in seconds later)
	@test -x $(DEMO)/pip || $(PYTHON) -m venv .venv
	@rm -rf dist/demo
	@mkdir -p $(S)
	$(DEMO)/pip wheel -q --no-deps -w dist/demo .
	$(call say,what the examples need)
	$(DEMO)/pip install -q "$$(ls dist/demo/*.whl)[demo]"
	$(DEMO)/pip install -q --force-reinstall --no-deps dist/demo/*.whl
	@touch $@

## ---- tidying ----

clean: ## remove what was built; the environments stay
	rm -rf build dist examples/out python/*.egg-info python/mlx_go/_core.abi3.so
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

distclean: clean ## remove the environments too
	rm -rf .venv .venvs .mypy_cache .pytest_cache .ruff_cache .hypothesis
