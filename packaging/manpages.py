"""Makes the manual pages of section 3 from the comments of the C header, which are the one
reference text.

    python3 manpages.py partnerbooking.h FOLDER

A page for each function, each enumeration and the callback, and partnerbooking(3) for the rest.
"""

from __future__ import annotations

import re
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

OVERVIEW = "partnerbooking"
NO_BREAK = "\xa0"


@dataclass
class Comment:
    """A comment of the header, taken apart. A paragraph is a list of lines."""

    text: list[list[str]] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)
    returned: str = ""
    conditions: str = ""
    """Its `@note`: threads and blocking."""
    since: str = ""

    @property
    def summary(self) -> str:
        return re.split(r"(?<=[.:])\s", " ".join(self.text[0]), maxsplit=1)[0].rstrip(".:")


def parse(comment: str) -> Comment:
    lines = [re.sub(r"^ ?\*( |$)", "", line) for line in comment.strip("/*").strip().splitlines()]
    parsed = Comment()
    paragraph: list[str] = []
    tags: list[str] = []
    for line in [*lines, ""]:
        if line.startswith("@"):
            tags.append(line)
        elif tags and line:
            assert line.startswith(" "), f"a line after the tags: {line}"
            tags[-1] += f" {line.strip()}"
        elif line and not (line.startswith("- ") and paragraph):
            paragraph.append(line)
        else:
            parsed.text += [paragraph] if paragraph else []
            paragraph = [line] if line else []
    for tag in tags:
        kind, rest = tag.split(None, 1)
        if kind == "@param":
            name, meaning = rest.split(None, 1)
            parsed.parameters[name] = meaning
        else:
            setattr(parsed, {"@return": "returned", "@note": "conditions", "@since": "since"}[kind], rest)
    return parsed


def escape(text: str) -> str:
    special = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha"}
    return re.sub(r"^\.", "\\&.", text.translate(str.maketrans(special)))


def prose(text: str) -> str:
    """One paragraph, with what is code set apart. Long JSON may be broken after its commas."""
    words = []
    for word in re.sub(r"`([^`]+)`", lambda found: f"\x01{found[1].replace(' ', NO_BREAK)}\x02", text).split(" "):
        word = escape(word)
        if len(word) > 20:
            word = re.sub(r",(?=.)", r",\\:", word)
        word = re.sub(r"\b(pbk_\w+)\(\)", r"\\fB\1\\fP(3)", word)
        word = re.sub(r"(?<![\w\"_])(PBK_[A-Z_]+)\b", r"\\fB\1\\fP", word)
        words.append(word.replace("\x01", "\\fI").replace("\x02", "\\fP").replace(NO_BREAK, "\\~"))
    return re.sub(r"^(['.])", r"\\&\1", " ".join(words))


def code(lines: list[str]) -> list[str]:
    return [".nf", *(escape(line) or "\\&" for line in lines), ".fi"]


def body(paragraphs: list[list[str]]) -> list[str]:
    """Paragraphs, apart from each other; what is indented is code."""
    page = []
    for paragraph in paragraphs:
        if all(line.startswith("    ") for line in paragraph):
            page += [".PP", ".RS 4", *code([line[4:] for line in paragraph]), ".RE"]
        elif paragraph[0].startswith("- "):
            page += [".IP \\- 2", prose(" ".join([paragraph[0][2:], *(line.strip() for line in paragraph[1:])]))]
        else:
            page += [".PP", prose(" ".join(paragraph))]
    return page[1:] if page[:2] != [".PP", ".RS 4"] else page


@dataclass
class Page:
    name: str
    comment: Comment
    declaration: str
    mentions: set[str]
    """The names in its comment and its declaration."""
    values: list[tuple[str, str]] = field(default_factory=list)
    """Of an enumeration: a value with its number and what it means, or "" and a heading."""

    def render(self, version: str, names: set[str]) -> str:
        lines = [*head(self.name, version), f"{self.name} \\- {prose(lower_first(self.comment.summary))}"]
        lines += [".SH SYNOPSIS", ".nf", ".B #include <partnerbooking.h>", ".PP"]
        declaration = [self.declaration] if self.values else wrapped(self.declaration)
        lines += [f"\\fB{escape(line)}\\fP" for line in declaration] + [".fi"]
        if self.comment.text:
            lines += [".SH DESCRIPTION", *body(self.comment.text)]
        if self.comment.parameters:
            lines.append(".SH PARAMETERS")
            for parameter, meaning in self.comment.parameters.items():
                lines += [".TP", f"\\fI{parameter}\\fP", prose(meaning)]
        if self.values:
            lines.append(".SH VALUES")
            for value, meaning in self.values:
                lines += [".TP", f"\\fB{escape(value)}\\fP", prose(meaning)] if value else heading(meaning)
        if self.comment.returned:
            lines += [".SH RETURN VALUE", prose(self.comment.returned)]
        if self.comment.conditions:
            lines += [".SH THREADS AND BLOCKING", prose(self.comment.conditions)]
        if self.comment.since:
            lines += [".SH HISTORY", prose(f"Since {self.comment.since}.")]
        lines += [".SH SEE ALSO", references([OVERVIEW, *sorted(self.mentions & names - {self.name})])]
        return "\n".join(lines) + "\n"


def head(name: str, version: str) -> list[str]:
    return [
        '.\\" Made from partnerbooking.h by packaging/manpages.py.',
        f'.TH {name} 3 "" "libpartnerbooking {version}" "Partner Booking"',
        ".ad l",
        ".nh",
        ".SH NAME",
    ]


