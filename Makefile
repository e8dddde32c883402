# Everything is one word: `make demo`, `make test`, `make check`.
.DEFAULT_GOAL := help
