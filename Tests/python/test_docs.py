"""The pages: each block on them is compiled and run, sent, or run as a command."""

from __future__ import annotations

import hashlib
import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pbk
import pytest
from contract import CONTRACT, success
from header import ROOT
from pages import BLOCKS, DOCS, Block, blocks_of
from programs import run, swiftc
from samples import READS_ONLY, SANDBOX, booking_request

COMPILED = [
    *(ROOT / "examples-c").glob("*.[ch]*"),  # test_examples.py, test_examples_webhook.py, test_cpp.py
    *(ROOT / "Tests" / "c").glob("documented*.c"),
    ROOT / "Tests" / "cpp" / "documented.cpp",
    *(ROOT / "bindings" / "python" / "examples").glob("*.py"),  # package/test_package_install.py
    ROOT / "Tests" / "package" / "documented.swift",  # below
    *(ROOT / "Tests" / "package" / "swift").rglob("*.swift"),
]
"""What is compiled and run, and so may be shown."""

RUN_FROM_THE_PAGE = {
    ("README.md", "make demo"): ("test_pages.py", "test_demo_prints_what_the_readme_shows"),
    ("README.md", "#include <partnerbooking.h>"): ("test_pages.py", "test_c_program_of_the_readme"),
    ("README.md", "cc -Iinclude program.c"): ("test_pages.py", "test_c_program_of_the_readme"),
    ("README.md", "import asyncio"): ("test_pages.py", "test_python_program_of_the_readme"),
    ("docs/cpp.md", "#include <partnerbooking.hpp>"): ("test_getting_started.py", "test_cpp"),
    ("docs/cpp.md", "make -C libpartnerbooking install PREFIX=$HOME/partnerbooking"): (
        "test_getting_started.py",
        "test_cpp",
    ),
    ("docs/cpp.md", "cmake_minimum_required(VERSION 3.16)"): ("test_cpp.py", "test_first_appointment_by_cmake"),
    ("docs/cpp.md", "make -C ~/libpartnerbooking install PREFIX=$HOME/partnerbooking"): (
        "test_cpp.py",
        "test_first_appointment_by_cmake",
    ),
    ("docs/embedding.md", "access arch_prctl"): ("test_embedding.py", "test_system_calls_are_those_of_the_page"),
    ("docs/install.md", "cmake_minimum_required(VERSION 3.16)"): (
        "test_install.py",
        "test_first_booking_as_the_page_has_it",
    ),
    ("docs/install.md", "I have tomorrow"): ("test_install.py", "test_first_booking_as_the_page_has_it"),
    ("docs/install.md", "make -C libpartnerbooking install PREFIX=$HOME/partnerbooking"): (
        "test_install.py",
        "test_first_booking_as_the_page_has_it",
    ),
    ("docs/install.md", "man -M $HOME/partnerbooking/share/man pbk_create_booking"): (
        "test_install.py",
        "test_the_rest_as_the_page_has_it",
    ),
    ("docs/install.md", "make -C libpartnerbooking uninstall PREFIX=$HOME/partnerbooking"): (
        "test_install.py",
        "test_the_rest_as_the_page_has_it",
    ),
    ("docs/journal.md", "pbk2"): ("test_docs.py", "test_line_of_the_journal"),
    ("docs/ledger-protocol.md", '{"protocol"'): ("test_ledger_model.py", "test_batch_of_the_page"),
    ("docs/ledger-protocol.md", '{"results"'): ("test_ledger_model.py", "test_batch_of_the_page"),
    ("docs/ledger-protocol.md", "python3 Tests/ledger-model"): (
        "test_ledger_model.py",
        "test_commands_of_the_page",
    ),
    ("docs/livekit.md", "pip install"): (
        "../hosts/livekit/test_livekit_calls.py",
        "test_example_ends_with_one_appointment",
    ),
    ("docs/locales.md", "0:00 midnight"): ("test_docs.py", "test_rules_of_a_locale"),
    ("docs/observability.md", "partnerbooking INFO"): (
        "package/test_package_observability.py",
        "test_example_prints_what_the_page_shows",
    ),
    ("docs/observability.md", "engine INFO"): (
        "package/test_package_observability.py",
        "test_example_prints_what_the_page_shows",
    ),
    ("docs/openai-agents.md", "pip install"): (
        "../hosts/openai_agents/test_openai_agents.py",
        "test_example_ends_with_one_appointment",
    ),
    ("docs/mcp.md", "python3 -m partnerbooking mcp"): ("package/test_package_mcp.py", "test_commands_of_the_page"),
    ("docs/mcp.md", "echo '{"): ("package/test_package_mcp.py", "test_commands_of_the_page"),
    ("docs/mcp.md", '{\n  "mcpServers"'): ("package/test_package_mcp.py", "test_settings_of_the_page_start_the_server"),
    ("docs/mcp.md", "import asyncio"): ("../hosts/mcp/test_mcp.py", "test_program_of_the_page"),
    ("docs/mcp.md", "partnerbooking: may be booked"): (
        "package/test_package_mcp.py",
        "test_a_signal_ends_it_before_the_reply_and_loses_no_booking",
    ),
    ("docs/phone-call-in-c.md", "make demo"): ("test_phone_call.py", "test_commands_of_the_page_run_the_program"),
    ("docs/phone-call-in-python.md", "python3 bindings/python/examples/phone_call.py"): (
        "package/test_package_tool.py",
        "test_example_is_a_whole_phone_call",
    ),
    ("docs/phone-call-in-python.md", "partnerbooking tool"): (
        "package/test_package_tool.py",
        "test_commands_of_the_page",
    ),
    ("docs/pipecat.md", "pip install"): (
        "../hosts/pipecat/test_pipecat_call.py",
        "test_example_ends_with_one_appointment",
    ),
    ("docs/python.md", "make wheel"): ("test_getting_started.py", "test_python"),
    ("docs/python.md", "I have tomorrow"): ("test_getting_started.py", "test_python"),
    ("docs/python.md", "export PARTNER_API_KEY=sk_ptnr_..."): (
        "package/test_package_install.py",
        "test_commands_of_the_page_are_understood",
    ),
    ("docs/python.md", "export PARTNER_LEDGER=redis://..."): (
        "package/test_package_pending.py",
        "test_command_of_the_page_is_understood",
    ),
    ("docs/python.md", "key       state"): ("package/test_package_pending.py", "test_table_is_as_the_page_shows_it"),
    ("docs/python.md", "library"): ("package/test_package_doctor.py", "test_doctor_says_what_the_page_shows"),
    ("docs/sip-engine.md", "make demo-call"): ("test_sip_engine.py", "test_demo_prints_what_the_page_shows"),
    ("docs/sip-engine.md", "call 1  rings"): ("test_sip_engine.py", "test_demo_prints_what_the_page_shows"),
    ("docs/sip-engine.md", "call 1  caller hangs up"): (
        "test_sip_engine.py",
        "test_booking_goes_on_when_the_caller_hangs_up",
    ),
    ("docs/swift.md", "cp -r libpartnerbooking"): ("test_getting_started.py", "test_swift"),
    ("docs/swift.md", "I have tomorrow"): ("test_getting_started.py", "test_swift"),
    ("docs/tool-server.md", "openssl rand"): ("package/test_package_serve_page.py", "test_commands_of_the_page"),
    ("docs/tool-server.md", "curl -s"): ("package/test_package_serve_page.py", "test_commands_of_the_page"),
    ("docs/tool-server.md", "python3 -m partnerbooking serve --"): (
        "package/test_package_serve_page.py",
        "test_commands_of_the_page",
    ),
    ("docs/tool-server.md", "partnerbooking serve: book_appointment"): (
        "package/test_package_serve_page.py",
        "test_log_is_as_the_page_shows_it",
    ),
    ("docs/c.md", "make -C libpartnerbooking install"): ("test_getting_started.py", "test_c"),
    ("docs/c.md", "say: I have"): ("test_voice.py", "test_example_says_what_the_page_shows"),
    ("docs/voice.md", "make examples"): ("test_voice.py", "test_example_says_what_the_page_shows"),
    ("docs/voice.md", "echo '{"): ("test_voice.py", "test_commands_say_what_the_page_shows"),
    ("docs/voice.md", "partnerbooking tools anthropic"): (
        "package/test_package_voice.py",
        "test_the_commands_of_the_page",
    ),
    ("bindings/python/README.md", "import partnerbooking as pb"): (
        "package/test_package_install.py",
        "test_the_packages_own_readme",
    ),
    **{
        ("docs/ledger-stores.md", beginning): ("test_ledger_page.py", test)
        for beginning, test in (
            ("from partnerbooking", "test_program_of_the_page"),
            ("fsync", "test_settings_and_rights_of_postgres"),
            ("GRANT", "test_settings_and_rights_of_postgres"),
            ("appendonly", "test_settings_and_rights_of_redis"),
            ("on nopass", "test_settings_and_rights_of_redis"),
        )
    },
}
"""Blocks that a test takes from the page and runs: the page, how the block begins, and that
test."""


