"""The doctor of the command line: what it finds, and what it says of it."""

from __future__ import annotations

import json
import re

import pytest
from fault_server import Peer, answer, close_at_once, http_reply, stall
from header import ROOT
from python_package import Run
from reference_names import API_KEY
from samples import NAME, PHONE, TAKEN_REPLY


def examine(run: Run, *arguments: str, **environment: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Its exit code and its findings, each step told once."""
    code, out, err = run("doctor", "--json", *arguments, **environment)
    assert err == "", err
    checks = json.loads(out)["checks"]
    found = {check["name"]: (check["result"], check["text"]) for check in checks}
    assert len(found) == len(checks), checks
    shown = run("doctor", *arguments, **environment)
    assert shown[0] == code and [line.split()[0] for line in shown[1].splitlines()] == list(found)
    return code, found


def failure(run: Run, *arguments: str, **environment: str) -> tuple[str, str]:
    """The one step that failed, and what was said. Nothing is said of steps after it."""
    code, found = examine(run, *arguments, **environment)
    [failed] = [name for name, (result, _) in found.items() if result == "FAILED"]
    assert code == 1 and failed == [name for name, (result, _) in found.items() if result != "note"][-1], found
    return failed, found[failed][1]


DONE = ["library", "libcurl", "key", "DNS", "connect", "TLS", "service", "latency"]


def test_doctor_finds_nothing_wrong(run, hosted, reference):
    code, found = examine(run, "--bot", reference.bot(), **hosted)
    assert code == 0 and list(found) == DONE, found
    assert "certificate is trusted" in found["TLS"][1] and "2 free" in found["service"][1]
    assert re.search(r"[\d.]+ ms for a search", found["latency"][1])


def test_doctor_needs_no_bot_to_try_a_key(run, start_faults):
    unknown = http_reply(404, b'{"error":{"code":"bot_not_found","message":"No such bot"}}')
    server = start_faults(answer(unknown))
    code, found = examine(run, API_KEY=API_KEY, API_URL=server.url)
    assert code == 0 and "Name a bot" in found["service"][1] and found["latency"][0] == "ok"
    assert failure(run, "--bot", "b", API_KEY=API_KEY, API_URL=server.url)[0] == "service"
    for page in (b"<html>", b'{"error":"not_found"}', b'{"message":"no Route matched with those values"}'):
        server.play(answer(http_reply(404, page)))
        assert "paths are wrong" in failure(run, API_KEY=API_KEY, API_URL=server.url)[1]


@pytest.mark.parametrize("member", ["journal_path", "journal_dir"])
def test_only_book_opens_the_journal(run, tmp_path, member):
    """An engine may have it open, and a doctor must not send again what is in it."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps({member: str(tmp_path / "journal"), "resume_on_open": True}))
    for command in (["search"], ["doctor"], ["lookup", "--phone", PHONE]):
        assert run(*command, "--sandbox", "--config", str(config))[0] == 0
        assert not (tmp_path / "journal").exists()
    run("book", "--at", "2030-01-14T10:00:00Z", "--phone", PHONE, "--name", NAME, "--sandbox", "--config", str(config))
    assert (tmp_path / "journal").exists()


def test_doctor_in_the_sandbox(run):
    assert examine(run, "--sandbox")[0] == 0


def test_doctor_no_such_name(run):
    step, text = failure(run, "--bot", "b", API_KEY=API_KEY, API_URL="https://partner.invalid")
    assert step == "DNS" and "partner.invalid has no address" in text and "dns_failed" in text


def test_doctor_connection_refused(run, start_faults):
    server = start_faults(stall())
    server.stop_listening()
    step, text = failure(run, "--bot", "b", API_KEY=API_KEY, API_URL=server.url)
    assert step == "connect" and "Nobody answers at 127.0.0.1" in text


def test_doctor_tells_of_a_proxy_that_is_not_used(run):
    environment = {"API_KEY": API_KEY, "API_URL": "http://127.0.0.1:1", "https_proxy": "http://proxy.example:3128"}
    _, found = examine(run, "--bot", "b", **environment)
    assert found["proxy"][0] == "note"


@pytest.mark.parametrize(
    ("certificate", "said"),
    [("expired", "clock is right"), ("wrong_host", "must name the same host"), ("unknown_ca", "private authority")],
)
def test_doctor_bad_certificate(run, start_faults, certificates, certificate, said):
    server = start_faults(stall(), certificate=getattr(certificates, certificate))
    trusted = {"API_KEY": API_KEY, "API_URL": server.url, "CA_FILE": str(certificates.ca_file)}
    step, text = failure(run, "--bot", "b", **trusted)
    assert step == "TLS" and said in text


def test_doctor_says_what_the_page_shows(run, start_faults, certificates):
    page = (ROOT / "docs" / "python.md").read_text()
    shown = [
        line.split(None, 2)
        for line in re.search(r"^```\n(library .*?)^```", page, re.MULTILINE | re.DOTALL)[1].splitlines()
    ]
    server = start_faults(stall(), certificate=certificates.expired)
    environment = {"API_KEY": API_KEY, "API_URL": server.url, "CA_FILE": str(certificates.ca_file)}
    said = [line.split(None, 2) for line in run("doctor", "--bot", "b", **environment)[1].splitlines()]
    assert [line[:2] for line in said] == [line[:2] for line in shown]
    assert said[2] == shown[2] and said[4][2].startswith(shown[4][2].removesuffix("..."))


def test_doctor_shows_the_libcurl_in_use(run):
    _, found = examine(run, "--sandbox")
    result, text = found["libcurl"]
    assert result == "ok" and re.fullmatch(r"libcurl/\d\S+ .*, the system's", text), text


def test_doctor_no_tls_at_all(run, start_faults):
    def answer_in_the_clear(peer: Peer) -> None:
        peer.read(5)
        peer.send(http_reply(400, b""))
        peer.finish_sending()

    plain = start_faults(answer_in_the_clear)
    step, text = failure(run, "--bot", "b", API_KEY=API_KEY, API_URL=plain.url.replace("http:", "https:"))
    assert step == "TLS" and "speaks TLS" in text


def test_doctor_wrong_key(run, hosted):
    step, text = failure(run, "--bot", "b", **{**hosted, "API_KEY": "sk_ptnr_of_somebody_else"})
    assert step == "service" and "does not accept the key" in text and "HTTP 401" in text


@pytest.mark.parametrize(
    ("key", "said"),
    [("sk_live_0123456789", "start with sk_ptnr_"), (f"{API_KEY}\n", "white space"), ("sk_ptnr_ë", "no key has")],
)
def test_doctor_malformed_key(run, key, said):
    step, text = failure(run, "--bot", "b", API_KEY=key, API_URL="http://127.0.0.1:1")
    assert step == "key" and said in text


@pytest.mark.parametrize(
    ("script", "step", "said"),
    [
        (answer(http_reply(200, b"<html>")), "service", "is not the Partner API"),
        (answer(http_reply(301, b"")), "service", "The service has moved"),
        (answer(http_reply(404, b"")), "service", "paths are wrong"),
        (answer(http_reply(500, b"")), "service", "The service is in trouble"),
        (answer(http_reply(429, b"")), "service", "asked too often"),
        (answer(http_reply(409, TAKEN_REPLY)), "service", "does not like"),
        (close_at_once(), "service", "dropped it"),
        (stall(), "latency", "no answer came in time"),
    ],
)
def test_doctor_a_service_that_misbehaves(run, start_faults, script, step, said):
    server = start_faults(script)
    found = failure(run, "--bot", "b", "--timeout-ms", "700", API_KEY=API_KEY, API_URL=server.url)
    assert found[0] == step and said in found[1], found


def test_doctor_wrong_configuration(run, tmp_path):
    config = tmp_path / "config.json"
    step, text = failure(run, "--bot", "b", API_KEY=API_KEY, API_URL="https://[::1")
    assert step == "config" and "base_url" in text
    config.write_text('{"time_out":5}')
    step, text = failure(run, "--bot", "b", "--config", str(config), API_KEY=API_KEY)
    assert step == "config" and "time_out" in text
    config.write_text('{"endpoint":"platform_webhook","platforms":{}}')
    assert failure(run, "--bot", "b", "--config", str(config))[0] == "config"


@pytest.fixture
def of_webhook(run, tmp_path):
    """What the doctor finds of a webhook at that URL."""

    def find(url: str, *arguments: str) -> tuple[str, str]:
        platform = {"account_id": "acct_1", "webhook_url": url, "webhook_secret": "whsec_1"}
        members = {"endpoint": "platform_webhook", "platforms": {"bot_1": platform}, "private_hosts": ["127.0.0.1"]}
        config = tmp_path / "config.json"
        config.write_text(json.dumps(members))
        step, text = failure(run, "--config", str(config), "--bot", "bot_1", *arguments)
        assert "the key" not in text and "base_url" not in text and "Partner API" not in text
        return step, text

    return find


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, ["webhook_secret", "account_id", "webhook_url", "clock", " UTC"]),
        (403, ["webhook_secret", "account_id", "webhook_url", "clock"]),
        (404, ["webhook_url", "/availability/search", "account_id"]),
        (405, ["webhook_url", "/availability/search"]),
        (308, ["webhook_url", "moved"]),
        (400, ["account_id"]),
        (422, ["account_id"]),
        (429, ["platform is asked too often"]),
        (500, ["platform is in trouble"]),
    ],
)
def test_doctor_a_webhook_that_refuses(of_webhook, start_faults, status, said):
    refusal = http_reply(status, b'{"error":{"code":"no","message":"No"}}')
    step, text = of_webhook(start_faults(answer(refusal)).url)
    assert step == "service" and [word for word in said if word not in text] == [], text


