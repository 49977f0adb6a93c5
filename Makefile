# Doorman. Two commands do everything: `make demo` and `make test`. Both install what they need and say so.
SHELL := /bin/bash
.DEFAULT_GOAL := help

GO          ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
RUFF        := ruff==0.17.6
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
COMPOSE     := github.com/compose-spec/compose-go/v2/cmd@v2.16.2
FUZZTIME    ?= 10s
FUZZLOGIN   ?= 30s
FUZZJOBS    ?= 2
REALJOBS    ?= 2
# Packages that have no test without a real Odoo, and all that need one: the slowest first, since they run side by side.
ONLYREAL    := addon|browser|clients|kit|odoo
REAL        := ./server/e2e/odoo ./server/e2e/addon ./server/e2e/browser ./odoo/localodoo ./odoo \
               ./server/e2e/clients ./server/e2e/conformance
VENV        := .cache/venv

.PHONY: help demo test unit real fuzz lint bench build deps clean

help: ## what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: ## a real Odoo, the service, and an AI tool's walk through it, on this machine (Ctrl-C ends it)
	@$(GO) run ./server demo $(ARGS)

test: ## every test there is: lint, unit with -race, the real Odoo, the addon, clients, conformance, fuzz; each within its budget
	@MAKE="$(MAKE)" $(GO) run ./server/e2e/budget

unit: ## what needs no Odoo, with the race detector; under a minute
	@echo "== unit tests (no Odoo) =="
	$(GO) test -race -shuffle=on -vet=off $$($(GO) list ./... | grep -vE '/e2e/($(ONLYREAL))$$')

real: deps ## the real Odoo 19, the addon's own tests, the official MCP clients and the conformance suite
	@echo "== tests on a real Odoo 19: the first run downloads it (about 125 MB) =="
	DOORMAN_TEST_ODOO=1 DOORMAN_TEST_NODE=1 $(GO) test -count=1 -p $(REALJOBS) -vet=off -timeout 40m $(REAL)

fuzz: ## each fuzz target for FUZZTIME (10s), those of logging in for FUZZLOGIN (30s), two targets at a time
	@echo "== fuzzing, $(FUZZTIME) each; what strangers send to log in, $(FUZZLOGIN) =="
	@grep -rho --include='*_test.go' --exclude-dir=node_modules -H '^func Fuzz[A-Za-z0-9]*' odoo server | \
	  sed -E 's#^(.*)/[^/]+:func (.*)#./\1 \2#' | sort | xargs -P $(FUZZJOBS) -n 2 bash -c ' \
	  case $$0 in */oauth|*/safefetch) long=$(FUZZLOGIN);; *) long=$(FUZZTIME);; esac; \
	  said=$$($(GO) test -run "^$$" -vet=off -parallel 1 -fuzz "^$$1$$" -fuzztime $$long $$0 2>&1); code=$$?; \
	  echo "$$0 $$1"; echo "$$said"; exit $$code'

lint: deps ## gofmt, vet, staticcheck for Go; ruff for the addon
	@echo "== lint =="
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt'd:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) mod tidy -diff
	@echo "docker-compose.yml against the compose specification"; $(GO) run $(COMPOSE) docker-compose.yml >/dev/null
	@$(MAKE) --no-print-directory $(VENV)/bin/ruff
	$(VENV)/bin/ruff check addon
	$(VENV)/bin/ruff format --check addon

$(VENV)/bin/ruff:
	@echo "installing ruff into $(VENV)"
	@python3 -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet $(RUFF)

deps: ## what the tests need from Debian: npm (MCP clients, conformance), Chromium (browser), Redis (rate limits), curl (the API's examples), wkhtmltopdf (Odoo's reports), venv (ruff)
	@missing=""; command -v npm >/dev/null || missing="npm"; command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; command -v curl >/dev/null || missing="$$missing curl"; \
	command -v wkhtmltopdf >/dev/null || missing="$$missing wkhtmltopdf"; \
	python3 -c 'import ensurepip' 2>/dev/null || missing="$$missing python3-venv"; \
	if [ -n "$$missing" ]; then \
	  echo "installing from Debian: $$missing"; \
	  sudo=""; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
	  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi

bench: ## Doorman against calling Odoo directly, and against a bare go-sdk server
	$(GO) run ./server/bench $(ARGS)

build: ## bin/doorman
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X doorman/server/app.Version=$(VERSION)" -o bin/doorman ./server

clean: ## what was built here (the cache of Odoo stays)
	rm -rf bin .cache server/e2e/clients/node_modules
