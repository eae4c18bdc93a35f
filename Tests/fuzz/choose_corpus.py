"""Chooses a target's corpus: of what it has and what was found, the inputs that go most ways.

    python choose_corpus.py PROGRAM CORPUS FOUND

libFuzzer's own merge keeps an input for each edge that no smaller one reaches: hundreds, of which most reach one more.
Here the input that adds most edges comes first, and after LIMIT of them it is enough: fuzzing soon finds the others
again. What was written by hand, and so has a name that is no hash, stays.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT = 24
HASH = re.compile(r"[0-9a-f]{40}")


def edges_of_inputs(program: str, *folders: Path) -> dict[Path, set[int]]:
    """Runs every input once. libFuzzer notes in a merge's control file which edges each one reached."""
    with tempfile.TemporaryDirectory() as folder:
        control = Path(folder, "control")
        merged = Path(folder, "merged")
        merged.mkdir()
        edges_alone = ["-use_counters=0", "-use_cmp=0"]
        command = [program, "-merge=1", f"-merge_control_file={control}", *edges_alone, str(merged), *map(str, folders)]
        subprocess.run(command, check=True, capture_output=True)
        lines = control.read_text().splitlines()
    count = int(lines[0])
    paths = [Path(line) for line in lines[2 : 2 + count]]
    edges: dict[Path, set[int]] = {path: set() for path in paths}
    for line in lines[2 + count :]:
        kind, *numbers = line.split()
        if kind == "FT":
            edges[paths[int(numbers[0])]] = {int(number) for number in numbers[1:]}
    return edges


def choose(edges: dict[Path, set[int]]) -> list[Path]:
    """The inputs to have besides those that were written by hand, the most useful first."""
    known = {edge for path, reached in edges.items() if not HASH.fullmatch(path.name) for edge in reached}
    candidates = {path: reached for path, reached in edges.items() if HASH.fullmatch(path.name)}
    chosen: list[Path] = []
    while candidates and len(chosen) < LIMIT:
        best = max(candidates, key=lambda path: (len(candidates[path] - known), -path.stat().st_size))
        if candidates[best] <= known:
            break
        known |= candidates.pop(best)
        chosen.append(best)
    return chosen


def main(program: str, corpus: Path, found: Path) -> None:
    edges = edges_of_inputs(program, corpus, found)
    chosen = choose(edges)
    for path in chosen:
        if not (corpus / path.name).exists():
            shutil.copy(path, corpus)
    names = {path.name for path in chosen}
    for path in corpus.iterdir():
        if HASH.fullmatch(path.name) and path.name not in names:
            path.unlink()
    kept = [edges[path] for path in edges if path in chosen or not HASH.fullmatch(path.name)]
    reached, all_edges = len(set().union(*kept)), len(set().union(*edges.values()))
    print(f"{corpus.name}: {len(kept)} inputs go {reached} of {all_edges} ways")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