def test_doctor_a_webhook_that_is_none(of_webhook, start_faults):
    server = start_faults(answer(http_reply(200, b"<html>")))
    step, text = of_webhook(server.url)
    assert step == "service" and "no platform's webhook: check webhook_url" in text
    server.stop_listening()
    step, text = of_webhook(server.url)
    assert step == "connect" and "check webhook_url" in text


def test_doctor_a_webhook_with_another_hosts_certificate(run, start_faults, certificates, tmp_path):
    server = start_faults(stall(), certificate=certificates.wrong_host)
    platform = {"account_id": "acct_1", "webhook_url": server.url, "webhook_secret": "whsec_1"}
    members = {"endpoint": "platform_webhook", "platforms": {"bot_1": platform}, "private_hosts": ["127.0.0.1"]}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({**members, "tls": {"ca_file": str(certificates.ca_file)}}))
    step, text = failure(run, "--config", str(config), "--bot", "bot_1")
    assert step == "TLS" and "webhook_url and certificate must name the same host" in text


def test_doctor_a_platform_that_does_not_know_the_signature(run, relay2, reference, tmp_path):
    members = relay2.config(reference.account())
    [(bot, platform)] = members["platforms"].items()
    platform["webhook_secret"] = "whsec_of_another"
    config = tmp_path / "config.json"
    config.write_text(json.dumps(members))
    step, text = failure(run, "--config", str(config), "--bot", bot)
    assert step == "service" and "webhook_secret" in text and "the key" not in text


def test_doctor_searches_date_times_with_an_offset(run, start_faults):
    """A plain date means another day on each platform."""
    server = start_faults(answer(http_reply(200, b'{"availabilities":[]}')))
    code, found = examine(run, "--bot", "b", API_KEY=API_KEY, API_URL=server.url)
    assert code == 0 and "0 free in the next 24 hours" in found["service"][1]
    asked = json.loads(server.requests[0].body)["query"]["filter"]["start_at_range"]
    for moment in asked.values():
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", moment)


def test_doctor_asks_for_the_days_of_the_sandboxs_clock(run, tmp_path):
    config = tmp_path / "config.json"
    config.write_text('{"sandbox":{"now":"2030-01-14T08:00:00Z"}}')
    code, found = examine(run, "--sandbox", "--config", str(config))
    assert code == 0 and "16 free" in found["service"][1]


def test_doctor_of_a_platform(run, relay2, reference, tmp_path):
    config = tmp_path / "config.json"
    members = relay2.config(reference.account())
    config.write_text(json.dumps(members))
    bot = next(iter(members["platforms"]))
    code, found = examine(run, "--config", str(config), "--bot", bot)
    assert code == 0 and found["TLS"][0] == "ok" and "it answers" in found["service"][1]
