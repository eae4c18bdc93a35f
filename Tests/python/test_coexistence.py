"""The library in processes that are others' as well: other users of libcurl, OpenSSL and Swift, a second copy of the
library, and a host that looks whether anything of its own has changed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from certificates import Certificates
from fault_server import Peer, http_reply
from header import ROOT
from pbk import LIBRARY
from programs import FILE, NEEDED_AT_MOST, output_of
from reference_names import API_KEY
from run_reference import ReferenceServer
from samples import SANDBOX, SEARCH_REPLY
from services import UNHURRIED, Service

SOURCES = ROOT / "Tests" / "coexistence"

pytestmark = pytest.mark.usefixtures("no_violation")


def run(
    *command: object, expect: int = 0, cwd: Path | None = None, **environment: object
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == expect, f"exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="module")
def programs() -> Path:
    run("make", "-s", "-j", "2", "-C", SOURCES)
    return ROOT / "build" / "tests-coexistence"


@pytest.fixture(scope="module")
def service(http2: Service) -> str:
    """A configuration: TLS and HTTP/2."""
    return json.dumps(http2.config)


@pytest.fixture(scope="module")
def distrusted(http2: Service) -> str:
    """The same without the authority that has signed the service's certificate."""
    return json.dumps({name: value for name, value in http2.config.items() if name != "tls"})


@pytest.fixture
def journal(http2: Service, tmp_path: Path) -> str:
    return json.dumps({**http2.config, "journal_path": str(tmp_path / "journal")})


@pytest.fixture(scope="module")
def others(reference: ReferenceServer, certificates: Certificates) -> tuple[str, Path]:
    """What others ask for over TLS, and whom they trust."""
    return f"{reference.https_url}/_test/log?about=nothing", certificates.ca_file


class Bindings:
    """Who took which name from whom, as the loader tells."""

    def __init__(self, folder: Path) -> None:
        self.environment = {"LD_DEBUG": "bindings", "LD_DEBUG_OUTPUT": folder / "bindings"}
        self._folder = folder

    def check(self) -> None:
        """The library takes names from what it was linked with, those of libcurl from its own libcurl; nobody takes
        from it what is not of its ABI.
        """
        line = r"binding file (\S+) \[0\] to (\S+) \[0\]: \w+ symbol `(\w+)'"
        told = "".join(file.read_text() for file in self._folder.glob("bindings.*"))
        taken, given = set(), set()
        for taker, giver, name in re.findall(line, told):
            names = [Path(file).name.startswith("libpartnerbooking.so") for file in (taker, giver)]
            if names == [True, False]:
                taken.add((Path(giver).name, name))
            elif names == [False, True]:
                given.add(name)
        assert {giver for giver, name in taken if name.startswith("curl_")} == {"libcurl.so.4"}
        assert {giver for giver, _ in taken} <= NEEDED_AT_MOST
        assert all(name.startswith("pbk_") for name in given), given


@pytest.fixture
def bindings(tmp_path: Path) -> Bindings:
    return Bindings(tmp_path)


# ---- Another libcurl ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "first"),
    [
        ("two_curls", "theirs"),
        ("two_curls", "ours"),
        ("two_curls_theirs_first", "theirs"),
        ("two_curls_ours_first", "ours"),
    ],
)
def test_libcurl_with_gnutls(programs, service, others, bindings, program, first):
    """Opened while the program runs, or linked to it, in either order: each has its libcurl, and goes on when the other
    has cleaned up.
    """
    run(programs / program, first, LIBRARY, service, *others, **bindings.environment)
    bindings.check()


@pytest.mark.parametrize("habit", ["counted", "too-often", "own-memory"])
def test_host_that_uses_our_libcurl(programs, service, others, habit):
    """It starts and ends libcurl in the middle of our calls, and its handle outlives our clients."""
    run(programs / "same_curl", habit, LIBRARY, service, *others)


# ---- Another user of OpenSSL ----------------------------------------------------------------------------------------


def test_pythons_ssl(service, distrusted, certificates):
    files = certificates.good.chain, certificates.good.key, certificates.ca_file
    program = SOURCES / "ssl_user.py"
    done = run(sys.executable, program, service, distrusted, *files, PYTHONPATH=Path(__file__).parent)
    assert (done.stdout, done.stderr) == ("unharmed\n", "")


# ---- Another Swift runtime ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "scope", "preloaded"),
    [
        ("swift_host", "local", False),
        ("swift_host", "global", True),
        ("swift_host_linked", "global", False),
        ("swift_host_static", "global", False),
    ],
)
def test_swift_host(programs, service, bindings, program, scope, preloaded):
    """Two runtimes in one process, the host's being a library or inside the program, and neither sees the other."""
    environment = dict(bindings.environment)
    if preloaded:
        [folder] = json.loads(output_of("swiftc", "-print-target-info"))["paths"]["runtimeLibraryPaths"]
        environment["LD_PRELOAD"] = Path(folder) / "libswiftCore.so"
    done = run(programs / program, LIBRARY, scope, service, **environment)
    assert (done.stdout, done.stderr) == ("24 tasks, 2 slots\n", "")
    bindings.check()


# ---- A second copy --------------------------------------------------------------------------------------------------


