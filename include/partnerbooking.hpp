/*
 * libpartnerbooking for C++17 and later: partnerbooking.h with owners, exceptions and futures. Header only, over the C ABI
 * alone.
 *
 * JSON goes in and comes out as text. Read replies with the JSON library that you have,
 * or with json_get(). json_quote() writes a text into a request. docs/json-contract.md
 * has the members of requests and replies, and partnerbooking.h the rules behind every
 * function here.
 *
 *     partnerbooking::Client client(R"({"endpoint":"sandbox"})");
 *     std::string slots = client.search_availability(request);            // waits; throws partnerbooking::Error
 *
 *     auto call = client.submit(PBK_SEARCH_AVAILABILITY, request);        // does not wait
 *     call.ticket.cancel();                                               // when the caller speaks
 *     std::string reply = call.reply.get();                               // a std::future
 *
 * Errors.     What gives text or a call throws Error, and has a twin whose name begins with try_, which is noexcept and gives a
 *             Result: the value, or that same Error. What gives a pbk_status or a verdict never throws. With -fno-exceptions
 *             (and -fno-rtti) the twins are there and what throws is not declared. Memory that runs out is an error like any
 *             other (PBK_RESOURCE_UNAVAILABLE, and the outcome is unknown) where exceptions are on.
 *
 * Ownership.  Client and Completion own what they hold and can be moved but not copied. A Ticket only names a call: copy it
 *             freely, and use it whenever you like, also after its client is gone. Texts that you pass in are borrowed for the
 *             call.
 *
 * Threads.    Every const member function may be called from any thread at any time, also on the same object. Moving, assigning
 *             and destroying an object need it alone. In a child after fork() inherited clients are closed, and calls of the
 *             parent never end: wait for no future of theirs there.
 *
 * Blocking.   search_availability(), create_booking(), lookup_customer(), call_tool(),
 *             next_completion(), close(), the destructor of a Client (at most two seconds)
 *             and std::future wait. Nothing else does.
 *
 * Build with `-lpartnerbooking`.
 */
#ifndef PARTNERBOOKING_HPP
#define PARTNERBOOKING_HPP

#include <pthread.h>

#include <atomic>
#include <cassert>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "partnerbooking.h"

/* Whether what throws is declared. */
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS)
#define PARTNERBOOKING_EXCEPTIONS 1
#else
#define PARTNERBOOKING_EXCEPTIONS 0
#endif