def entry(table: dict[tuple[str, str], Any], block: Block) -> Any:
    for (page, beginning), value in table.items():
        if block.page == page and block.text.startswith(beginning):
            return value
    return None


def stands_in(lines: list[str], file: Path) -> bool:
    """Line after line, as a whole further in or out, and with its own indentation."""
    wanted = [line.rstrip() for line in textwrap.dedent("\n".join(lines)).splitlines()]
    there = [line.rstrip() for line in file.read_text().splitlines()]
    for start in range(len(there) - len(wanted) + 1):
        if there[start].strip() == wanted[0].strip():
            part = textwrap.dedent("\n".join(there[start : start + len(wanted)])).splitlines()
            if part == wanted:
                return True
    return False


def is_accounted_for(block: Block) -> bool:
    kind = block.info.split()[0] if block.info else ""
    if kind == "json" and block.page == "docs/json-contract.md":
        return True  # test_contract.py has all of them
    if kind == "json":
        return block.info == "json config" or json.loads(block.text) in EXAMPLES_OF_THE_CONTRACT
    if entry(RUN_FROM_THE_PAGE, block):
        return True
    return any(stands_in(block.text.splitlines(), file) for file in COMPILED)


EXAMPLES_OF_THE_CONTRACT = [
    json.loads(text) for text in re.findall(r"^```json[^\n]*\n(.*?)\n```$", CONTRACT, re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_block_is_accounted_for(block):
    assert is_accounted_for(block), block.text


def test_what_is_not_accounted_for_is_seen():
    shown = next(block for block in BLOCKS if block.info == "c" and not entry(RUN_FROM_THE_PAGE, block))
    renamed, moved = shown.text.replace("pbk_", "pbx_", 1), shown.text.replace("    ", "  ")
    for text in (f"{shown.text}x();\n", renamed, moved, "x();\n"):
        assert not is_accounted_for(shown._replace(text=text))
    assert not is_accounted_for(Block("README.md", "json", '{"found":7}'))
    assert not is_accounted_for(Block("README.md", "sh", "rm -rf /\n"))


def test_tables_name_blocks_and_tests_that_are_there():
    for page, beginning in RUN_FROM_THE_PAGE:
        assert any(block.page == page and block.text.startswith(beginning) for block in BLOCKS), (page, beginning)
    for file, name in RUN_FROM_THE_PAGE.values():
        assert f"\ndef {name}(" in (Path(__file__).parent / file).read_text(), (file, name)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.info == "json config"], ids=str)
