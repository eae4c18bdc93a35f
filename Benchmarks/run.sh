#!/bin/sh
# The benchmark: a table on the screen, raw figures in build/bench/blocking.json. run.py says what can be set.
exec python3 "$(dirname "$0")/run.py" "$@"