def heading(words: str) -> list[str]:
    """Its first words, and what they go on to say as a paragraph below."""
    first, rest = re.fullmatch(r"(.*?)(?:[;.] *(.*))?", words).groups()
    return [f".SS {prose(first)}"] + ([prose(rest[0].upper() + rest[1:])] if rest else [])


def wrapped(declaration: str) -> list[str]:
    """In lines that fit a terminal."""
    name, arguments = " ".join(declaration.split()).split("(", 1)
    whole = f"{name}({', '.join(argument.replace(' ', NO_BREAK) for argument in arguments.split(', '))}"
    lines = textwrap.wrap(whole, 72, subsequent_indent="        ", break_long_words=False)
    return [line.replace(NO_BREAK, " ") for line in lines]


def references(names: list[str]) -> str:
    return ",\n".join(f".BR {name} (3)" for name in names).replace("(3),", "(3) ,")


def lower_first(text: str) -> str:
    """ "Opens a client" goes on after a dash; "JSON" stays as it is."""
    return text[0].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text


def one_line(text: str) -> str:
    return " ".join(re.sub(r"^\s*\*", "", line).strip() for line in text.splitlines()).strip()


def enumeration_values(text: str) -> list[tuple[str, str]]:
    """The values in their order, with the comments that head a group of them."""
    found = []
    value = r"(?P<name>PBK_\w+) = (?P<number>\d+),?(?:\s*/\*\*< (?P<after>.*?)\*/)?"
    pattern = r"/\*(?P<before>\*?)\s+(?P<words>.*?)\*/|" + value
    documented_before = ""
    for match in re.finditer(pattern, text, re.DOTALL):
        if match["name"]:
            words = one_line(match["after"] or "") or documented_before
            assert words, f"{match['name']} says nothing"
            found.append((f"{match['name']} = {match['number']}", words))
            documented_before = ""
        elif match["before"]:
            documented_before = one_line(match["words"])
        else:
            found.append(("", one_line(match["words"])))
    return found


def mentioned(text: str) -> set[str]:
    return set(re.findall(r"\bpbk_\w+", text))


def pages_of(header: str) -> list[Page]:
    pages = []
    documented = r"/\*\*(?!<)((?:(?!\*/).)*)\*/\n"
    function = r"(PBK_API [^;]*;|typedef [^;{]*\(\*[^;]*;)"
    for comment, declaration in re.findall(documented + function, header, re.DOTALL):
        name = re.search(r"(pbk_\w+)\)?\(", declaration)[1]
        pages.append(Page(name, parse(comment), declaration.removeprefix("PBK_API "), mentioned(comment + declaration)))
    for comment, name, values in re.findall(documented + r"typedef enum (pbk_\w+) \{\n(.*?)\n\}", header, re.DOTALL):
        page = Page(name, parse(comment), f"typedef enum {name} {name};", mentioned(comment + values))
        page.values = enumeration_values(values)
        pages.append(page)
    declared = len(re.findall(r"^(?:PBK_API|typedef enum|typedef \S+ \(\*)", header, re.MULTILINE))
    assert len(pages) == declared, "a declaration without a comment, or of another form"
    return pages


def overview(header: str, version: str, pages: list[Page]) -> str:
    """The comment at the top of the header, and a list of all pages."""
    paragraphs = parse(re.match(r"/\*\n(.*?)\*/", header, re.DOTALL)[1]).text
    title, what = " ".join(paragraphs[0]).split(": ", 1)
    lines = [*head(OVERVIEW, version), f"{OVERVIEW} \\- {prose(lower_first(what).rstrip('.'))}"]
    lines += [".SH SYNOPSIS", ".nf", ".B #include <partnerbooking.h>", ".PP", ".B cc ... \\-lpartnerbooking", ".fi"]
    lines += [".SH DESCRIPTION"]
    assert title == "libpartnerbooking"
    section: list[list[str]] = []
    for paragraph in paragraphs[1:]:
        if labelled := re.match(r"([A-Z]\w+)(?:\.  +|, )(.)(.*)", paragraph[0]):
            lines += [*body(section), f".SS {labelled[1]}"]
            section = [[labelled[2].upper() + labelled[3], *(line.strip() for line in paragraph[1:])]]
        else:
            section.append(paragraph)
    lines += body(section)
    lines += [".SH TYPES"]
    documented = r"/\*\*(?!<)((?:(?!\*/).)*)\*/\n(typedef (?:struct )?\w+ \w+);"
    for comment, declaration in re.findall(documented, header, re.DOTALL):
        described = parse(comment)
        words = " ".join(" ".join(paragraph) for paragraph in described.text)
        lines += [".TP", f"\\fB{declaration};\\fP", prose(f"{words} Since {described.since}.")]
    lines += [".SH FUNCTIONS AND ENUMERATIONS"]
    for page in pages:
        lines += [".TP", f".BR {page.name} (3)", prose(page.comment.summary) + "."]
    lines += [".SH SEE ALSO", references([page.name for page in pages[:6]])]
    return "\n".join(lines) + "\n"


def main() -> None:
    header, folder = Path(sys.argv[1]).read_text(), Path(sys.argv[2])
    version = re.search(r'^#define PBK_VERSION "(.+)"', header, re.MULTILINE)[1]
    pages = pages_of(header)
    names = {page.name for page in pages}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{OVERVIEW}.3").write_text(overview(header, version, pages))
    for page in pages:
        (folder / f"{page.name}.3").write_text(page.render(version, names))


if __name__ == "__main__":
    main()
