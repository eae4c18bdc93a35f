"""Error texts of the commands, and the lines of the doctor.

The core writes the messages of the library's own errors. Tests/python/test_messages.py checks the
length and form of the texts here. It fails when a module of a command contains an error text.
"""

from __future__ import annotations

# ---- Command line ------------------------------------------------------------------------------

NO_KEY = "the environment has no PARTNER_API_KEY: put the key there, or try --sandbox"
NO_BOT = "no bot: name it by --bot or in PARTNER_BOT_ID"
NO_LEDGER = "no ledger: name it by --ledger or in PARTNER_LEDGER"
NO_ARGUMENTS = "each tool's name needs its arguments after it: '{}' when it has none"
STOPPED = "stopped"
STOPPED_TOOL = "stopped: an appointment may have been booked. Run the same command again with the same --call"
NOTHING_BOOKED = "nothing was booked"
SECOND_APPOINTMENT = "for a second appointment use another --key"
NOTHING_OPEN = "nothing is open"


def not_an_object(file: str | None) -> str:
    return f"{file}: not a JSON object"


def unreadable(file: str | None, reason: object) -> str:
    return f"{file}: {reason}"


def not_printed(reason: object) -> str:
    return f"the answer could not be printed: {reason}"


def may_be_booked(key: str) -> str:
    return f"It may have been booked: run the same command again with --key {key}"


def last_answer(answer: str) -> str:
    return f"last answer: {answer}"


def to_correct(field: str) -> str:
    return f"to correct: {field}"


def booking_of_key(state: str, start_at: str | None) -> str:
    return f"the key's booking: {state}, {start_at}"


# ---- Open bookings -----------------------------------------------------------------------------

OPEN_WITHDRAWN = "open, withdrawn"


def ledger_failed(reason: str) -> str:
    return f"the ledger cannot be asked: {reason}"


def oldest_only(count: int) -> str:
    return f"these are the oldest {count}, there may be more"


def not_heard(state: str) -> str:
    return f"{state}, not heard"


def held_by_nobody(duration: str, owner: str) -> str:
    return f"nobody for {duration}, {owner} before"


def held_by(owner: str, duration: str) -> str:
    return f"{owner} for {duration}"


# ---- Servers -----------------------------------------------------------------------------------

CALL_ID = "a call's name has 1 to 256 bytes, all of them printable"
NO_ARGUMENTS_FIELD = "--call-field and --phone-field need --arguments-field: else the model could write them"
NO_HEADERS = "--call-header and --phone-header must be names of headers"
STOPPING = "stopping"


def streams_closed(reason: object) -> str:
    return f"standard input, output and error have to be open: {reason}"


def server_failed(kind: str) -> str:
    return f"the server failed: {kind}"


def cannot_listen(host: str, port: int, reason: object) -> str:
    return f"cannot listen on {host} port {port}: {reason}"


def listening(host: str, port: int) -> str:
    return f"listening on http://{host}:{port}"


def written_by_model(option: str) -> str:
    return f"{option} is within --arguments-field, where the model writes"


def open_to_others(host: str) -> str:
    return f"{host} can be reached from other machines: give a secret by --secret-file or --secret-env"


def secret_count(place: str, most: int) -> str:
    return f"{place}: there is no secret, or there are more than {most}"


def secret_length(place: str, least: int) -> str:
    return f"{place}: a secret has at least {least} bytes: use `openssl rand -hex 32`"


# ---- Words and slots ---------------------------------------------------------------------------

NOT_CLEAR = "not clear: ask the caller which one is meant"
NO_SLOTS = "no free slots"
NOT_PICKED = "no slot, or more than one, has that name"


def corrected(names: str) -> str:
    return f"corrected: {names}"


def assumed(names: str) -> str:
    return f"assumed: {names}"


def skipped(item: int, reason: str) -> str:
    return f"skipped item {item}: {reason}"


# ---- Doctor: findings --------------------------------------------------------------------------

KEY_FORM = "has the form of a key, sk_ptnr_..."
KEY_NOT_A_STRING = "The key is not a string"
KEY_SPACE = "The key has white space around it: remove it"
KEY_START = "This is no partner key: partner keys start with sk_ptnr_"
KEY_CHARACTERS = "The key has characters that no key has: copy it again, whole and by itself"
NOT_USED_ON_LOOPBACK = "not used on loopback"
KEY_ACCEPTED_NO_BOT = "the key is accepted. Name a bot (--bot) to try that as well"
KEY_ACCEPTED = "the key is accepted, the bot is known"
ANSWERS = "it answers"