namespace partnerbooking {

/* Programs may hold parts with and parts without exceptions: what is built differently must not have the same name. */
#if PARTNERBOOKING_EXCEPTIONS
inline namespace with_exceptions {
#else
inline namespace without_exceptions {
#endif

class Error;
template <class Value>
class Result;

namespace detail {

struct FreeString {
    void operator()(char *string) const noexcept { pbk_string_free(string); }
};
using OwnedString = std::unique_ptr<char, FreeString>;

struct FreeCompletion {
    void operator()(pbk_completion *completion) const noexcept { pbk_completion_free(completion); }
};

/* Runs what may find no memory left; false then. Without exceptions the program ends there, as at any allocation of its own. */
template <class Function>
bool has_memory_for(Function &&function) noexcept {
#if PARTNERBOOKING_EXCEPTIONS
    try {
        function();
        return true;
    } catch (...) {
        return false;
    }
#else
    function();
    return true;
#endif
}

Error error_of(pbk_status status, const char *json) noexcept;
Result<std::string> result_of(pbk_status status, const char *reply, std::size_t length) noexcept;

}  // namespace detail

/**
 * A text for the library: a literal, a `const char *` or a std::string, borrowed for the call. The C ABI wants a NUL byte at
 * its end, and so a std::string_view has to be made a std::string first. A NULL pointer, and a std::string with a NUL byte
 * inside (of which the library would see no more than the beginning), are refused as PBK_INVALID_ARGUMENT.
 */
class TextRef {
public:
    TextRef(const char *text) noexcept : text_(text) {}
    TextRef(const std::string &text) noexcept
        : text_(std::memchr(text.data(), '\0', text.size()) == nullptr ? text.c_str() : nullptr) {}

    const char *c_str() const noexcept { return text_; }

private:
    const char *text_;
};

/** The last answer to a booking in doubt, or the failure that came in its place. */
struct DoubtAnswer {
    /** HTTP status. 0 when no HTTP answer came. */
    int status = 0;

    /** The code of the answer, such as "slot_unavailable", or of the failure. */
    std::string code;
};

/** The error's member "doubt": why a booking is in doubt. Present with PBK_IN_DOUBT. */
struct Doubt {
    /** Age of the oldest request that may have made the booking, in milliseconds. */
    std::int64_t sent_ms_ago = 0;

    /** The last answer. Empty when there was none. */
    std::optional<DoubtAnswer> answer;
};

/** The error's member "existing": the booking that has the key already. Present with
    PBK_IDEMPOTENCY_KEY_REUSED. */
struct Existing {
    /** "booked", "in_flight" or "in_doubt". */
    std::string state;

    /** The booking's start, as its own request had it. Empty when version 1 of the journal
        recorded it, and its reply has none. */
    std::string start_at;

    /** The platform's ID of a booked one. Empty for every other, and when the reply has none. */
    std::string booking_id;
};

/**
 * Why a call failed: the members of the reply's "error" that decide what to do, and its whole text. docs/errors.md says what
 * a voice bot does on each. Copying never throws. References are valid as long as this Error, or a copy of it. Visible also
 * with -fvisibility=hidden, so that what one shared object throws another one can catch.
 *
 * When memory ran out there is no text, and the strings are empty: status() holds all the same, and outcome() is true or
 * PBK_OUTCOME_UNKNOWN.
 */
class PBK_API Error : public std::exception {
public:
    /** Coarse enough for a switch and for a metric label. */
    pbk_status status() const noexcept { return status_; }

    /**
     * Returns the outcome of a failed booking.
     *
     * - PBK_OUTCOME_NOT_SENT: this client sent nothing under the key that can have
     *   booked.
     * - PBK_OUTCOME_REJECTED: every request under the key was refused. Nothing was
     *   booked.
     * - PBK_OUTCOME_UNKNOWN: it may have been booked. Repeat with the same key, never
     *   with a new one.
     */
    pbk_outcome outcome() const noexcept { return outcome_; }

    /** What happened, for example "slot_unavailable": the service's own word when the service answered. */
    const std::string &code() const noexcept { return members().code; }

    /** One sentence for a log; holds neither the API key nor what the caller told, unless a service says it. */
    const std::string &message() const noexcept { return members().message; }

    /** HTTP status; 0 when there was none. */
    int http_status() const noexcept { return members().http_status; }

    /** Whose fault it is: "caller", "library", "network", "partner_api" or "platform". */
    const std::string &source() const noexcept { return members().source; }

    /** Whether the same call, unchanged, may succeed later; a booking with the same key. */
    bool retryable() const noexcept { return members().retryable; }

    /** The time to wait that the service named, or for which it is left alone ("circuit_open"), in milliseconds; else 0. */
    std::int64_t retry_after_ms() const noexcept { return members().retry_after_ms; }

    /** HTTP attempts made. */
    int attempts() const noexcept { return members().attempts; }

    /** The member that is wrong, as a path: "booking.customer.phone". Empty when it is about none. */
    const std::string &field() const noexcept { return members().field; }

    /** The booking's key. Empty when there was none. */
    const std::string &idempotency_key() const noexcept { return members().idempotency_key; }

    /** Returns why a booking is in doubt. Empty unless status() is PBK_IN_DOUBT. */
    const std::optional<Doubt> &doubt() const noexcept { return members().doubt; }

    /**
     * Returns the booking that has the key already. Empty unless status() is
     * PBK_IDEMPOTENCY_KEY_REUSED. Resume the key to get that booking's reply.
     */
    const std::optional<Existing> &existing() const noexcept { return members().existing; }

    /** The service's own name for the request, X-Request-Id. Empty when it gave none. */
    const std::string &request_id() const noexcept { return members().request_id; }

    /** The reply: {"error":{...}}, with all members, those of above and others. */
    const std::string &json() const noexcept { return members().json; }

    /** "code: message", or the status in words when there is no text. */
    const char *what() const noexcept override { return members_ ? members_->what.c_str() : pbk_status_text(status_); }

private:
    friend Error detail::error_of(pbk_status, const char *) noexcept;

    struct Members {
        std::string json, code, message, source, field, idempotency_key, request_id, what;
        std::optional<Doubt> doubt;
        std::optional<Existing> existing;
        std::int64_t retry_after_ms = 0;
        int http_status = 0, attempts = 0;
        bool retryable = false;
    };

    explicit Error(pbk_status status) noexcept : status_(status) {}

    const Members &members() const noexcept {
        static const Members none;
        return members_ ? *members_ : none;
    }

    pbk_status status_;
    pbk_outcome outcome_ = PBK_OUTCOME_UNKNOWN;
    std::shared_ptr<const Members> members_;  /* shared, since an exception that throws while it is copied ends the program */
};

/**
 * A value, or the Error that is the reason why there is none; as std::expected of C++23. Reading the value of a Result that
 * has none by * or ->, or the error of one that has a value, is undefined: ask first.
 */
template <class Value>
class [[nodiscard]] Result {
public:
    Result(Value value) noexcept : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) noexcept : state_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    Value &operator*() & noexcept { return *get(); }
    const Value &operator*() const & noexcept { return *get(); }
    Value &&operator*() && noexcept { return std::move(*get()); }
    Value *operator->() noexcept { return get(); }
    const Value *operator->() const noexcept { return get(); }

    const Error &error() const noexcept {
        const Error *error = std::get_if<1>(&state_);
        assert(error != nullptr);
        return *error;
    }

#if PARTNERBOOKING_EXCEPTIONS
    /** The value; throws the Error when there is none. */
    const Value &value() const & {
        if (!has_value())
            throw error();
        return **this;
    }
    Value value() && {
        if (!has_value())
            throw error();
        return std::move(*get());
    }
#endif

private:
    Value *get() noexcept {
        assert(has_value());
        return std::get_if<0>(&state_);
    }
    const Value *get() const noexcept {
        assert(has_value());
        return std::get_if<0>(&state_);
    }

    std::variant<Value, Error> state_;
};

/**
 * Names a submitted call, and ends it when asked to; destroying it ends nothing. It is a value of two words that owns
 * nothing, and harmless when the call is over or its client is gone.
 */
class Ticket {
public:
    /** Names no call. */
    Ticket() noexcept = default;

    /**
     * Asks for the call to be ended. The call always gets its completion: PBK_CANCELLED,
     * or the reply if it came first. For a booking:
     *
     * - Not sent yet: PBK_OUTCOME_NOT_SENT. If the key was in doubt before, or another
     *   call shares it: PBK_OUTCOME_UNKNOWN.
     * - Sent: PBK_OUTCOME_UNKNOWN. The API cannot cancel an appointment. The library
     *   reads the answer and sends nothing more for this key until you repeat it.
     * - Refused so far, for example with HTTP 429, and waiting for a retry:
     *   PBK_OUTCOME_REJECTED.
     * - With "detach":true in its request: it is not cancelled, and completes.
     *
     * A tool call ends with PBK_CANCELLED. A booking of it that was sent goes on, and the
     * next tool call of the conversation reports its end.
     *
     * @return PBK_OK, also for a call that is over; PBK_CLIENT_CLOSED; PBK_INVALID_CLIENT when it names no call.
     * Any thread, callbacks too; never blocks.
     */
    pbk_status cancel() const noexcept { return pbk_cancel(client_, number_); }

    /** The ticket of the C ABI, which Completion::ticket() gives as well. 0 when it names no call. */
    pbk_ticket number() const noexcept { return number_; }

    explicit operator bool() const noexcept { return number_ != 0; }
    friend bool operator==(const Ticket &left, const Ticket &right) noexcept {
        return left.client_ == right.client_ && left.number_ == right.number_;
    }
    friend bool operator!=(const Ticket &left, const Ticket &right) noexcept { return !(left == right); }

private:
    friend class Client;
    Ticket(pbk_client *client, pbk_ticket number) noexcept : client_(client), number_(number) {}

    pbk_client *client_ = nullptr;  /* a number that is looked up and never dereferenced, and never given to another client */
    pbk_ticket number_ = 0;
};

/**
 * What became of a submitted call: given to its callback, or taken from the client's queue. Keep it as long as you like, also
 * beyond its client. What it gives as std::string_view is valid until it is destroyed or moved from; view.data() ends with a
 * NUL byte, or is NULL.
 *
 * With "report_settled" it can also be the report of a settled booking. Only the queue
 * gives reports, never a callback.
 *
 * Destroying it says that your program has the end of the booking: keep it until that is
 * so. pending_bookings() lists the booking until then.
 */
class Completion {
public:
    /** None, as next_completion() gives when there is none. */
    Completion() noexcept = default;

    /** Whether there is one. */
    explicit operator bool() const noexcept { return completion_ != nullptr; }

    /**
     * Returns the kind. Pass over values that you do not know.
     *
     * - PBK_EVENT_DONE: the call has ended.
     * - PBK_EVENT_SLOW: it goes on, but is slow.
     * - PBK_EVENT_SETTLED: a booking whose call ended with PBK_OUTCOME_UNKNOWN is
     *   settled. status() is PBK_OK when it was booked. key() and tag() name the booking.
     *   ticket() is 0 and context() is NULL.
     */
    pbk_event event() const noexcept { return pbk_completion_event(get()); }

    /** The call's Ticket::number(). 0 for PBK_EVENT_SETTLED. */
    pbk_ticket ticket() const noexcept { return pbk_completion_ticket(get()); }

    /** What was given to submit_to_queue(). NULL for calls with a callback, whose context is the callback itself. */
    void *context() const noexcept { return has_callback_ ? nullptr : pbk_completion_context(get()); }

    /** How the call ended. PBK_OK for PBK_EVENT_SLOW. */
    pbk_status status() const noexcept { return pbk_completion_status(get()); }

    /** What a booking that failed means. */
    pbk_outcome outcome() const noexcept { return pbk_completion_outcome(get()); }

    /** The reply, {"error":{...}} included, without a copy. Empty for PBK_EVENT_SLOW, and when memory was out. */
    std::string_view reply() const noexcept {
        return {pbk_completion_reply(get()), pbk_completion_reply_length(get())};
    }

    /**
     * Returns a copy of the service's reply, or the error, as the call's blocking
     * function does. For PBK_EVENT_DONE and PBK_EVENT_SETTLED.
     */
    Result<std::string> result() const noexcept {
        return detail::result_of(status(), pbk_completion_reply(get()), pbk_completion_reply_length(get()));
    }

    /** The request's "tag". Empty when it had none. */
    std::string_view tag() const noexcept { return view(pbk_completion_tag(get())); }

    /** Returns the booking's "idempotency_key". Empty for searches, look-ups and tool calls without a booking. */
    std::string_view key() const noexcept { return view(pbk_completion_key(get())); }

    /** Where the time went, as JSON: docs/json-contract.md. */
    std::string_view timing() const noexcept { return view(pbk_completion_timing(get())); }

    /** For functions of the C ABI; stays owned. */
    const pbk_completion *get() const noexcept { return completion_.get(); }

private:
    friend class Client;
    Completion(pbk_completion *completion, bool has_callback) noexcept
        : completion_(completion), has_callback_(has_callback) {}

    static std::string_view view(const char *text) noexcept {
        return text == nullptr ? std::string_view() : std::string_view(text);
    }

    std::unique_ptr<pbk_completion, detail::FreeCompletion> completion_;
    bool has_callback_ = false;
};

namespace detail {

/* What can be called back: with a Completion, and destroyed on the transfer thread, where nothing may be thrown. */
template <class Callback>
constexpr bool is_callback = std::is_invocable_v<Callback &, Completion> && std::is_nothrow_destructible_v<Callback>;

/* What can be made of nullptr and compared with it may call nothing: a pointer to a function, std::function and its kin. */
template <class Callback, class = void>
struct MayBeEmpty : std::false_type {};
template <class Callback>
struct MayBeEmpty<Callback, std::void_t<decltype(std::declval<const Callback &>() == nullptr)>>
    : std::is_constructible<Callback, std::nullptr_t> {};

template <class Callback>
bool is_empty(const Callback &callback) noexcept {
    if constexpr (MayBeEmpty<Callback>::value)
        return callback == nullptr;
    else
        return false;
}
template <class Callback>
bool is_empty(const std::reference_wrapper<Callback> &callback) noexcept {
    return is_empty(callback.get());
}

}  // namespace detail

#if PARTNERBOOKING_EXCEPTIONS
/**
 * A call under way: its reply by a std::future, and the ticket that cancels it. Destroying either waits for nothing and ends
 * nothing: the call goes on, and its reply is dropped.
 *
 * The future gives the reply or throws Error. It gets ready by the call's deadline at the latest, also when the client is
 * closed or destroyed before. Never wait for it in a callback: that would be a wait of the transfer thread for itself.
 *
 * The end of a booking counts as heard once its future is ready, also when nobody reads the
 * future.
 */
struct Call {
    std::future<std::string> reply;
    Ticket ticket;
};

/** Is told of an exception. */
using ExceptionHandler = void (*)(std::exception_ptr exception) noexcept;

namespace detail {
inline std::atomic<ExceptionHandler> callback_exception_handler{nullptr};
}  // namespace detail

/**
 * Says who is told, on the transfer thread, of exceptions that leave a callback; for the whole program, as std::set_terminate
 * does (with -fvisibility=hidden for the shared object that it is called in). Through the frames of the C ABI they cannot go,
 * and a callback's mistake shall not end other callers' conversations: so they end there, and without a handler nobody hears
 * of them.
 *
 * @param handler  NULL for none. It must not wait.
 * @return The handler before.
 */
inline ExceptionHandler set_callback_exception_handler(ExceptionHandler handler) noexcept {
    return detail::callback_exception_handler.exchange(handler);
}
#endif

/** What the noexcept twin of a Call is: the future gives the reply or the Error, and never throws that. */
struct TryCall {
    std::future<Result<std::string>> reply;
    Ticket ticket;
};

/**
 * A client of the Partner API: one configuration, one transfer thread, one pool of connections. Open one and keep it.
 *
 * The functions that wait ask the service and give its reply, byte for byte. Those of submit hand a call over and return at
 * once, having waited for no network, resolver or file; every call that was accepted ends in exactly one completion. A call
 * that is refused (the request is wrong, too many are under way, the client is closed) throws Error instead, or is the Error
 * of the twin's Result.
 *
 * A client that was moved from refuses every call with PBK_INVALID_CLIENT.
 */
class Client {
public:
    /**
     * Opens a client. {"endpoint":"sandbox"} is a clinic within this process, {"api_key":"sk_ptnr_..."} the hosted Partner
     * API. Starts to connect, and does not wait for it.
     */
    static Result<Client> try_open(TextRef config) noexcept {
        char *error = nullptr;
        pbk_status status = PBK_OK;
        pbk_client *client = pbk_client_open(config.c_str(), &error, &status);
        const detail::OwnedString owned(error);
        if (client == nullptr)
            return detail::error_of(status, error);
        return Client(client);
    }
#if PARTNERBOOKING_EXCEPTIONS
    explicit Client(TextRef config) : Client(try_open(config).value()) {}
#endif

    Client(Client &&other) noexcept : client_(std::exchange(other.client_, nullptr)) {}
    Client &operator=(Client &&other) noexcept {
        if (this != &other) {
            end();
            client_ = std::exchange(other.client_, nullptr);
        }
        return *this;
    }
    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;

    /**
     * Ends the calls under way at once (each is completed, with PBK_CLIENT_CLOSED), and drops what waits in the completion
     * queue; no callback runs after it. To let calls finish, close() first.
     *
     * Where it may not wait, in a callback (the last owner of a client may be a callback's object), a thread of its own
     * closes the client, and callbacks of calls that were under way run until it has.
     */
    ~Client() { end(); }

    /**
     * Refuses new calls, lets those under way finish, and ends the rest. The object stays: completions in the queue can be
     * taken after it, and calls are refused with PBK_CLIENT_CLOSED.
     *
     * Within the same time it also waits for background bookings, whose calls have ended.
     * A booking that is not settled by then stays in doubt. A journal keeps it. Such
     * bookings do not make the result PBK_TIMEOUT.
     *
     * @return PBK_OK when no call had to be ended, PBK_TIMEOUT when some were; PBK_CLIENT_CLOSED when it was closed before,
     *         and in a callback PBK_WOULD_DEADLOCK.
     * Blocks for at most the timeout (up to 10 minutes) and two seconds.
     */
    pbk_status close(std::chrono::milliseconds timeout) const noexcept {
        return pbk_client_close(client_, milliseconds(timeout));
    }

    /** The handle, for functions of the C ABI. It stays owned. */
    pbk_client *get() const noexcept { return client_; }

    /* ---- What waits: until the reply or the deadline; not in a callback ---- */

    /** Searches free appointment slots. Gives {"availabilities":[...]}. The deadline is "timeout_ms", or 5 seconds. */
    Result<std::string> try_search_availability(TextRef request) const noexcept {
        return wait(pbk_search_availability, request);
    }

    /**
     * Books an appointment slot. Gives {"booking":{...}}. "idempotency_key" names the booking: one key, one booking. After an
     * Error with PBK_OUTCOME_UNKNOWN repeat the call with the same key, never with a new one. The deadline is "timeout_ms",
     * or 35 seconds.
     *
     * The library does not abandon a booking that was sent. If it is not settled at the
     * deadline, the call ends with PBK_OUTCOME_UNKNOWN, and the request continues in the
     * background. Then the library asks again with the same key, for at most
     * "settle_for_ms" (not with "platform_keys":"none"). A repeat of the key joins the
     * background request.
     *
     * {"idempotency_key":...,"resume":true} settles a booking, or returns its end, by its key alone.
     * {"idempotency_key":...,"give_up":true} ends a doubt that nobody can settle, and
     * {"give_up":true,"bot_id":...,"start_before":...} all doubts of a bot before that
     * moment. Both send nothing. The reply is {"given_up":[...],"kept":[...]}.
     */
    Result<std::string> try_create_booking(TextRef request) const noexcept {
        return wait(pbk_create_booking, request);
    }

    /** Tells who is calling. Gives {"found":...}. Not with the Partner API, which has no such operation. */
    Result<std::string> try_lookup_customer(TextRef request) const noexcept { return wait(pbk_lookup_customer, request); }

    /**
     * Answers a tool call of a language model. Gives
     * {"tool":...,"result":...,"text":...}: send "text" to the model, and speak "say" if
     * the bot speaks by itself. An Error is the host's to handle. Whatever the model can
     * act on is a value, also when nothing was booked: look at "result".
     *
     * Hand the model's arguments over as they came, as a JSON string: json_quote() makes
     * it. The configuration needs "voice" with a "time_zone". The deadline is
     * "timeout_ms", or 35 seconds to book and 5 for the other tools.
     */
    Result<std::string> try_call_tool(TextRef request) const noexcept { return wait(pbk_call_tool, request); }

#if PARTNERBOOKING_EXCEPTIONS
    std::string search_availability(TextRef request) const { return try_search_availability(request).value(); }
    std::string create_booking(TextRef request) const { return try_create_booking(request).value(); }
    std::string lookup_customer(TextRef request) const { return try_lookup_customer(request).value(); }
    std::string call_tool(TextRef request) const { return try_call_tool(request).value(); }
#endif

    /* ---- Calls with a future: any thread, callbacks too; never blocks ---- */

    /** Hands a call over; its reply comes by a future. */
    Result<TryCall> try_submit(pbk_operation operation, TextRef request) const noexcept {
        TryCall call;
        Result<Ticket> ticket = submit_with_future<TryPromise>(operation, request, call.reply);
        if (!ticket)
            return ticket.error();
        call.ticket = *ticket;
        return call;
    }
#if PARTNERBOOKING_EXCEPTIONS
    Call submit(pbk_operation operation, TextRef request) const {
        Call call;
        call.ticket = submit_with_future<Promise>(operation, request, call.reply).value();
        return call;
    }
#endif

    /* ---- Calls with a callback: any thread, callbacks too; never blocks ---- */

    /**
     * Hands a call over whose completion comes by a callback, on the client's transfer thread: return soon, and wait for
     * nothing, since every other call of the client waits meanwhile.
     *
     * @param callback  Called as callback(Completion), once with PBK_EVENT_DONE, and with "slow_after_ms" perhaps once before
     *                  with PBK_EVENT_SLOW; never for a call that is refused. An empty one (a NULL function pointer, an empty
     *                  std::function) is refused with PBK_INVALID_ARGUMENT, before the client is looked at: also where that
     *                  is closed. It is moved or copied (where that throws, the call
     *                  is refused with PBK_RESOURCE_UNAVAILABLE), needs not be copyable, and is kept until PBK_EVENT_DONE,
     *                  after which it is destroyed on that thread. It may run before this function returns. What it throws ends
     *                  there (see set_callback_exception_handler()), and with -fno-exceptions, where nothing can be caught, it
     *                  ends the program. The end of a booking counts as heard when the callback has returned or thrown, or
     *                  when the Completion that it has moved away is destroyed.
     */
    template <class Callback, class = std::enable_if_t<detail::is_callback<std::decay_t<Callback>>>>
    Result<Ticket> try_submit(pbk_operation operation, TextRef request, Callback &&callback) const noexcept {
        std::unique_ptr<std::decay_t<Callback>> owned;
        const bool has_memory = detail::has_memory_for(
            [&] { owned = std::make_unique<std::decay_t<Callback>>(std::forward<Callback>(callback)); });
        if (!has_memory)
            return detail::error_of(PBK_RESOURCE_UNAVAILABLE, nullptr);
        if (detail::is_empty(*owned))
            return detail::error_of(PBK_INVALID_ARGUMENT, empty_callback(operation));
        return submit_owned(operation, request, std::move(owned));
    }
#if PARTNERBOOKING_EXCEPTIONS
    template <class Callback, class = std::enable_if_t<detail::is_callback<std::decay_t<Callback>>>>
    Ticket submit(pbk_operation operation, TextRef request, Callback &&callback) const {
        return try_submit(operation, request, std::forward<Callback>(callback)).value();
    }
#endif

    /* ---- Calls whose completions wait in the queue, for a loop of yours: any thread, callbacks too ---- */

    /** Hands a call over whose completion waits for next_completion(). Never blocks. `context` comes back in the completion. */
    Result<Ticket> try_submit_to_queue(pbk_operation operation, TextRef request, void *context = nullptr) const noexcept {
        return submit_raw(operation, request, nullptr, context);
    }
#if PARTNERBOOKING_EXCEPTIONS
    Ticket submit_to_queue(pbk_operation operation, TextRef request, void *context = nullptr) const {
        return try_submit_to_queue(operation, request, context).value();
    }
#endif

    /**
     * Takes the oldest completion from the queue; none when none came in time. Take them: one that waits counts against
     * "max_in_flight" and "max_queued".
     *
     *     while (Completion done = client.next_completion()) ...
     *
     * With "report_settled" the queue also gives one PBK_EVENT_SETTLED for each booking
     * that is settled after its call ended with PBK_OUTCOME_UNKNOWN. This includes calls
     * that were made by a blocking function, a future or a callback. Look at event()
     * first: such a completion has no ticket and no context.
     *
     * @param timeout  How long to wait for one, up to 10 minutes. In a callback it never waits.
     * @param status   Where to put PBK_OK, PBK_TIMEOUT (none in time) or PBK_CLIENT_CLOSED (closed, and none will come). May
     *                 be NULL.
     */
    Completion next_completion(std::chrono::milliseconds timeout = {}, pbk_status *status = nullptr) const noexcept {
        return Completion(pbk_next_completion(client_, milliseconds(timeout), status), false);
    }

    /**
     * A descriptor for poll and epoll: readable as long as a completion waits in the queue. Do not read, write or close it. -1 when
     * the client is closed.
     */
    int fd() const noexcept { return pbk_client_fd(client_); }

    /* ---- The rest: any thread, callbacks too; never blocks ---- */

    /** Gets a connection ready in the background, when the phone rings; needed only with "keep_warm_ms":0. */
    pbk_status prewarm() const noexcept { return pbk_prewarm(client_); }

    /**
     * Searches ahead, when the phone rings. The next find_appointment_slots of the bot
     * then needs no round trip, for "cache_ms" of the configuration. Nothing reports the
     * end of the search. The value is PBK_OK.
     */
    Result<pbk_status> try_prefetch(TextRef request) const noexcept { return hand_over(pbk_prefetch, request); }

    /**
     * Forgets what a conversation was offered, when the caller has hung up. Its bookings
     * stay. Without it a conversation is forgotten after an hour. The value is PBK_OK,
     * also for a conversation that is not known.
     */
    Result<pbk_status> try_conversation_end(TextRef request) const noexcept {
        return hand_over(pbk_conversation_end, request);
    }

    /**
     * Returns the bookings whose end your program has not heard:
     * {"pending_bookings":[...],"journal":...}. With a journal it includes those of earlier
     * processes. A booking of create_booking() counts as heard one second after the return.
     */
    Result<std::string> try_pending_bookings() const noexcept { return list(pbk_pending_bookings); }

    /** What the embedded sandbox has booked, for tests: {"bookings":[...]}. */
    Result<std::string> try_sandbox_bookings() const noexcept { return list(pbk_sandbox_bookings); }

#if PARTNERBOOKING_EXCEPTIONS
    void prefetch(TextRef request) const { static_cast<void>(try_prefetch(request).value()); }
    void conversation_end(TextRef request) const { static_cast<void>(try_conversation_end(request).value()); }
    std::string pending_bookings() const { return try_pending_bookings().value(); }
    std::string sandbox_bookings() const { return try_sandbox_bookings().value(); }
#endif

private:
    explicit Client(pbk_client *client) noexcept : client_(client) {}

    /* Closes the client and takes what it leaves in the queue, which would keep its memory. */
    static pbk_status close_and_drop(pbk_client *client) noexcept {
        const pbk_status status = pbk_client_close(client, 0);
        if (status != PBK_WOULD_DEADLOCK)
            while (pbk_completion *left = pbk_next_completion(client, 0, nullptr))
                pbk_completion_free(left);
        return status;
    }

    static void *close_elsewhere(void *client) noexcept {
        close_and_drop(static_cast<pbk_client *>(client));
        return nullptr;
    }

    void end() noexcept {
        /* pthread_create and not std::thread, which throws. Should even that fail, the client stays open. */
        pthread_t thread;
        if (client_ != nullptr && close_and_drop(client_) == PBK_WOULD_DEADLOCK
            && pthread_create(&thread, nullptr, close_elsewhere, client_) == 0)
            pthread_detach(thread);
        client_ = nullptr;
    }

    static std::int32_t milliseconds(std::chrono::milliseconds time) noexcept {
        constexpr std::chrono::milliseconds most(600000);
        return static_cast<std::int32_t>(time.count() < 0 ? 0 : time > most ? most.count() : time.count());
    }

    static Result<std::string> result(pbk_status status, char *reply) noexcept {
        const detail::OwnedString owned(reply);
        return detail::result_of(status, reply, reply == nullptr ? 0 : std::strlen(reply));
    }

    Result<std::string> wait(char *(*function)(pbk_client *, const char *, pbk_status *), TextRef request) const noexcept {
        pbk_status status = PBK_OK;
        char *reply = function(client_, request.c_str(), &status);
        return result(status, reply);
    }

    Result<pbk_status> hand_over(pbk_status (*function)(pbk_client *, const char *, char **), TextRef request) const noexcept {
        char *error = nullptr;
        const pbk_status status = function(client_, request.c_str(), &error);
        const detail::OwnedString owned(error);
        if (status != PBK_OK)
            return detail::error_of(status, error);
        return status;
    }

    Result<std::string> list(char *(*function)(pbk_client *, pbk_status *)) const noexcept {
        pbk_status status = PBK_OK;
        char *reply = function(client_, &status);
        return result(status, reply);
    }

    Result<Ticket> submit_raw(pbk_operation operation, TextRef request, pbk_callback callback, void *context) const noexcept {
        pbk_ticket number = 0;
        char *error = nullptr;
        const pbk_status status = pbk_submit(client_, operation, request.c_str(), &number, &error, callback, context);
        const detail::OwnedString owned(error);
        if (status != PBK_OK)
            return detail::error_of(status, error);
        return Ticket(client_, number);
    }

    template <class Callback>
    Result<Ticket> submit_owned(pbk_operation operation, TextRef request, std::unique_ptr<Callback> callback) const noexcept {
        Result<Ticket> ticket = submit_raw(operation, request, complete<Callback>, callback.get());
        if (ticket)
            callback.release();     /* perhaps gone by now: it belongs to complete() */
        return ticket;
    }

    /* The error reply for it. A call without a callback is one for the queue, so that the C ABI refuses none. The key
       is null, so the outcome is about this call only. */
    static const char *empty_callback(pbk_operation operation) noexcept {
        if (operation == PBK_CREATE_BOOKING)
            return R"({"error":{"code":"invalid_argument","message":"The callback is empty","status":null,"source":"caller",)"
                   R"("retryable":false,"attempts":0,"field":"callback","request_id":null,"outcome":"not_sent",)"
                   R"("idempotency_key":null}})";
        return R"({"error":{"code":"invalid_argument","message":"The callback is empty","status":null,"source":"caller",)"
               R"("retryable":false,"attempts":0,"field":"callback","request_id":null}})";
    }

    /* What the library calls. Nothing may be thrown through it. */
    template <class Callback>
    static void complete(void *context, pbk_completion *raw) noexcept {
        Completion completion(raw, true);
        Callback *const callback = static_cast<Callback *>(context);
        const std::unique_ptr<Callback> over(completion.event() == PBK_EVENT_DONE ? callback : nullptr);
#if PARTNERBOOKING_EXCEPTIONS
        try {
            (*callback)(std::move(completion));
        } catch (...) {
            if (const ExceptionHandler handler = detail::callback_exception_handler.load())
                handler(std::current_exception());
        }
#else
        (*callback)(std::move(completion));
#endif
    }

    /* The callbacks behind futures. */
    struct TryPromise {
        std::promise<Result<std::string>> promise;

        void operator()(Completion completion) {
            if (completion.event() == PBK_EVENT_DONE)
                promise.set_value(completion.result());
        }
    };
#if PARTNERBOOKING_EXCEPTIONS
    struct Promise {
        std::promise<std::string> promise;

        void operator()(Completion completion) {
            if (completion.event() != PBK_EVENT_DONE)
                return;
            Result<std::string> result = completion.result();
            if (result)
                promise.set_value(*std::move(result));
            else
                promise.set_exception(std::make_exception_ptr(result.error()));
        }
    };
#endif

    template <class Promise, class Future>
    Result<Ticket> submit_with_future(pbk_operation operation, TextRef request, Future &future) const noexcept {
        std::unique_ptr<Promise> owned;
        const bool has_memory = detail::has_memory_for([&] {
            owned = std::make_unique<Promise>();
            future = owned->promise.get_future();
        });
        if (!has_memory)
            return detail::error_of(PBK_RESOURCE_UNAVAILABLE, nullptr);
        return submit_owned(operation, request, std::move(owned));
    }

    pbk_client *client_;
};

/** The version of the running library. PBK_VERSION is that of the header. */
inline const char *version() noexcept { return pbk_version(); }

/* ---- Idempotency keys: any thread, callbacks too; never block. docs/exactly-once.md tells which to use when ---- */

/** The key of a booking, derived from the phone call and what is booked, so that a repetition within the call has the same one. */
inline Result<std::string> try_booking_key(TextRef call_id, TextRef request) noexcept {
    char *error = nullptr;
    pbk_status status = PBK_OK;
    const detail::OwnedString key(pbk_booking_key(call_id.c_str(), request.c_str(), &error, &status));
    const detail::OwnedString owned(error);
    if (key == nullptr)
        return detail::error_of(status, error);
    return detail::result_of(PBK_OK, key.get(), std::strlen(key.get()));
}

/** A key that nobody has had before: make one for each booking that the caller wants, and keep it for all repetitions. */
inline Result<std::string> try_random_key() noexcept {
    const detail::OwnedString key(pbk_random_key());
    return detail::result_of(PBK_OK, key.get(), key == nullptr ? 0 : std::strlen(key.get()));
}

/* ---- JSON, without a JSON library: any thread, callbacks too; never block ---- */

/**
 * Reads one value by its JSON pointer: json_get(reply, "/availabilities/0/start_at"). A
 * string comes without quotes and escapes, every other value as written. Empty when there
 * is no such value, the text is not JSON, the pointer is malformed, or memory is out.
 */
inline std::optional<std::string> json_get(TextRef json, TextRef pointer) noexcept {
    std::optional<std::string> value;
    detail::has_memory_for([&] {
        const detail::OwnedString found(pbk_json_get(json.c_str(), pointer.c_str()));
        if (found != nullptr)
            value.emplace(found.get());
    });
    return value;
}

/**
 * Writes a text as a JSON string, with its quotes and escapes, to be put into a request.
 * Invalid UTF-8 becomes U+FFFD. A NULL pointer, and a std::string with a NUL byte
 * inside, are refused as PBK_INVALID_ARGUMENT.
 */
inline Result<std::string> try_json_quote(TextRef text) noexcept {
    if (text.c_str() == nullptr)
        return detail::error_of(
            PBK_INVALID_ARGUMENT,
            R"({"error":{"code":"invalid_argument","message":"The text is NULL or has a NUL")"
            R"(,"status":null,"source":"caller","retryable":false,"attempts":0)"
            R"(,"field":null,"request_id":null}})");
    const detail::OwnedString quoted(pbk_json_quote(text.c_str()));
    const std::size_t length = quoted == nullptr ? 0 : std::strlen(quoted.get());
    return detail::result_of(PBK_OK, quoted.get(), length);
}

/* ---- Voice: any thread, callbacks too; need no client; wait once for the file of a time zone. docs/voice.md ---- */

/**
 * Makes slots that can be offered and booked of a search reply.
 *
 *     auto slots = try_slots(reply, R"({"time_zone":"America/New_York","offers":3})");
 *     if (slots)
 *         offer(json_get(*slots, "/offers/0"));            // {"slot":"tue15-0930u","start_at":"...",...}
 *
 * Reply, options and ranges are those of pbk_slots(). Fails with PBK_UNKNOWN_TIME_ZONE,
 * PBK_INVALID_JSON, PBK_INVALID_FIELD, and PBK_INVALID_ARGUMENT for a NULL pointer or a
 * std::string with a NUL byte inside. Since 0.1.
 */
inline Result<std::string> try_slots(TextRef reply, TextRef options) noexcept {
    pbk_status status = PBK_OK;
    const detail::OwnedString slots(pbk_slots(reply.c_str(), options.c_str(), &status));
    return detail::result_of(status, slots.get(), slots == nullptr ? 0 : std::strlen(slots.get()));
}

/**
 * Reads what a caller said about a day and a time.
 *
 *     auto wish = try_when(R"({"when":"tomorrow","time":"after three","time_zone":"America/New_York"})");
 *     if (wish)
 *         search(json_get(*wish, "/readings/0"));          // the option "reading" of try_slots(), too
 *
 * If "clear" is false, ask the caller which reading is meant. Request and ranges are
 * those of pbk_when(). Fails with PBK_TIME_UNCLEAR, PBK_UNKNOWN_TIME_ZONE,
 * PBK_INVALID_JSON, PBK_INVALID_FIELD or PBK_INVALID_ARGUMENT. Since 0.1.
 */
inline Result<std::string> try_when(TextRef request) noexcept {
    pbk_status status = PBK_OK;
    const detail::OwnedString wish(pbk_when(request.c_str(), &status));
    return detail::result_of(status, wish.get(), wish == nullptr ? 0 : std::strlen(wish.get()));
}

/**
 * Puts a slot, a list of slots, a phone number or a length of time into words.
 *
 *     auto said = try_say(R"({"start_at":"2030-01-16T14:30:00Z","time_zone":"America/New_York"})");
 *     if (said)
 *         speak(json_get(*said, "/say"));                  // Wednesday, January sixteenth at nine thirty in the morning
 *
 * Request and ranges are those of pbk_say(). Fails with PBK_UNKNOWN_TIME_ZONE,
 * PBK_PHONE_UNCLEAR, PBK_INVALID_JSON, PBK_INVALID_FIELD or PBK_INVALID_ARGUMENT. Since
 * 0.1.
 */
inline Result<std::string> try_say(TextRef request) noexcept {
    pbk_status status = PBK_OK;
    const detail::OwnedString words(pbk_say(request.c_str(), &status));
    return detail::result_of(status, words.get(), words == nullptr ? 0 : std::strlen(words.get()));
}

/**
 * Reads a phone number as it is spoken or written. Does not wait.
 *
 *     auto phone = try_phone(R"({"text":"five five five, one two three, four five six seven","region":"US"})");
 *     if (phone)
 *         book(json_get(*phone, "/phone"));                // +15551234567
 *
 * Request and ranges are those of pbk_phone(). Fails with PBK_PHONE_UNCLEAR,
 * PBK_INVALID_JSON, PBK_INVALID_FIELD or PBK_INVALID_ARGUMENT. Since 0.1.
 */
inline Result<std::string> try_phone(TextRef request) noexcept {
    pbk_status status = PBK_OK;
    const detail::OwnedString phone(pbk_phone(request.c_str(), &status));
    return detail::result_of(status, phone.get(), phone == nullptr ? 0 : std::strlen(phone.get()));
}

/** Returns tool schemas for a language model and text for its prompt, as pbk_tools() does. */
inline Result<std::string> try_tools(TextRef options) noexcept {
    pbk_status status = PBK_OK;
    const detail::OwnedString tools(pbk_tools(options.c_str(), &status));
    return detail::result_of(status, tools.get(), tools == nullptr ? 0 : std::strlen(tools.get()));
}

/* ---- Webhooks, for platforms: any thread; need no client; never block. docs/platform-webhook.md ---- */

/**
 * Verifies the signature of a webhook request; refuse whatever is not PBK_WEBHOOK_VALID.
 *
 * @param secret     The webhook's secret; not empty.
 * @param header     The value of X-DialStack-Signature; "" when there was none.
 * @param body       The body as it arrived, byte for byte, before anything parses it.
 * @param now        The time since 1970; 0: the system's clock.
 * @param tolerance  How far the signature's time may be off; 0: 300 seconds, as the protocol has it.
 */
inline pbk_webhook_verdict verify_webhook(TextRef secret, TextRef header, std::string_view body, std::chrono::seconds now = {},
                                          std::chrono::seconds tolerance = {}) noexcept {
    const char *const one = secret.c_str();
    return pbk_webhook_verify(&one, 1, header.c_str(), body.data(), body.size(), now.count(), tolerance.count());
}

/** The same with a container of 1 to 16 secrets, any of which may have signed: two, while one replaces the other. */
template <class Secrets, class = std::enable_if_t<!std::is_convertible_v<const Secrets &, TextRef>>>
pbk_webhook_verdict verify_webhook(const Secrets &secrets, TextRef header, std::string_view body, std::chrono::seconds now = {},
                                   std::chrono::seconds tolerance = {}) noexcept {
    const char *some[16] = {};
    std::size_t count = 0;
    static_assert(std::is_lvalue_reference_v<decltype(*std::begin(secrets))>, "the secrets have to outlive the call");
    for (const auto &secret : secrets) {
        if (count == std::size(some))
            return PBK_WEBHOOK_INVALID_ARGUMENT;
        some[count++] = TextRef(secret).c_str();
    }
    return pbk_webhook_verify(some, count, header.c_str(), body.data(), body.size(), now.count(), tolerance.count());
}

/**
 * Signs the body of a webhook request as a client with "platform_webhook" does, for the tests of platforms. Gives the value
 * of X-DialStack-Signature.
 */
inline Result<std::string> try_sign_webhook(TextRef secret, std::string_view body, std::chrono::seconds timestamp = {}) noexcept {
    const detail::OwnedString signature(pbk_webhook_sign(secret.c_str(), body.data(), body.size(), timestamp.count()));
    if (signature == nullptr)
        return detail::error_of(
            PBK_INVALID_ARGUMENT,
            R"({"error":{"code":"invalid_argument","message":"A secret, and a time from 0 on of at most 15 digits, are required",)"
            R"("status":null,"source":"caller","retryable":false,"attempts":0,"field":null,"request_id":null}})");
    return detail::result_of(PBK_OK, signature.get(), std::strlen(signature.get()));
}

#if PARTNERBOOKING_EXCEPTIONS
/* The same, which throw Error instead. */
inline std::string booking_key(TextRef call_id, TextRef request) { return try_booking_key(call_id, request).value(); }
inline std::string random_key() { return try_random_key().value(); }
inline std::string slots(TextRef reply, TextRef options) { return try_slots(reply, options).value(); }
inline std::string when(TextRef request) { return try_when(request).value(); }
inline std::string say(TextRef request) { return try_say(request).value(); }
inline std::string phone(TextRef request) { return try_phone(request).value(); }
inline std::string json_quote(TextRef text) { return try_json_quote(text).value(); }
inline std::string sign_webhook(TextRef secret, std::string_view body, std::chrono::seconds timestamp = {}) {
    return try_sign_webhook(secret, body, timestamp).value();
}
#endif

namespace detail {

/* The value at a pointer, as the C ABI gives it. Empty when there is none. */
inline std::optional<std::string> value_at(const char *json, const char *pointer) {
    const OwnedString value(pbk_json_get(json, pointer));
    return value == nullptr ? std::nullopt : std::optional<std::string>(value.get());
}

/* A text that may be null or missing: "" then. */
inline std::string text_at(const char *json, const char *pointer) {
    std::optional<std::string> text = value_at(json, pointer);
    return text && *text != "null" ? *std::move(text) : std::string();
}

/* A whole number; 0 when it is none. */
template <class Integer>
Integer number_at(const char *json, const char *pointer) {
    const std::string text = text_at(json, pointer);
    Integer number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/* Whether there is an object. */
inline bool is_object_at(const char *json, const char *pointer) {
    const std::string text = text_at(json, pointer);
    return text.size() >= 2 && text.front() == '{' && text.back() == '}';
}

/* Reads the member "doubt". Empty when there is none. */
inline std::optional<Doubt> doubt_of(const char *json) {
    if (!is_object_at(json, "/error/doubt"))
        return std::nullopt;
    Doubt doubt;
    doubt.sent_ms_ago = number_at<std::int64_t>(json, "/error/doubt/sent_ms_ago");
    if (is_object_at(json, "/error/doubt/answer"))
        doubt.answer = {number_at<int>(json, "/error/doubt/answer/status"),
                        value_at(json, "/error/doubt/answer/code").value_or("")};
    return doubt;
}

/* Reads the member "existing". Empty when there is none. */
inline std::optional<Existing> existing_of(const char *json) {
    if (!is_object_at(json, "/error/existing"))
        return std::nullopt;
    return Existing{text_at(json, "/error/existing/state"),
                    text_at(json, "/error/existing/start_at"),
                    text_at(json, "/error/existing/booking_id")};
}

inline Error error_of(pbk_status status, const char *json) noexcept {
    Error error(status);
    if (json == nullptr)
        return error;

    error.outcome_ = pbk_reply_outcome(json);
    has_memory_for([&] {
        const auto members = std::make_shared<Error::Members>();
        members->json = json;
        members->code = value_at(json, "/error/code").value_or("");
        members->message = value_at(json, "/error/message").value_or("");
        members->http_status = number_at<int>(json, "/error/status");
        members->source = text_at(json, "/error/source");
        members->retryable = pbk_reply_retryable(json) != 0;
        members->retry_after_ms = number_at<std::int64_t>(json, "/error/retry_after_ms");
        members->attempts = number_at<int>(json, "/error/attempts");
        members->field = text_at(json, "/error/field");
        members->idempotency_key = text_at(json, "/error/idempotency_key");
        members->request_id = text_at(json, "/error/request_id");
        members->doubt = doubt_of(json);
        members->existing = existing_of(json);
        members->what = members->code + ": " + members->message;
        error.members_ = members;
    });
    return error;
}

/* A copy of the reply, or the error that it is. */
inline Result<std::string> result_of(pbk_status status, const char *reply, std::size_t length) noexcept {
    if (status != PBK_OK)
        return error_of(status, reply);
    std::string copy;
    if (reply != nullptr && has_memory_for([&] { copy.assign(reply, length); }))
        return copy;
    return error_of(PBK_RESOURCE_UNAVAILABLE, nullptr);
}

}  // namespace detail

}  // inline namespace
}  // namespace partnerbooking

#endif /* PARTNERBOOKING_HPP */