@pytest.fixture
def two_copies(programs, tmp_path) -> Callable[..., None]:
    """Runs the program with the library and a copy of it."""
    copy = tmp_path / "plugin.so"
    shutil.copy(LIBRARY, copy)
    journal = {**SANDBOX, "journal_path": str(tmp_path / "journal")}

    def start(service: str, *words: object) -> None:
        run(programs / "two_copies", LIBRARY, copy, json.dumps(SANDBOX), service, json.dumps(journal), *words)

    return start


def test_two_copies_in_one_process(two_copies, service):
    """Each has clients of its own, over TLS and with a journal, and both come through a fork."""
    two_copies(service)


def test_exit_with_calls_under_way_in_both_copies(two_copies, start_faults, certificates):
    """OpenSSL, which they share, cleans up when both have stopped."""

    def answer_and_close(peer: Peer) -> None:  # so that there is always a handshake to be met
        peer.read_request()
        peer.send(http_reply(200, SEARCH_REPLY))
        peer.close()

    server = start_faults(answer_and_close, certificate=certificates.good)
    tls = {"ca_file": str(certificates.ca_file)}
    service = json.dumps({"api_key": API_KEY, "base_url": server.url, "tls": tls, **UNHURRIED})
    for number in range(12):
        two_copies(service, 20 + 4 * number)


# ---- What belongs to the process ------------------------------------------------------------------------------------


@pytest.fixture
def untouched(programs, service, journal, distrusted, tmp_path) -> tuple[list[object], dict[str, object]]:
    """The command and its environment."""
    command = [programs / "untouched", LIBRARY, service, journal, distrusted]
    return command, {"cwd": tmp_path, "LOCPATH": programs / "locale", "LC_ALL": "de_DE"}


def test_nothing_of_the_process_changes(untouched, tmp_path):
    command, options = untouched
    done = run(*command, expect=7, **options)
    assert done.stdout == "pending, nothing has changed\nfirst handler\nlast handler\n"
    assert done.stderr == ""
    assert [path.name for path in tmp_path.iterdir()] == ["journal"]


def test_swifts_crash_handler_is_not_set_up(untouched):
    """Also where its runtime finds what it would set up: in the tree of the compiler."""
    command, options = untouched
    [folder] = json.loads(output_of("swiftc", "-print-target-info"))["paths"]["runtimeLibraryPaths"]
    root = Path(folder).parents[2]
    assert (root / "libexec" / "swift" / "linux" / "swift-backtrace").exists()
    run(*command, expect=7, SWIFT_ROOT=root, **options)


MEDDLINGS = re.findall(r'strcmp\(what, "(.*?)"\)', (SOURCES / "meddler.c").read_text())


@pytest.mark.parametrize("meddling", MEDDLINGS)
def test_change_would_be_seen(untouched, programs, meddling):
    command, options = untouched
    done = run(*command, expect=1, LD_PRELOAD=programs / "meddler.so", MEDDLE=meddling, **options)
    assert re.match(r"changed |rand\(\) |\d+ threads", done.stderr), done.stderr


CHANGES_THE_PROCESS = set(
    """
    curl_global_cleanup curl_global_init_mem curl_global_sslset curl_global_trace
    setlocale uselocale tzset localtime mktime strftime setenv putenv unsetenv clearenv chdir fchdir chroot umask
    signal sigset bsd_signal sigaction sigaltstack sigprocmask pthread_sigmask sigsuspend signalfd siginterrupt
    raise kill killpg tgkill pthread_kill alarm ualarm setitimer timer_create
    exit _exit _Exit quick_exit abort pthread_exit fork vfork clone posix_spawn posix_spawnp system popen wait waitpid
    execl execle execlp execv execve execvp execvpe
    setrlimit prlimit setpriority nice sched_setscheduler sched_setaffinity prctl personality setuid setgid
    fesetround fesetenv feenableexcept feclearexcept srand srandom srand48 rand random drand48 lrand48 mrand48
    setvbuf setbuf setlinebuf freopen dup2 dup3 openlog syslog vsyslog mallopt mlockall dlclose sem_open shm_open
    """.split()
)
ON_ITS_WAY_OUT = "Swift's runtime, which has found a fault in itself or in us: no input leads there"
NEVER_CALLED = "of Swift's libraries, in functions that nothing here calls"
IMPORTED_ALL_THE_SAME = {
    "pthread_sigmask": "ours: around the start of a thread, and set back",
    "dup3": "ours: puts a dead socket in the place of a connection that floods, which is ours, too",
    "abort": ON_ITS_WAY_OUT,
    "syslog": ON_ITS_WAY_OUT,
    "vsyslog": ON_ITS_WAY_OUT,
    "exit": NEVER_CALLED,
    "pthread_exit": NEVER_CALLED,
    "pthread_kill": NEVER_CALLED,
    "sem_open": NEVER_CALLED,
    "setpriority": NEVER_CALLED,
    "signalfd": NEVER_CALLED,
    "sigsuspend": NEVER_CALLED,
    "sigaction": NEVER_CALLED,
}
"""What could change the process, and why it does not."""


def test_what_could_change_the_process_is_not_even_imported():
    lines = output_of("nm", "-D", "--undefined-only", FILE).splitlines()
    imported = {line.split()[-1].partition("@")[0] for line in lines}
    assert "curl_global_init" in imported
    assert imported & CHANGES_THE_PROCESS == set(IMPORTED_ALL_THE_SAME)