def test_configuration_opens(block):
    """Those of docs/json-contract.md are test_contract.py's, too."""
    pbk.Client(block.text).close()


# ---- Blocks that are run from the page -----------------------------------------------------------


def test_line_of_the_journal():
    [block] = blocks_of(DOCS / "journal.md")
    word, digest, record = block.text.strip().split(" ", 2)
    assert word == "pbk2" and digest == hashlib.sha256(record.encode()).hexdigest()[:16]


def test_rules_of_a_locale():
    [block] = blocks_of(DOCS / "locales.md")
    lines = (ROOT / "Sources/PartnerBooking/Locales/LocaleEnglish.swift").read_text().splitlines()
    source = "\n".join(line.strip() for line in lines)
    assert block.text.strip() in source


# ---- Swift ---------------------------------------------------------------------------------------

def test_swift_package_of_the_page(tmp_path):
    """The library is found beside it, and has the product that is asked for."""
    (tmp_path / "libpartnerbooking").symlink_to(ROOT)
    manifest = (ROOT / "Tests" / "package" / "swift" / "Package.swift").read_text()
    for name, product in [("book", "PartnerBooking"), ("wrong", "NoSuchProduct")]:
        (tmp_path / name / "Sources" / "book").mkdir(parents=True)
        (tmp_path / name / "Sources" / "book" / "Book.swift").touch()
        (tmp_path / name / "Package.swift").write_text(manifest.replace('"PartnerBooking"', f'"{product}"'))
    assert "libpartnerbooking" in run("swift", "package", "--package-path", tmp_path / "book", "show-dependencies")
    refusal = run("swift", "package", "--package-path", tmp_path / "wrong", "show-dependencies", expect=1)
    assert "'NoSuchProduct'" in refusal


