"""The sentences of pages and comments, and the first words of doc comments."""

from __future__ import annotations

import re

MOST_WORDS = 30
MOST_WORDS_OF_COMMENTS = 25
POINTERS = ("What", "Who", "Whose", "Whether", "Where", "How", "Of", "Those", "That", "Which", "Such")
"""A doc comment that begins with one of these points at its subject and does not name it."""


def paragraphs_of_page(text: str) -> list[str]:
    """Without blocks of code. A list item, a heading and a cell of a table stand alone."""
    text = re.sub(r"^ *```.*?^ *```$|<!--.*?-->", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"`[^`]+`", "`code`", text)
    text = re.sub(r"^\s*(?:[-*>] |\d+\. )|^#+ |\|", "\n\n", text, flags=re.MULTILINE)
    return re.split(r"\n\s*\n", text)


def comments_of(header: str) -> list[str]:
    """Without their marks."""
    comments = re.findall(r"/\*+<?(.*?)\*/", header, re.DOTALL)
    return [re.sub(r"^ *\* ?", "", comment, flags=re.MULTILINE) for comment in comments]


def paragraphs_of_header(text: str) -> list[str]:
    """The paragraphs of its comments without indented code. A list item and a tag stand alone."""
    found: list[str] = []
    for comment in comments_of(text):
        separated = re.sub(r"^(?:- |@param +\w+|@\w+) *", "\n", comment, flags=re.MULTILINE)
        for paragraph in re.split(r"\n\s*\n", separated):
            if not paragraph.lstrip("\n").startswith("    "):
                found.append(re.sub(r"`[^`]+`", "code", paragraph))
    return found


def paragraphs_of_swift(source: str) -> list[str]:
    """The paragraphs of its comments without code. A list item stands alone."""
    found: list[str] = []
    for mark in ("///", "//"):
        for block in re.findall(rf"(?:^ *{mark}(?: .*)?\n)+", source, re.MULTILINE):
            text = re.sub(rf"^ *{mark} ?", "", block, flags=re.MULTILINE)
            found += paragraphs_of_page(re.sub(r"^ {4}.*$", "", text, flags=re.MULTILINE))
    return found


def long_sentences(paragraphs: list[str], most: int = MOST_WORDS) -> list[str]:
    """The sentences with too many words. A colon does not end one."""
    sentences = [sentence for text in paragraphs for sentence in re.split(r"[.!?][\"'`)*_]*(?:\s+|$)", text)]
    return [" ".join(sentence.split()) for sentence in sentences if len(sentence.split()) > most]


def doc_comments(source: str) -> list[str]:
    """Those of Swift and of C, each as a whole."""
    swift = re.findall(r"^ *///((?:.*\n *///)*.*)", source, re.MULTILINE)
    c = re.findall(r"/\*\*<?(?![*/])(.*?)\*/", source, re.DOTALL)
    return [" ".join(re.sub(r"^[ *]*(?:///)?", "", text, flags=re.MULTILINE).split()) for text in swift + c]


def pointing(source: str) -> list[str]:
    """The doc comments that point at their subject and do not name it."""
    return [comment for comment in doc_comments(source) if comment.split(" ", 1)[0] in POINTERS]
