"""`journal_dir`: processes that come and go share a directory, and each client finds a journal in it."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pbk
import pytest
from completions import settled
from contract import in_doubt, success
from fault_server import answer, answer_once, swallow_request
from header import STATUS
from ledger import AT_ONCE, BOOKED, FAILED, REPORTED, resume
from programs import run_program
from samples import BOOKING_REPLY, READS_ONLY, SANDBOX, booking_request
from services import config_for


def in_dir(config: dict[str, Any], directory: Path, **members: Any) -> dict[str, Any]:
    return {**config, "journal_dir": str(directory), **members}


def journals(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def listed(client: pbk.Client) -> dict[str, str]:
    reply = json.loads(client.pending_bookings().reply)
    return {booking["idempotency_key"]: booking["state"] for booking in reply["pending_bookings"]}


def report(client: pbk.Client) -> dict[str, Any]:
    return json.loads(client.pending_bookings().reply)["journal"]


def refused(config: dict[str, Any]) -> dict[str, Any]:
    with pytest.raises(pbk.OpenError) as raised:
        pbk.Client(config)
    return json.loads(raised.value.reply)["error"]


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "journals"


def leave_doubts(start_faults, directory: Path, *keys: str, **members: Any) -> Any:
    """Each booking is of a process of its own, which has died. Gives the service, which then books."""
    server = start_faults(*[swallow_request()] * len(keys), answer(BOOKED))
    clients = [pbk.Client(in_dir(config_for(server), directory, **READS_ONLY, **members)) for _ in keys]
    for client, key in zip(clients, keys):
        in_doubt(client.book(booking_request(key=key, **AT_ONCE)), None, "connection_lost")
    for client in clients:
        client.close(0)
    assert len(journals(directory)) == len(keys)
    return server


def test_directory_is_made_for_the_user(directory):
    with pbk.Client(in_dir(SANDBOX, directory)) as client:
        path = Path(report(client)["path"])
        assert path.parent == directory and path.name.endswith("-1.journal")
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_clients_take_turns_with_the_same_files(directory):
    """As many as there are clients at once, however many come and go."""
    for count in (3, 1, 2):
        clients = [pbk.Client(in_dir(SANDBOX, directory)) for _ in range(count)]
        assert len(journals(directory)) == max(count, 1)
        assert len({report(client)["path"] for client in clients}) == count
        for client in clients:
            client.close(0)


def test_doubts_of_all_dead_processes_are_settled(start_faults, open_client, directory):
    server = leave_doubts(start_faults, directory, "k1", "k2", "k3")
    client = open_client(in_dir(config_for(server), directory, resume_on_open=True, **REPORTED))
    assert report(client)["adopted"] == 2 and report(client)["left"] == []
    reports = [settled(client) for _ in range(3)]
    assert sorted(each.key for each in reports) == ["k1", "k2", "k3"]
    assert {(each.status, each.reply) for each in reports} == {(STATUS["OK"], BOOKING_REPLY)}
    assert len(journals(directory)) == 1


def test_ends_that_nobody_has_heard_are_listed(start_faults, open_client, directory):
    server = start_faults(answer(BOOKED))
    clients = [pbk.Client(in_dir(config_for(server), directory)) for _ in range(2)]
    for client, key in zip(clients, ("k1", "k2")):
        submission = client.submit(pbk.BOOK, booking_request(key=key))
        assert submission.status == STATUS["OK"]
        # Taken, and never freed: the host dies with it.
        assert pbk.next_address(client.handle, 10_000)[1] is not None
    for client in clients:
        client.close(100)
    client = open_client(in_dir(config_for(server), directory))
    assert listed(client) == {"k1": "booked", "k2": "booked"}
    sent = len(server.keys())
    assert success(client.book(resume("k2"))) and len(server.keys()) == sent
    assert len(journals(directory)) == 1


def test_living_processes_keep_their_journals(start_faults, open_client, directory):
    server = start_faults(answer_once(FAILED), answer(BOOKED))
    living = open_client(in_dir(config_for(server), directory, **READS_ONLY))
    in_doubt(living.book(booking_request(key="k", **AT_ONCE)), 503, "http_error")
    other = open_client(in_dir(config_for(server), directory, resume_on_open=True))
    assert listed(other) == {} and listed(living) == {"k": "in_doubt"} and len(journals(directory)) == 2


@pytest.mark.parametrize("copy", ["-5.", "-5.into-1.", "-5.into-7."])
def test_a_copy_that_a_crash_has_left_is_harmless(start_faults, open_client, directory, copy):
    """The records were moved, and the process died before the other file was removed."""
    server = leave_doubts(start_faults, directory, "k")
    name = journals(directory)[0]
    shutil.copy(directory / name, directory / name.replace("-1.", copy))
    client = open_client(in_dir(config_for(server), directory, resume_on_open=True, **REPORTED))
    assert settled(client).key == "k"
    assert server.keys().count("k") == 2 and journals(directory) == [name]


def test_bookings_of_another_service_are_not_sent(start_faults, open_client, directory):
    server = leave_doubts(start_faults, directory, "k")
    other = start_faults(answer(BOOKED))
    client = open_client(in_dir(config_for(other), directory, resume_on_open=True))
    assert listed(client) == {} and len(journals(directory)) == 2
    # Nor where somebody has given it a name of the other service.
    own = Path(report(client)["path"]).name
    foreign = next(name for name in journals(directory) if name != own)
    (directory / foreign).rename(directory / own.replace("-1.", "-2."))
    second = open_client(in_dir(config_for(other), directory, resume_on_open=True))
    assert listed(second) == {} and other.keys() == []
    assert report(second)["left"] == [
        {"path": str(directory / own.replace("-1.", "-2.")), "reason": "it is the journal of another service"}
    ]
    assert server.keys() == ["k"]


def test_what_is_no_intact_journal_is_left_and_named(open_client, directory):
    with pbk.Client(in_dir(SANDBOX, directory)):
        name = journals(directory)[0]
    damaged = directory / name
    head = damaged.read_bytes()
    damaged.write_bytes(head + b"nonsense\n" + head)
    (directory / "notes.txt").write_text("ours")
    client = open_client(in_dir(SANDBOX, directory))
    assert report(client)["left"] == [{"path": str(damaged), "reason": "it is damaged: open it by journal_path"}]
    assert Path(report(client)["path"]).name == name.replace("-1.", "-2.")
    assert damaged.read_bytes() == head + b"nonsense\n" + head and (directory / "notes.txt").read_text() == "ours"
    client.close(0)
    with pbk.Client({**SANDBOX, "journal_path": str(damaged)}) as client:
        assert report(client)["damaged_bytes"] > 0


def test_either_a_file_or_a_directory(tmp_path, directory):
    error = refused(in_dir(SANDBOX, directory, journal_path=str(tmp_path / "j")))
    assert (error["code"], error["field"]) == ("invalid_config", "journal_dir")
    assert error["message"] == "journal_dir takes the place of journal_path: leave one of them out"
    assert not directory.exists()


def test_directories_that_cannot_be_used(tmp_path, directory):
    file = tmp_path / "file"
    file.touch()
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    for path in (file, link, f"{link}/", tmp_path / "missing" / "journals"):
        error = refused(in_dir(SANDBOX, path))
        assert (error["code"], error["field"]) == ("invalid_config", "journal_dir"), path


def test_relative_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pbk.Client({**SANDBOX, "journal_dir": "journals/"}) as client:
        assert Path(report(client)["path"]).parent == tmp_path / "journals"


SHORT_OF_DESCRIPTORS = """
import json, os, resource, sys
import pbk, samples
pbk.Client(samples.SANDBOX).close(0)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
opened = []
try:
    while True:
        opened.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
