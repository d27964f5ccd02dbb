# What a reader of this repository does with it. Each target is a short script in scripts/.
#
# Deliberately absent: how Rust is compiled; cargo knows.

.DEFAULT_GOAL := help
.PHONY: help run test lint soak bench attack docs tools

help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Builds and runs both services on embedded stores in ./data; Ctrl-C ends them
	@exec scripts/run.sh

test: ## Installs what the tests need into ./.tools and runs them all
	@exec scripts/test.sh

lint: ## Checks formatting, lints and the contracts
	@exec scripts/lint.sh

soak: ## Runs the searches, models, races, simulations, crashes and outages at full counts and writes docs/soak.md
	@exec scripts/soak.sh

docs: ## Writes docs/configuration.md and docs/callers.md from the code
	@exec scripts/docs.sh

bench: ## Measures the pair, at 100 thousand and 5 million stored invitations, and on PostgreSQL; scripts/bench.sh --help has options
	@exec scripts/bench.sh

attack: ## Measures what attacks cost those who mean well
	@exec scripts/attack.sh

tools: ## Installs curl, buf, grpcurl and the clients' libraries, once, into ./.tools
	@exec scripts/tools.sh