def library(version: str, path: object) -> str:
    return f"{version}, {path}"


def with_field(message: str, field: str) -> str:
    return f"{message} ({field})"


def addresses(host: str, found: str, duration: str) -> str:
    return f"{host} is {found} ({duration})"


def free(answer: str, count: int) -> str:
    return f"{answer}; {count} free in the next 24 hours"


def handshake(duration: str) -> str:
    return f"the certificate is trusted; handshake {duration}"


def not_measured(reason: str) -> str:
    return f"not measured: {reason}"


def later_failure(reason: str) -> str:
    return f"The first search worked, but a later one failed: {reason}"


def latency(middle: str, first: str) -> str:
    return f"{middle} for a search, {first} for the first with its connection"


def slow(latency: str) -> str:
    return f"{latency}. The caller hears that pause: let the bot say something (slow_after_ms)"


def diagnosis(message: str, advice: str, code: str, status: int | None) -> str:
    return f"{message.removesuffix('.')}. {advice} [{code}{f', HTTP {status}' if status else ''}]"


# ---- Doctor: advice ----------------------------------------------------------------------------

UNUSED_PROXY = "The library does not use the proxy in HTTPS_PROXY: configure proxy"
CHECK_PROXY = "Check proxy, and that this machine may use it"
CHECK_KEY = "The service does not accept the key: check that it is valid, and that it belongs to this base_url"
ADD_BOT = "Add this bot and its webhook_url to platforms"
NO_ANSWER = "Connected or not, no answer came in time: try again with a larger --timeout-ms"
SERVICE_IN_TROUBLE = "The service is in trouble, and this machine is not: try again later"
KEY_TOO_OFTEN = "The key is asked too often: wait a moment"
CORRECT_CONFIGURATION = "Correct the configuration"
SERVICE_MOVED = "The service has moved, and the library does not send the key elsewhere: correct base_url"
WRONG_BOT_OR_PATH = "Either the bot is not known, or base_url or paths are wrong"
REQUEST_REFUSED = "The service does not like the request"
PLATFORM_IN_TROUBLE = "The platform is in trouble, and this machine is not: try again later, or ask its operator"
PLATFORM_TOO_OFTEN = "The platform is asked too often: wait a moment"
WEBHOOK_MOVED = "The platform's webhook has moved, and signed requests do not follow: correct webhook_url"
WEBHOOK_PATH = (
    "webhook_url has the wrong path (the library appends /availability/search and /bookings), "
    "or the platform does not know account_id"
)
WEBHOOK_REFUSED = "The platform does not like the request: check that account_id is this clinic's"
NO_CERTIFICATES = (
    "Install this system's ca-certificates, or name a file of certificates by tls.ca_file or the environment's "
    "SSL_CERT_FILE"
)


def no_such_host(host: str) -> str:
    return f"The name {host} has no address: check its spelling, and that this machine reaches its name server"


def nobody_answers(host: str, member: str) -> str:
    return f"Nobody answers at {host}: check {member}, and that no firewall stops this machine"


def private_host(host: str) -> str:
    return f"If {host} is a machine of yours, add it to private_hosts"


def dropped(host: str) -> str:
    return f"{host} took the connection and dropped it: check that nothing else answers at this address"


def not_the_api(host: str) -> str:
    return f"The server at {host} is not the Partner API: check base_url"


def not_a_webhook(host: str) -> str:
    return f"The server at {host} is no platform's webhook: check webhook_url"


def wrong_signature(clock: str) -> str:
    return (
        "The platform does not accept the signature: check webhook_secret, account_id and webhook_url. "
        f"Check this machine's clock too, which shows {clock}: at most 300 seconds off"
    )


def other_host(member: str, host: str) -> str:
    return f"{member} and certificate must name the same host: this one is not for {host}"


def expired(host: str, clock: str) -> str:
    return f"If this machine's clock is right (it shows {clock}), {host} needs a new certificate"


def private_authority(host: str) -> str:
    return (
        f"{host} uses a private authority, or a machine on the way opens TLS: trust it by tls.ca_file, or install "
        "this system's ca-certificates"
    )


def no_tls(host: str) -> str:
    return f"Check that {host} speaks TLS 1.2 or later at this port"