for _ in range(int(sys.argv[2])):
    os.close(opened.pop())
try:
    client = pbk.Client(json.loads(sys.argv[1]))
    print("open", flush=True)
except pbk.OpenError as error:
    print(json.loads(error.reply)["error"]["code"], flush=True)
os._exit(0)
"""


def test_no_descriptors_lose_nothing(start_faults, open_client, directory):
    """Nothing is adopted, or a part of it. The rest is for the next one."""
    keys = [f"k{number}" for number in range(6)]
    server = leave_doubts(start_faults, directory, *keys)
    config = in_dir(config_for(server), directory)
    codes = []
    for spare in range(14):
        done = run_program(SHORT_OF_DESCRIPTORS, json.dumps(config), spare)
        assert done.returncode == 0, done.stderr
        codes.append(done.stdout.strip())
    assert "open" in codes and {"journal_unavailable", "resource_unavailable"} & set(codes), codes
    client = open_client(config)
    assert set(listed(client)) == set(keys) and len(journals(directory)) == 1


CALL = """
import json, os, sys
import pbk
from samples import booking_request
client = pbk.Client(json.loads(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


def test_many_processes_start_at_once(start_faults, open_client, directory):
    """Nobody takes the journal of another, and a restart makes no more files."""
    server = leave_doubts(start_faults, directory, "k1", "k2", "k3")
    config = json.dumps(in_dir(config_for(server), directory, resume_on_open=True))
    for _ in range(3):
        pipe = subprocess.PIPE
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
        command = [sys.executable, "-c", CALL, config]
        processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment, text=True) for _ in range(6)]
        for process in processes:
            assert process.stdout is not None and process.stdout.readline() == "open\n"
        assert len(journals(directory)) == 6
        for process in processes:
            process.kill()
            process.communicate()
    client = open_client(in_dir(config_for(server), directory))
    assert set(listed(client).values()) <= {"booked"} and len(journals(directory)) == 1
    assert server.keys().count("k1") == 2


LIMITED = """
import json, os, resource, sys
import pbk
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
client = pbk.Client(json.loads(sys.argv[1]))
reply = json.loads(client.pending_bookings().reply)
print(json.dumps([booking["idempotency_key"] for booking in reply["pending_bookings"]]), flush=True)
os._exit(0)
"""


def test_a_disk_without_room_leaves_the_others_alone(start_faults, open_client, directory):
    """The records cannot be moved. They stay in their file, which waits for this client."""
    server = leave_doubts(start_faults, directory, "k1", "k2")
    config = in_dir(config_for(server), directory)
    first, second = (directory / name for name in journals(directory))
    before = second.read_bytes()
    done = run_program(LIMITED, json.dumps(config), max(first.stat().st_size, len(before)) + 400)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["k1"]
    [waiting] = set(journals(directory)) - {first.name}
    assert waiting.endswith("-2.into-1.journal") and (directory / waiting).read_bytes() == before
    assert set(listed(open_client(config))) == {"k1", "k2"} and len(journals(directory)) == 1
