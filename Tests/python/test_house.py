"""Rules of the house that a program can check: docs/architecture.md, "Rules for the code"."""

import re
import subprocess
from pathlib import Path

from sentences import MOST_WORDS_OF_COMMENTS, long_sentences, paragraphs_of_swift, pointing

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "Sources"
SWIFT = sorted(SOURCES.rglob("*.swift"))
FUNCTION = re.compile(r"^(\s*)(?:@\w+(?:\([^)]*\))?\s+)*(?:\w+\s+)*(?:func\s+\S+?|init\??|deinit)\s*[<({]")


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def functions(path: Path) -> list[tuple[str, int]]:
    """The functions of a file that swift-format has formatted: each ends with a brace at its own
    indentation."""
    found = []
    text = lines(path)
    for start, line in enumerate(text):
        match = FUNCTION.match(line)
        if not match or line.rstrip().endswith("}"):
            continue
        end = next((n for n in range(start + 1, len(text)) if text[n] == match[1] + "}"), None)
        if end is not None:
            found.append((line.strip(), end - start + 1))
    return found


def test_folders_use_only_those_before_them() -> None:
    run = subprocess.run([ROOT / "Tests/folders.sh"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_files_can_be_read_in_one_sitting() -> None:
    assert {path.name: len(lines(path)) for path in SWIFT if len(lines(path)) > 350} == {}
    assert len(lines(SOURCES / "PartnerBooking/Delivery/CallCoordinator.swift")) <= 200


def test_functions_fit_a_screen() -> None:
    all_of_them = [(path.name, name, count) for path in SWIFT for name, count in functions(path)]
    assert len(all_of_them) > 500, "the pattern finds functions"
    assert [entry for entry in all_of_them if entry[2] > 60] == []


def test_nothing_is_forced() -> None:
    """No `try!`, `as!`, `fatalError` and the like: nothing traps on what comes from outside."""
    forced = re.compile(r"\btry!|\bas!|\bfatalError\(|\bpreconditionFailure\(|\bprecondition\(|\bunowned\(unsafe\)")
    code = {path.name: re.sub(r"//.*", "", path.read_text(encoding="utf-8")) for path in SWIFT}
    assert {name for name, text in code.items() if forced.search(text)} == set()


def test_unchecked_sendable_says_what_makes_it_safe() -> None:
    for path in SWIFT:
        text = lines(path)
        for number, line in enumerate(text):
            if "@unchecked Sendable" in line and not line.lstrip().startswith("//"):
                above = " ".join(text[max(0, number - 8):number])
                assert "safe" in above, f"{path.name}:{number + 1}"


def wide_comments(source: str) -> list[str]:
    return [line for line in source.splitlines() if re.match(r" *//", line) and len(line) > 100]


def test_comments_are_short() -> None:
    assert len(SWIFT) > 200
    for path in SWIFT:
        source = path.read_text(encoding="utf-8")
        found = long_sentences(paragraphs_of_swift(source), MOST_WORDS_OF_COMMENTS)
        assert (path.name, wide_comments(source), found) == (path.name, [], [])


def test_a_long_comment_would_be_seen() -> None:
    def long(source: str) -> list[str]:
        return long_sentences(paragraphs_of_swift(source), MOST_WORDS_OF_COMMENTS)

    wide, words = f"    // {'x' * 94}", "one" + " one" * 12
    assert wide_comments(f"{wide}\n    let a = 1  // {'x' * 94}\n") == [wide]
    assert long(f"    /// {words}\n    /// {words}.\n    let a = 1\n") == [f"{words} {words}"]
    assert long(f"// {words}\n//\n// {words}\n/// {words}\n/// - {words}\n///     {words}\n") == []


def test_doc_comments_name_their_subject() -> None:
    files = [path for path in SOURCES.rglob("*") if path.suffix in (".swift", ".c", ".h")]
    files += [path for path in (ROOT / "include").rglob("*") if path.suffix in (".h", ".hpp")]
    assert len(files) > 200
    found = {path.name: pointing(path.read_text(encoding="utf-8")) for path in files}
    assert {name: comments for name, comments in found.items() if comments} == {}


def test_a_doc_comment_that_points_would_be_seen() -> None:
    assert pointing("    /// Whether it is open.\n    /// Else it is closed.\n    var isOpen: Bool\n") == [
        "Whether it is open. Else it is closed."
    ]
    assert pointing("/// Opens it.\n/// What is open stays open.\n//// How\n// Where\n") == []
    assert pointing("/**\n * What became of it.\n */\n") == ["What became of it."]
    assert pointing("    PBK_A = 1, /**< Of the call. */\n") == ["Of the call."]
    assert pointing("/* Who knows. */\n/** The owner. What else? */\n") == []
