"""The texts of errors: their place, length and form. docs/architecture.md, "Rules for the code"."""

import ast
import re
from pathlib import Path
from typing import Iterator

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "Sources"
CORE = SOURCES / "PartnerBooking"
TABLE = sorted((CORE / "Messages").glob("*.swift"))
STATUS_TEXTS = [SOURCES / "PartnerBookingABI" / name for name in ("Status.swift", "Webhook.swift")]
PACKAGE = ROOT / "bindings/python/partnerbooking"
COMMANDS = [*sorted(PACKAGE.glob("*_cli.py")), PACKAGE / "_doctor.py"]

# Texts for callers and language models, and the replies of the sandbox's service.
OTHER_TEXTS = re.compile(r"Locales/|Conversations/ToolCall|Tools/|Sandbox/|Phones/PhonePlan|Zones/BuiltInZones")
NO_MESSAGE = re.compile(r"@available|\bassert\(")
HTTP_HEADER = re.compile(r"[A-Z][A-Za-z-]+: \S+")
PROSE = re.compile(r"[A-Za-z]{2,}[,;:)]? [a-z]{2,}")

LONGEST = 160
"""Of a text without its values."""
LISTS = {"Form.faults"}
"""They enumerate all names, and may be longer."""
FORBIDDEN = re.compile(
    r"\b(please|anew|nor|shall|whose|whoever|of which|could not be had|is had|for ever|all the same|takes down)\b",
    re.IGNORECASE,
)
VALUE = "…"

# What begins a text of each enum.
BEGINNINGS = {
    "ErrorMessage": rf"[A-Z]|{VALUE}|libcurl|time_zone|call_id|operation|level|callback|batch|ledger's answer"
    r"|\. The shape",
    "MemberMessage": rf"(must|is|has|contains|needs|belongs|names|leads|cannot|takes)\b|{VALUE}",
    "TransferMessage": rf"[A-Z]|{VALUE}|libcurl|a JSON object with",
    "Reason": rf"[a-z]|{VALUE}",
    "Form": rf"(an?|the|one of|\d+ to|or|auto|full|readback|true|null|{VALUE})\b|\"|{VALUE}",
}
PIECES = {
    *("MemberMessage.emptyText", "MemberMessage.blankText", "MemberMessage.someTime", "MemberMessage.thisMachine"),
    *("MemberMessage.privateAddress", "MemberMessage.noSuchMinute", "MemberMessage.midnight", "Form.timestampExample"),
}
"""Parts of the texts of their enum."""


def literals(source: str) -> Iterator[tuple[int, str]]:
    """The strings of Swift code with their offsets. A value is `…`."""
    place = 0
    while place < len(source):
        if source.startswith("//", place):
            place = source.find("\n", place)
            if place < 0:
                return
        opening = re.compile(r'(#*)("""|")').match(source, place)
        if not opening:
            place += 1
            continue
        start, place = place, opening.end()
        closing, escape = opening[2] + opening[1], "\\" + opening[1]
        text = ""
        while not source.startswith(closing, place):
            if not source.startswith(escape, place):
                text += source[place]
                place += 1
                continue
            place += len(escape)
            if source[place] != "(":
                if source[place] == "\n":  # the text goes on in the next line
                    place += len(re.match(r"\s*", source[place:])[0])
                    continue
                text += {"n": "\n"}.get(source[place], source[place])
                place += 1
                continue
            depth = 0
            while True:
                depth += {"(": 1, ")": -1}.get(source[place], 0)
                place += 1
                if depth == 0:
                    break
            text += VALUE
        place += len(closing)
        yield start, re.sub(r"\n\s*", "", text) if opening[2] == '"""' else text


def table() -> dict[str, str]:
    """The texts of the core by their names."""
    found: dict[str, str] = {}
    declaration = re.compile(r"^    (?:package )?static (?:let|var|func) (\w+)", re.MULTILINE)
    for path in TABLE:
        source = path.read_text(encoding="utf-8")
        enum = re.search(r"^(?:package )?enum (\w+)", source, re.MULTILINE)
        assert enum and enum[1] == path.stem, "one enum in each file, of its name"
        names = [(match.start(), match[1]) for match in declaration.finditer(source)]
        last = (0, -1)
        for start, text in literals(source):
            name = [(place, name) for place, name in names if place < start][-1]
            if re.search(r"separator: $|\?\? $", source[:start]):
                continue
            if name == last:
                found[list(found)[-1]] += text  # the next line of the same text
                continue
            last = name
            # Functions with one name have different parameters.
            key = f"{enum[1]}.{name[1]}"
            found[key if key not in found else f"{key} {start}"] = text
    return found


MESSAGES = table()


def test_the_table_is_read() -> None:
    assert len(MESSAGES) > 250, len(MESSAGES)
    assert MESSAGES["ErrorMessage.queueFull"] == "Queue full: … calls outstanding (max_in_flight + max_queued)"
    assert MESSAGES["Form.webhookSecret"].endswith("(the second is tried when the first is not accepted)")
    assert MESSAGES["MemberMessage.noOffset"].endswith("as in …. Do not add Z unless the time is UTC")