def test_swift_is_typed_outside_the_section_on_json():
    before, rest = (DOCS / "swift.md").read_text().split("\n## JSON", 1)
    typed = before + rest.split("\n## ", 1)[1]
    assert '{"' not in typed and ".rawValue" not in typed


def test_swift_pieces_of_the_page(tmp_path):
    swiftc(tmp_path / "documented", ROOT / "Tests" / "package" / "documented.swift")
    assert "WRONG" not in run(tmp_path / "documented", tmp_path / "journal")


# ---- The JSON contract: what test_contract.py does not look at -----------------------------------


def shape(value: Any) -> Any:
    """Names and types."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return "text or null" if value is None or isinstance(value, str) else type(value).__name__


def test_example_of_pending_bookings_is_what_a_doubt_gives(open_client, tmp_path):
    documented = next(example for example in EXAMPLES_OF_THE_CONTRACT if "pending_bookings" in example)
    sandbox = SANDBOX["sandbox"] | {"faults": [{"fault": "lose_reply"}]}
    members = {"retry": {"max_attempts": 1}, "journal_path": str(tmp_path / "journal")}
    client = open_client(SANDBOX | {"sandbox": sandbox}, **members, **READS_ONLY)
    client.book(booking_request(timeout_ms=1000, conversation="call-7"))
    assert shape(success(client.pending_bookings())) == shape(documented)


def test_example_of_the_sandboxs_bookings_is_what_a_booking_gives(open_client):
    documented = next(example for example in EXAMPLES_OF_THE_CONTRACT if "bookings" in example)
    client = open_client(SANDBOX)
    success(client.book(booking_request()))
    assert shape(success(client.sandbox_bookings())) == shape(documented)


def names_between(text: str, start: str, end: str) -> set[str]:
    """What stands in quotes there."""
    return set(re.findall(r'"(\w+)"', text.split(start, 1)[1].split(end, 1)[0]))


def members_of_the_configuration() -> set[str]:
    """Those that the JSON reader knows, of the sandbox and its faults as well."""
    sources = ROOT / "Sources" / "PartnerBooking"
    read = set()
    for file in (sources / "Configuration").glob("*.swift"):
        lists = re.findall(r"(?:refuseMembers\(\s*except: |let members = )\[(.*?)\]", file.read_text(), re.DOTALL)
        read |= {name for members in lists for name in re.findall(r'"(\w+)"', members)}
    return read


def test_typed_configuration_has_every_member():
    """What the reader knows, the typed configuration of Swift writes, and nothing else."""
    folder = ROOT / "Sources" / "PartnerBooking" / "TypedAPI"
    text = "".join((folder / f"ClientConfiguration+{part}.swift").read_text() for part in ("JSON", "Voice"))
    written = set(re.findall(r'\b(?:member|object|array)\("(\w+)"', text))
    assert written == members_of_the_configuration()


def test_contract_names_every_member_that_the_sources_read_and_write():
    """One that is added has to be on the page as well. That those on the page are there is
    looked at by test_contract_requests.py and test_contract_configuration.py.
    """
    sources = ROOT / "Sources" / "PartnerBooking"
    documented = set()
    for line in CONTRACT.splitlines():
        if found := re.match(r"(?:- |\| )(`[\w.]+`(?:, `[\w.]+`)*)", line):
            documented |= set(re.findall(r"\w+", found[1]))
    request = (sources / "Request" / "Request.swift").read_text()
    read = members_of_the_configuration() | names_between(request, "private static func ownMembers", "\n    }\n")
    written = set()
    for file, start in [
        ("Contract/PartnerBookingError+JSON.swift", "func write("),
        ("Contract/CallTiming.swift", "func write("),
        ("Ledger/PendingBooking+JSON.swift", "func write("),
    ]:
        text = (sources / file).read_text().split(start, 1)[1]
        written |= set(re.findall(r'\b(?:member|object|array)\("(\w+)"', text))
    assert len(read) > 40 and len(written) > 30
    assert (read | written) - documented == set()