def test_texts_of_errors_are_in_the_table() -> None:
    """Prose anywhere else in the core would be a message that no test reads."""
    strays = []
    for path in sorted(SOURCES.rglob("*.swift")):
        name = path.relative_to(SOURCES).as_posix()
        if path in TABLE or path in STATUS_TEXTS or OTHER_TEXTS.search(name):
            continue
        source = path.read_text(encoding="utf-8")
        lines = source.splitlines()
        for start, text in literals(source):
            line = source.count("\n", 0, start)
            if PROSE.search(text) and not NO_MESSAGE.search(lines[line]) and not HTTP_HEADER.fullmatch(text):
                strays.append(f"{name}:{line + 1}: {text}")
    assert strays == []


def test_every_text_is_used() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.swift"))
    code = re.sub(r"//.*", "", code)
    unused = []
    for key in MESSAGES:
        enum, name = key.split()[0].split(".")
        own = (CORE / "Messages" / f"{enum}.swift").read_text(encoding="utf-8")
        if f"{enum}.{name}" not in code and not re.search(rf"\\\({name}\)", own):
            unused.append(key)
    assert unused == []


def faults_of_form(text: str, longest: int = LONGEST) -> list[str]:
    plain = text.replace(VALUE, "")
    found = []
    if len(plain) > longest:
        found.append(f"{len(plain)} characters")
    if "  " in text or text != text.strip():
        found.append("blanks")
    if text.endswith((".", "!", "?")) and not text.endswith("..."):
        found.append("an end mark")
    if len(re.findall(r"[.!?] [A-Z]", text)) > 1:
        found.append("more than two sentences")
    if "`" in text.replace("`openssl rand -hex 32`", ""):
        found.append("a member in other quotes")
    if word := FORBIDDEN.search(text):
        found.append(word[0])
    return found


@pytest.mark.parametrize("key", MESSAGES)
def test_texts_are_short_and_of_one_form(key: str) -> None:
    text, enum = MESSAGES[key], key.split(".")[0]
    assert faults_of_form(text, 400 if key in LISTS else LONGEST) == [], text
    assert key in PIECES or re.match(BEGINNINGS[enum], text), text


@pytest.mark.parametrize("path", STATUS_TEXTS, ids=lambda path: path.stem)
def test_texts_of_codes_are_short_and_of_one_form(path: Path) -> None:
    texts = [text for _, text in literals(path.read_text(encoding="utf-8")) if PROSE.search(text)]
    assert len(texts) >= 7
    for text in texts:
        assert faults_of_form(text, 80) == [] and not re.match("[A-Z][a-z]", text), text


# ---- The commands of the Python package ----------------------------------------------------------


def strings(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """The texts of Python code, joined, without the documentation. A value is `…`."""
    inner: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inner.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            inner.update(id(part) for part in ast.walk(node) if part is not node)
            parts = (part.value if isinstance(part, ast.Constant) else VALUE for part in node.values)
            if id(node) not in inner:
                yield node, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            yield node, node.value


NO_ERRORS = {
    # What the help of two options names, and the heading of a table.
    *("the shared secret", "the API key that Retell signs with", "held by"),
    # The doctor finds these in messages of the core.
    *("expired", "not valid yet", "unknown authority", "could not be read", "another host", "the service"),
}
PREFIX = re.compile(rf"partnerbooking \w+: {VALUE}")
HELP = {"help", "description", "metavar"}


def helps(tree: ast.AST) -> dict[int, str]:
    """The texts of the help: they stand beside their options."""
    found = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        given = [argument.value for argument in node.keywords if argument.arg in HELP]
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in ("command", "_command"):
            given += node.args
        for value in given:
            found.update({id(inner): text for inner, text in strings(value)})
    return found


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_texts_of_commands_are_in_one_module(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    allowed = helps(tree)
    strays = [
        text for node, text in strings(tree)
        if PROSE.search(text) and id(node) not in allowed and "\n" not in text
    ]
    assert [text for text in strays if text not in NO_ERRORS and not PREFIX.fullmatch(text)] == []


def test_texts_of_commands_are_short_and_of_one_form() -> None:
    texts = [text for _, text in strings(ast.parse((PACKAGE / "_messages.py").read_text(encoding="utf-8")))]
    assert len(texts) > 80
    assert {text: faults for text in texts if (faults := faults_of_form(text, 200))} == {}


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_help_is_short_and_of_one_form(path: Path) -> None:
    texts = helps(ast.parse(path.read_text(encoding="utf-8"))).values()
    wrong = {text: faults for text in texts if (faults := faults_of_form(text, 100))}
    assert wrong == {}
    assert [text for text in texts if re.match("[A-Z][a-z]+ ", text) or re.search(r"\belse\b", text)] == []
