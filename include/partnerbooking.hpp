/*
 * libpartnerbooking for C++17 and later: partnerbooking.h with values, owners, exceptions
 * and futures. Header only, over the C ABI.
 *
 *     using namespace partnerbooking;
 *     Client client(R"({"endpoint":"sandbox"})");
 *     SearchAvailabilityRequest request{"bot_1", "2030-01-14", "2030-01-15"};
 *     for (const auto &free : client.search_availability(request).availabilities)
 *         std::cout << free.start_at << "\n";       // waited; throws Error
 *
 *     auto call = client.submit(request);           // does not wait
 *     call.ticket.cancel();                         // when the caller speaks
 *     auto reply = call.reply.get();                // a std::future
 *
 * Outcomes, the rules for callbacks, and all that is not described here:
 * partnerbooking.h.
 *
 * Values.  partnerbooking/values.hpp has the requests and replies. No JSON library is
 * needed. Every function also takes and returns JSON as text: see docs/json-contract.md.
 * read<Value>() and write() convert. partnerbooking/nlohmann.hpp is for programs with
 * nlohmann/json.
 *
 * Errors.  Functions that return a text or a call throw Error. Each has a noexcept twin,
 * try_..., that returns a Result: the value or that Error. Functions that return a
 * pbk_status or a verdict never throw. With -fno-exceptions (and -fno-rtti) only the
 * twins are declared. With exceptions, memory that runs out is an error:
 * PBK_RESOURCE_UNAVAILABLE, outcome unknown.
 *
 * Ownership.  Client and Completion own their handles: move them, do not copy them. A
 * Ticket only names a call: copy it freely, and use it also after its client is gone.
 * Texts are borrowed for the call.
 *
 * Threads.  Call const member functions from any thread at any time, also on the same
 * object. Moving, assigning and destroying an object need it alone. In a child after
 * fork() inherited clients are closed. Do not wait there for futures of the parent's
 * calls: they never end.
 *
 * Blocking.  search_availability(), create_booking(), resume(), give_up(),
 * lookup_customer(), call_tool(), next_completion(), close(), ~Client() (at most two
 * seconds; with a ledger until its handler has returned) and std::future wait, and so do
 * the twins. set_log() may wait. Do not call them in a callback, except
 * next_completion().
 *
 * Build with `-lpartnerbooking`.
 */
#ifndef PARTNERBOOKING_HPP
#define PARTNERBOOKING_HPP

#include <pthread.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "partnerbooking.h"
#include "partnerbooking/error.hpp"
#include "partnerbooking/functions.hpp"
#include "partnerbooking/ledger.hpp"
#include "partnerbooking/values.hpp"

namespace partnerbooking {
#if PARTNERBOOKING_EXCEPTIONS
inline namespace with_exceptions {
#else
inline namespace without_exceptions {
#endif

/**
 * Names a submitted call, and can cancel it. Destroying it ends nothing. It owns nothing,
 * and is harmless when the call is over or its client is gone.
 */
class Ticket {
public:
    /** Names no call. */
    Ticket() noexcept = default;

    /**
     * Cancels the call, as pbk_cancel() describes. The call always gets its completion:
     * PBK_CANCELLED, or the reply if that came first. The outcome of a booking is
     * PBK_OUTCOME_NOT_SENT, PBK_OUTCOME_UNKNOWN or PBK_OUTCOME_REJECTED. With
     * "detach":true it is not cancelled.
     *
     * A tool call ends with PBK_CANCELLED. Its booking, if sent, goes on, and the next
     * tool call of the conversation reports its end.
     *
     * @return PBK_OK, also for a call that is over; PBK_CLIENT_CLOSED; PBK_INVALID_CLIENT
     *         when it names no call.
     * @note Non-blocking.
     */
    pbk_status cancel() const noexcept { return pbk_cancel(client_, number_); }

    /**
     * Returns the ticket of the C ABI, as Completion::ticket(). 0 when it names no call.
     */
    pbk_ticket number() const noexcept { return number_; }

    explicit operator bool() const noexcept { return number_ != 0; }
    friend bool operator==(const Ticket &left, const Ticket &right) noexcept {
        return left.client_ == right.client_ && left.number_ == right.number_;
    }
    friend bool operator!=(const Ticket &left, const Ticket &right) noexcept {
        return !(left == right);
    }

private:
    friend class Client;
    Ticket(pbk_client *client, pbk_ticket number) noexcept
        : client_(client), number_(number) {}

    /* An ID: it is never dereferenced, and never given to another client. */
    pbk_client *client_ = nullptr;
    pbk_ticket number_ = 0;
};

/**
 * The result of a submitted call, from its callback or the client's queue. Keep it as
 * long as you like, also beyond its client. Each std::string_view is valid until it is
 * destroyed or moved from; view.data() ends with a NUL byte, or is NULL.
 *
 * With "report_settled" the queue also gives reports of settled bookings.
 *
 * Destroying it reports that your program has heard the end of the booking: use that
 * first. Until then pending_bookings() lists the booking.
 */
class Completion {
public:
    /** No completion, as from next_completion() when none came. */
    Completion() noexcept = default;

    /** True if there is one. */
    explicit operator bool() const noexcept { return completion_ != nullptr; }

    /**
     * Returns the kind. Ignore values that you do not know.
     *
     * - PBK_EVENT_DONE: the call has ended.
     * - PBK_EVENT_SLOW: it goes on, but is slow.
     * - PBK_EVENT_SETTLED: a booking whose call ended with PBK_OUTCOME_UNKNOWN is
     *   settled. PBK_OK: it was booked. key() and tag() name it. ticket() is 0 and
     *   context() is NULL.
     */
    pbk_event event() const noexcept { return pbk_completion_event(get()); }

    /** Returns the call's Ticket::number(). 0 for PBK_EVENT_SETTLED. */
    pbk_ticket ticket() const noexcept { return pbk_completion_ticket(get()); }

    /** Returns the operation. PBK_CREATE_BOOKING for PBK_EVENT_SETTLED. */
    pbk_operation operation() const noexcept { return pbk_completion_operation(get()); }

    /** Returns the context of submit_to_queue(). NULL for calls with a callback. */
    void *context() const noexcept {
        return has_callback_ ? nullptr : pbk_completion_context(get());
    }

    /** Returns the status of the call. PBK_OK for PBK_EVENT_SLOW. */
    pbk_status status() const noexcept { return pbk_completion_status(get()); }

    /** Returns the outcome of a failed booking. */
    pbk_outcome outcome() const noexcept { return pbk_completion_outcome(get()); }

    /**
     * Returns the reply, {"error":{...}} included, without a copy. Empty for
     * PBK_EVENT_SLOW, and when memory was out.
     */
    std::string_view reply() const noexcept {
        return {pbk_completion_reply(get()), pbk_completion_reply_length(get())};
    }

    /**
     * Returns a copy of the reply, or the error, as the blocking function does. For
     * PBK_EVENT_DONE and PBK_EVENT_SETTLED.
     */
    Result<std::string> result() const noexcept {
        return detail::result_of(status(), pbk_completion_reply(get()),
                                 pbk_completion_reply_length(get()));
    }

    /**
     * Returns the same as a value, for the queue:
     * `completion.result_as<SearchAvailabilityReply>()`. PBK_EVENT_SETTLED is a
     * CreateBookingReply.
     */
    template <class Reply>
    Result<Reply> result_as() const noexcept {
        if constexpr (std::is_same_v<Reply, std::string>)
            return result();
        else
            return detail::reply_of<Reply>(status(), reply(), timing());
    }

    /** Returns the request's "tag". Empty without one. */
    std::string_view tag() const noexcept { return view(pbk_completion_tag(get())); }

    /**
     * Returns the booking's "idempotency_key". Empty for searches, look-ups and tool
     * calls without a booking.
     */
    std::string_view key() const noexcept { return view(pbk_completion_key(get())); }

    /** Returns the timing as JSON: docs/json-contract.md. */
    std::string_view timing() const noexcept {
        return view(pbk_completion_timing(get()));
    }

    /** Returns the handle for functions of the C ABI. It stays owned. */
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

/** A Completion whose result() is a value: CompletionOf<SearchAvailabilityReply>. */
template <class Reply>
class CompletionOf : public Completion {
public:
    CompletionOf() noexcept = default;
    explicit CompletionOf(Completion &&completion) noexcept
        : Completion(std::move(completion)) {}

    Result<Reply> result() const noexcept { return result_as<Reply>(); }
};

namespace detail {

/* Callbacks take a Completion. Destroying one on the transfer thread must not throw. */
template <class Callback>
constexpr bool is_callback = std::is_invocable_v<Callback &, Completion>
    && std::is_nothrow_destructible_v<Callback>;

/* Function pointers, std::function and the like may be empty: they compare with
   nullptr. */
template <class Callback, class = void>
struct MayBeEmpty : std::false_type {};
template <class Callback>
struct MayBeEmpty<Callback,
                  std::void_t<decltype(std::declval<const Callback &>() == nullptr)>>
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

template <class Request, class = void>
constexpr bool is_request = false;
template <class Request>
constexpr bool
    is_request<Request, std::void_t<typename Request::Reply>> = is_value<Request>;

/* Callbacks of values take a typed completion, or the result alone. */
template <class Callback, class Reply>
constexpr bool takes_completion = std::is_invocable_v<Callback &, CompletionOf<Reply>>;
template <class Callback, class Reply>
constexpr bool is_callback_of = std::is_nothrow_destructible_v<Callback>
    && (takes_completion<Callback, Reply>
        || std::is_invocable_v<Callback &, Result<Reply>>);

template <class Callback, class Reply>
struct CallbackOf {
    Callback callback;

    void operator()(Completion completion) {
        if constexpr (takes_completion<Callback, Reply>)
            callback(CompletionOf<Reply>(std::move(completion)));
        else if (completion.event() == PBK_EVENT_DONE)
            callback(completion.result_as<Reply>());
    }
};

}  // namespace detail

#if PARTNERBOOKING_EXCEPTIONS
/**
 * A call under way: a std::future of its reply, and its ticket. Destroying either neither
 * waits nor ends the call: its reply is dropped.
 *
 * The future gives the reply or throws Error. It is ready at the call's deadline at the
 * latest, also if the client was closed or destroyed before. Do not wait for it in a
 * callback: the transfer thread would wait for itself.
 *
 * The host has heard the end of a booking once the future is ready, also when nobody
 * reads it.
 */
template <class Reply>
struct CallOf {
    std::future<Reply> reply;
    Ticket ticket;
};
using Call = CallOf<std::string>;

/**
 * Sets the handler of exceptions that leave a callback or a ledger's handler, for the
 * whole program, as std::set_terminate (with -fvisibility=hidden: for the calling shared
 * object).
 *
 * Such exceptions end there: they cannot pass the C ABI, and must not end the calls of
 * others. Without a handler nobody hears of them. The handler runs on the transfer
 * thread, or the ledger's.
 *
 * @param handler  NULL for none. It must not wait.
 * @return The previous handler.
 */
inline ExceptionHandler
set_callback_exception_handler(ExceptionHandler handler) noexcept {
    return detail::callback_exception_handler.exchange(handler);
}
#endif

/**
 * The noexcept twin of a Call: its future gives the reply or the Error, and does not
 * throw that.
 */
template <class Reply>
struct TryCallOf {
    std::future<Result<Reply>> reply;
    Ticket ticket;
};
using TryCall = TryCallOf<std::string>;

/**
 * A client: one configuration, one transfer thread, one connection pool. Open one and
 * keep it.
 *
 * Blocking functions return the service's reply, byte for byte. Functions of submit hand
 * a call over and return at once, without waiting for network, resolver or file. Every
 * accepted call gets exactly one PBK_EVENT_DONE. A refused call (wrong request, queue
 * full, client closed) throws Error, or returns it in the twin's Result.
 *
 * A client that was moved from refuses every call with PBK_INVALID_CLIENT.
 */
class Client {
public:
    /**
     * Opens a client. {"api_key":"sk_ptnr_..."} is the hosted Partner API,
     * {"endpoint":"sandbox"} a clinic within this process. Starts to connect, and does
     * not wait for that.
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

    /**
     * Opens a client that keeps its bookings in your store, which the clients of a fleet
     * share.
     *
     * @param ledger  Carries out the operations on the store. PBK_INVALID_ARGUMENT if it
     *                is empty. It is kept until ~Client(), which waits for it. For
     *                exceptions see set_callback_exception_handler().
     */
    static Result<Client> try_open(TextRef config, LedgerHandler ledger) noexcept {
        if (!ledger)
            return detail::error_of(PBK_INVALID_ARGUMENT, empty_ledger());
        std::unique_ptr<detail::LedgerThread> thread;
        if (!detail::has_memory_for(
                [&] { thread.reset(new detail::LedgerThread(std::move(ledger))); }))
            return detail::error_of(PBK_RESOURCE_UNAVAILABLE, nullptr);
        char *error = nullptr;
        pbk_status status = PBK_OK;
        thread->client = pbk_client_open_with_ledger(config.c_str(), nullptr, nullptr,
                                                     &error, &status);
        const detail::OwnedString owned(error);
        if (thread->client == nullptr)
            return detail::error_of(status, error);
        Client client(thread->client);
        if (!thread->start())
            return detail::error_of(PBK_RESOURCE_UNAVAILABLE, nullptr);
        client.ledger_ = std::move(thread);
        return Result<Client>(std::move(client));
    }
#if PARTNERBOOKING_EXCEPTIONS
    Client(TextRef config, LedgerHandler ledger)
        : Client(try_open(config, std::move(ledger)).value()) {}
#endif

    Client(Client &&other) noexcept
        : client_(std::exchange(other.client_, nullptr)),
          ledger_(std::move(other.ledger_)) {}
    Client &operator=(Client &&other) noexcept {
        if (this != &other) {
            end();
            client_ = std::exchange(other.client_, nullptr);
            ledger_ = std::move(other.ledger_);
        }
        return *this;
    }
    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;

    /**
     * Closes the client: ends calls under way at once, with PBK_CLIENT_CLOSED, and drops
     * the completion queue. No callback runs after it. To let calls finish, close()
     * first.
     *
     * In a callback, which may hold the last owner, another thread closes the client.
     * Callbacks of calls under way run until it has. With a ledger it waits until the
     * handler has returned, however long that takes.
     */
    ~Client() { end(); }

    /**
     * Refuses new calls, lets others finish, and ends the rest, as pbk_client_close().
     * The object stays: take the completions left in the queue. Calls get
     * PBK_CLIENT_CLOSED.
     *
     * It also waits for background bookings, whose calls have ended. One that is not
     * settled in time stays in doubt, and a journal keeps it. It does not cause
     * PBK_TIMEOUT.
     *
     * @return PBK_OK when no call had to be ended, PBK_TIMEOUT when some were;
     *         PBK_CLIENT_CLOSED when it was closed before, and in a callback
     *         PBK_WOULD_DEADLOCK.
     * @note Blocks for at most the timeout (up to 10 minutes) and two seconds.
     */
    pbk_status close(std::chrono::milliseconds timeout) const noexcept {
        return pbk_client_close(client_, milliseconds(timeout));
    }

    /** Returns the handle for functions of the C ABI. It stays owned. */
    pbk_client *get() const noexcept { return client_; }

    /* ---- Blocking calls: until the reply or the deadline; not in a callback ---- */

    /**
     * Searches free appointment slots: {"availabilities":[...]}. The deadline is
     * "timeout_ms", by default 5 seconds.
     */
    Result<std::string> try_search_availability(TextRef request) const noexcept {
        return wait(pbk_search_availability, request);
    }

    /**
     * Books an appointment slot: {"booking":{...}}. "idempotency_key" names the booking:
     * one key, one booking. After PBK_OUTCOME_UNKNOWN repeat the call with the same key,
     * never with a new one. The deadline is "timeout_ms", by default 35 seconds.
     *
     * A booking that was sent and is not settled at the deadline ends with
     * PBK_OUTCOME_UNKNOWN, and goes on in the background, as pbk_create_booking()
     * describes.
     *
     * {"idempotency_key":...,"resume":true} settles a booking, or returns its end, by its
     * key alone. {"idempotency_key":...,"give_up":true} ends a doubt that nobody can
     * settle. {"give_up":true,"bot_id":...,"start_before":...} ends all doubts of a bot
     * before that moment. Giving up sends nothing, and returns
     * {"given_up":[...],"kept":[...]}.
     */
    Result<std::string> try_create_booking(TextRef request) const noexcept {
        return wait(pbk_create_booking, request);
    }

    /**
     * Looks up the caller: {"found":...}. Not with the Partner API, which has no such
     * operation.
     */
    Result<std::string> try_lookup_customer(TextRef request) const noexcept {
        return wait(pbk_lookup_customer, request);
    }

    /**
     * Answers a tool call of a language model: {"tool":...,"result":...,"text":...}. Send
     * "text" to the model. Speak "say" if the bot speaks by itself. An Error is for the
     * host. All that the model can act on is a value, also if nothing was booked: check
     * "result".
     *
     * Pass the model's arguments as they came, as a JSON string: json_quote() makes it.
     * The configuration needs "voice" with a "time_zone". The deadline is "timeout_ms",
     * by default 35 seconds to book and 5 for the other tools.
     */
    Result<std::string> try_call_tool(TextRef request) const noexcept {
        return wait(pbk_call_tool, request);
    }

    /* The same with values. */
    Result<SearchAvailabilityReply> try_search_availability(
        const SearchAvailabilityRequest &request) const noexcept {
        return wait_for(pbk_search_availability, request);
    }
    Result<CreateBookingReply> try_create_booking(
        const CreateBookingRequest &request) const noexcept {
        return wait_for(pbk_create_booking, request);
    }
    Result<CreateBookingReply> try_resume(
        const ResumeBookingRequest &request) const noexcept {
        return wait_for(pbk_create_booking, request);
    }
    Result<GiveUpReply> try_give_up(const GiveUpRequest &request) const noexcept {
        return wait_for(pbk_create_booking, request);
    }
    Result<LookupCustomerReply> try_lookup_customer(
        const LookupCustomerRequest &request) const noexcept {
        return wait_for(pbk_lookup_customer, request);
    }
    Result<ToolResult> try_call_tool(const ToolRequest &request) const noexcept {
        return wait_for(pbk_call_tool, request);
    }

#if PARTNERBOOKING_EXCEPTIONS
    std::string search_availability(TextRef request) const {
        return try_search_availability(request).value();
    }
    std::string create_booking(TextRef request) const {
        return try_create_booking(request).value();
    }
    std::string lookup_customer(TextRef request) const {
        return try_lookup_customer(request).value();
    }
    std::string call_tool(TextRef request) const {
        return try_call_tool(request).value();
    }

    SearchAvailabilityReply search_availability(
        const SearchAvailabilityRequest &request) const {
        return try_search_availability(request).value();
    }
    CreateBookingReply create_booking(const CreateBookingRequest &request) const {
        return try_create_booking(request).value();
    }
    CreateBookingReply resume(const ResumeBookingRequest &request) const {
        return try_resume(request).value();
    }
    GiveUpReply give_up(const GiveUpRequest &request) const {
        return try_give_up(request).value();
    }
    LookupCustomerReply lookup_customer(const LookupCustomerRequest &request) const {
        return try_lookup_customer(request).value();
    }
    ToolResult call_tool(const ToolRequest &request) const {
        return try_call_tool(request).value();
    }
#endif

    /* ---- Calls with a future: non-blocking ---- */

    /** Hands over a call. Its reply comes by a future. */
    Result<TryCall> try_submit(pbk_operation operation, TextRef request) const noexcept {
        return submit_with_future<std::string>(operation, request);
    }

    /** Hands over a request of values.hpp. Its Reply, a value, comes by a future. */
    template <class Request, class = std::enable_if_t<detail::is_request<Request>>>
    Result<TryCallOf<typename Request::Reply>> try_submit(
        const Request &request) const noexcept {
        const Result<std::string> json = try_write(request);
        if (!json)
            return json.error();
        return submit_with_future<typename Request::Reply>(Request::operation, *json);
    }
#if PARTNERBOOKING_EXCEPTIONS
    Call submit(pbk_operation operation, TextRef request) const {
        return submit_with_throwing_future<std::string>(operation, request);
    }
    template <class Request, class = std::enable_if_t<detail::is_request<Request>>>
    CallOf<typename Request::Reply> submit(const Request &request) const {
        return submit_with_throwing_future<typename Request::Reply>(Request::operation,
                                                                    write(request));
    }
#endif

    /* ---- Calls with a callback: non-blocking ---- */

    /**
     * Hands over a call whose completion comes by a callback, on the client's transfer
     * thread: return soon, and do not wait. All calls of the client wait meanwhile.
     *
     * The callback is moved or copied; if that throws, the call is refused with
     * PBK_RESOURCE_UNAVAILABLE. It need not be copyable. It is kept until PBK_EVENT_DONE,
     * and then destroyed on the transfer thread. It may run before this function returns.
     * Exceptions that leave it end there: see set_callback_exception_handler(). With
     * -fno-exceptions they end the program.
     *
     * The host has heard the end of a booking when the callback has returned or thrown,
     * or when the Completion that it moved away is destroyed.
     *
     * @param callback  Called as callback(Completion), once with PBK_EVENT_DONE, and with
     *                  "slow_after_ms" perhaps once before with PBK_EVENT_SLOW; never for
     *                  a refused call. An empty one (a NULL function pointer, an empty
     *                  std::function) is PBK_INVALID_ARGUMENT, also if the client is
     *                  closed.
     */
    template <class Callback,
              class = std::enable_if_t<detail::is_callback<std::decay_t<Callback>>>>
    Result<Ticket> try_submit(pbk_operation operation, TextRef request,
                              Callback &&callback) const noexcept {
        std::unique_ptr<std::decay_t<Callback>> owned;
        const bool has_memory = detail::has_memory_for([&] {
            owned = std::make_unique<std::decay_t<Callback>>(
                std::forward<Callback>(callback));
        });
        if (!has_memory)
            return detail::error_of(PBK_RESOURCE_UNAVAILABLE, nullptr);
        if (detail::is_empty(*owned))
            return detail::error_of(PBK_INVALID_ARGUMENT, empty_callback(operation));
        return submit_owned(operation, request, std::move(owned));
    }
#if PARTNERBOOKING_EXCEPTIONS
    template <class Callback,
              class = std::enable_if_t<detail::is_callback<std::decay_t<Callback>>>>
    Ticket submit(pbk_operation operation, TextRef request, Callback &&callback) const {
        return try_submit(operation, request, std::forward<Callback>(callback)).value();
    }
#endif

    /**
     * The same with a request of values.hpp.
     *
     * @param callback  Called as callback(CompletionOf<Request::Reply>) with each event,
     *                  or as callback(Result<Request::Reply>), once.
     */
    template <class Request, class Callback,
              class = std::enable_if_t<detail::is_request<Request>>,
              class = std::enable_if_t<detail::is_callback_of<
                  std::decay_t<Callback>, typename Request::Reply>>>
    Result<Ticket> try_submit(const Request &request,
                              Callback &&callback) const noexcept {
        using Owned = detail::CallbackOf<std::decay_t<Callback>, typename Request::Reply>;
        if (detail::is_empty(callback))
            return detail::error_of(PBK_INVALID_ARGUMENT,
                                    empty_callback(Request::operation));
        std::string json;
        std::unique_ptr<Owned> owned;
        const bool has_memory = detail::has_memory_for([&] {
            detail::write_value(request, json);
            owned.reset(new Owned{std::forward<Callback>(callback)});
        });
        if (!has_memory)
            return detail::error_of(PBK_RESOURCE_UNAVAILABLE, nullptr);
        return submit_owned(Request::operation, json, std::move(owned));
    }
#if PARTNERBOOKING_EXCEPTIONS
    template <class Request, class Callback,
              class = std::enable_if_t<detail::is_request<Request>>,
              class = std::enable_if_t<detail::is_callback_of<
                  std::decay_t<Callback>, typename Request::Reply>>>
    Ticket submit(const Request &request, Callback &&callback) const {
        return try_submit(request, std::forward<Callback>(callback)).value();
    }
#endif

    /* ---- Calls with the completion queue, for your loop ---- */

    /**
     * Hands over a call whose completion waits for next_completion(), with `context`.
     * Non-blocking.
     */
    Result<Ticket> try_submit_to_queue(pbk_operation operation, TextRef request,
                                       void *context = nullptr) const noexcept {
        return submit_raw(operation, request, nullptr, context);
    }
    /**
     * The same with a request of values.hpp: Completion::result_as() reads the reply.
     */
    template <class Request, class = std::enable_if_t<detail::is_request<Request>>>
    Result<Ticket> try_submit_to_queue(const Request &request,
                                       void *context = nullptr) const noexcept {
        const Result<std::string> json = try_write(request);
        if (!json)
            return json.error();
        return submit_raw(Request::operation, *json, nullptr, context);
    }
#if PARTNERBOOKING_EXCEPTIONS
    Ticket submit_to_queue(pbk_operation operation, TextRef request,
                           void *context = nullptr) const {
        return try_submit_to_queue(operation, request, context).value();
    }
    template <class Request, class = std::enable_if_t<detail::is_request<Request>>>
    Ticket submit_to_queue(const Request &request, void *context = nullptr) const {
        return try_submit_to_queue(request, context).value();
    }
#endif

    /**
     * Takes the oldest completion from the queue; none if none came in time. Take them:
     * completions that wait count against "max_in_flight" and "max_queued".
     *
     *     while (Completion done = client.next_completion()) ...
     *
     * With "report_settled" the queue also gives one PBK_EVENT_SETTLED for each booking
     * that is settled after its call, of any kind, ended with PBK_OUTCOME_UNKNOWN. Check
     * event() first: such a completion has no ticket and no context.
     *
     * @param timeout  Time to wait, up to 10 minutes. In a callback it never waits.
     * @param status   Receives PBK_OK, PBK_TIMEOUT (none in time) or PBK_CLIENT_CLOSED
     *                 (none will come). May be NULL.
     */
    Completion next_completion(std::chrono::milliseconds timeout = {},
                               pbk_status *status = nullptr) const noexcept {
        return Completion(pbk_next_completion(client_, milliseconds(timeout), status),
                          false);
    }

    /**
     * Returns a descriptor for poll and epoll: readable while a completion is queued. Do
     * not read, write or close it. -1 when the client is closed.
     */
    int fd() const noexcept { return pbk_client_fd(client_); }

    /* ---- The rest: non-blocking, but for set_log() ---- */

    /**
     * Prepares a connection when the phone rings; needed only with "keep_warm_ms":0.
     */
    pbk_status prewarm() const noexcept { return pbk_prewarm(client_); }

    /**
     * Searches ahead when the phone rings. The next find_appointment_slots of the bot
     * then needs no round trip, for "cache_ms" of the configuration. Nothing reports the
     * end. The value is PBK_OK.
     */
    Result<pbk_status> try_prefetch(TextRef request) const noexcept {
        return hand_over(pbk_prefetch, request);
    }
    Result<pbk_status> try_prefetch(const PrefetchRequest &request) const noexcept {
        return hand_over_value(pbk_prefetch, request);
    }

    /**
     * Forgets the offers of a conversation when the caller has hung up; without it after
     * an hour. Its bookings stay. The value is PBK_OK, also for an unknown conversation.
     */
    Result<pbk_status> try_conversation_end(TextRef request) const noexcept {
        return hand_over(pbk_conversation_end, request);
    }
    Result<pbk_status> try_conversation_end(
        const Conversation &conversation) const noexcept {
        return hand_over_value(pbk_conversation_end, conversation);
    }

    /**
     * Lists the bookings whose end your program has not heard:
     * {"pending_bookings":[...],"journal":...}. A journal adds those of earlier
     * processes. The end of create_booking() is heard one second after the return.
     * read<PendingBookings>() reads the list.
     */
    Result<std::string> try_pending_bookings() const noexcept {
        return list(pbk_pending_bookings);
    }

    /**
     * Returns counters since the opening, and gauges:
     * {"uptime_ms":...,"calls":[...],...}. See docs/json-contract.md.
     */
    Result<std::string> try_stats() const noexcept { return list(pbk_stats); }

    /**
     * Switches the log on, or off with PBK_LOG_OFF. The callback runs on the transfer
     * thread; let no exception leave it. The previous callback is not called after the
     * return. May wait for a line: hold no lock that the callback takes.
     */
    pbk_status set_log(pbk_log_level level, pbk_log_callback callback = nullptr,
                       void *context = nullptr) const noexcept {
        return pbk_client_set_log(client_, level, callback, context);
    }

    /** Lists the bookings of the embedded sandbox, for tests: {"bookings":[...]}. */
    Result<std::string> try_sandbox_bookings() const noexcept {
        return list(pbk_sandbox_bookings);
    }

#if PARTNERBOOKING_EXCEPTIONS
    void prefetch(TextRef request) const {
        static_cast<void>(try_prefetch(request).value());
    }
    void conversation_end(TextRef request) const {
        static_cast<void>(try_conversation_end(request).value());
    }
    void prefetch(const PrefetchRequest &request) const {
        static_cast<void>(try_prefetch(request).value());
    }
    void conversation_end(const Conversation &conversation) const {
        static_cast<void>(try_conversation_end(conversation).value());
    }
    std::string pending_bookings() const { return try_pending_bookings().value(); }
    std::string stats() const { return try_stats().value(); }
    std::string sandbox_bookings() const { return try_sandbox_bookings().value(); }
#endif

private:
    explicit Client(pbk_client *client) noexcept : client_(client) {}

    /* Closes the client and takes what it leaves in the queue, which would keep its
       memory. */
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

    static void *end_elsewhere(void *ledger) noexcept {
        const std::unique_ptr<detail::LedgerThread> owned(
            static_cast<detail::LedgerThread *>(ledger));
        close_and_drop(owned->client);
        return nullptr;
    }

    void end() noexcept {
        if (client_ != nullptr
            && (is_on_ledger_thread() || close_and_drop(client_) == PBK_WOULD_DEADLOCK)) {
            /* pthread_create and not std::thread, which throws. Should even that fail,
               the client stays open. */
            pthread_t thread;
            detail::LedgerThread *const ledger = ledger_.release();
            if (pthread_create(&thread, nullptr,
                               ledger == nullptr ? close_elsewhere : end_elsewhere,
                               ledger == nullptr ? static_cast<void *>(client_) : ledger)
                == 0)
                pthread_detach(thread);
        }
        client_ = nullptr;
        ledger_.reset();
    }

    /* The last owner of a client may be what its ledger's handler holds. */
    bool is_on_ledger_thread() const noexcept {
        return ledger_ && pthread_equal(ledger_->thread, pthread_self()) != 0;
    }

    static std::int32_t milliseconds(std::chrono::milliseconds time) noexcept {
        constexpr std::chrono::milliseconds most(600000);
        return static_cast<std::int32_t>(time.count() < 0 ? 0
                                         : time > most    ? most.count()
                                                          : time.count());
    }

    static Result<std::string> result(pbk_status status, char *reply) noexcept {
        const detail::OwnedString owned(reply);
        return detail::result_of(status, reply,
                                 reply == nullptr ? 0 : std::strlen(reply));
    }

    Result<std::string> wait(char *(*function)(pbk_client *, const char *, pbk_status *),
                             TextRef request) const noexcept {
        pbk_status status = PBK_OK;
        char *reply = function(client_, request.c_str(), &status);
        return result(status, reply);
    }

    template <class Request>
    Result<typename Request::Reply> wait_for(
        char *(*function)(pbk_client *, const char *, pbk_status *),
        const Request &request) const noexcept {
        const Result<std::string> json = try_write(request);
        if (!json)
            return json.error();
        pbk_status status = PBK_OK;
        const detail::OwnedString reply(function(client_, json->c_str(), &status));
        const std::size_t length = reply == nullptr ? 0 : std::strlen(reply.get());
        return detail::reply_of<typename Request::Reply>(
            status, {reply.get(), length}, {});
    }

    template <class Request>
    Result<pbk_status> hand_over_value(
        pbk_status (*function)(pbk_client *, const char *, char **),
        const Request &request) const noexcept {
        const Result<std::string> json = try_write(request);
        if (!json)
            return json.error();
        return hand_over(function, *json);
    }

    Result<pbk_status> hand_over(pbk_status (*function)(pbk_client *, const char *,
                                                        char **),
                                 TextRef request) const noexcept {
        char *error = nullptr;
        const pbk_status status = function(client_, request.c_str(), &error);
        const detail::OwnedString owned(error);
        if (status != PBK_OK)
            return detail::error_of(status, error);
        return status;
    }

    Result<std::string> list(char *(*function)(pbk_client *,
                                               pbk_status *)) const noexcept {
        pbk_status status = PBK_OK;
        char *reply = function(client_, &status);
        return result(status, reply);
    }

    Result<Ticket> submit_raw(pbk_operation operation, TextRef request,
                              pbk_callback callback, void *context) const noexcept {
        pbk_ticket number = 0;
        char *error = nullptr;
        const pbk_status status = pbk_submit(client_, operation, request.c_str(), &number,
                                             &error, callback, context);
        const detail::OwnedString owned(error);
        if (status != PBK_OK)
            return detail::error_of(status, error);
        return Ticket(client_, number);
    }

    template <class Callback>
    Result<Ticket> submit_owned(pbk_operation operation, TextRef request,
                                std::unique_ptr<Callback> callback) const noexcept {
        Result<Ticket> ticket = submit_raw(operation, request, complete<Callback>,
                                           callback.get());
        if (ticket)
            callback.release();     /* perhaps gone by now: it belongs to complete() */
        return ticket;
    }

    /* The error reply for it. A call without a callback is one for the queue, so that the
       C ABI refuses none. The key is null, so the outcome is about this call only. */
    static const char *empty_callback(pbk_operation operation) noexcept {
        if (operation == PBK_CREATE_BOOKING)
            return R"({"error":{"code":"invalid_argument",)"
                   R"("message":"The callback is empty","status":null,"source":"caller",)"
                   R"("retryable":false,"attempts":0,"field":"callback",)"
                   R"("request_id":null,"outcome":"not_sent","idempotency_key":null}})";
        return R"({"error":{"code":"invalid_argument",)"
               R"("message":"The callback is empty","status":null,"source":"caller",)"
               R"("retryable":false,"attempts":0,"field":"callback","request_id":null}})";
    }

    static const char *empty_ledger() noexcept {
        return R"({"error":{"code":"invalid_argument",)"
               R"("message":"The ledger is empty","status":null,"source":"caller",)"
               R"("retryable":false,"attempts":0,"field":"ledger","request_id":null}})";
    }

    /* What the library calls. Nothing may be thrown through it. */
    template <class Callback>
    static void complete(void *context, pbk_completion *raw) noexcept {
        Completion completion(raw, true);
        Callback *const callback = static_cast<Callback *>(context);
        const std::unique_ptr<Callback> over(
            completion.event() == PBK_EVENT_DONE ? callback : nullptr);
        detail::call_back([&] { (*callback)(std::move(completion)); });
    }

    /* The callbacks behind futures. */
    template <class Reply>
    struct TryPromise {
        std::promise<Result<Reply>> promise;

        void operator()(Completion completion) {
            if (completion.event() == PBK_EVENT_DONE)
                promise.set_value(completion.result_as<Reply>());
        }
    };

    template <class Promise, class Call>
    Result<Call> submit_with(pbk_operation operation, TextRef request) const noexcept {
        Call call;
        std::unique_ptr<Promise> owned;
        const bool has_memory = detail::has_memory_for([&] {
            owned = std::make_unique<Promise>();
            call.reply = owned->promise.get_future();
        });
        if (!has_memory)
            return detail::error_of(PBK_RESOURCE_UNAVAILABLE, nullptr);
        const Result<Ticket> ticket = submit_owned(operation, request, std::move(owned));
        if (!ticket)
            return ticket.error();
        call.ticket = *ticket;
        return call;
    }

    template <class Reply>
    Result<TryCallOf<Reply>> submit_with_future(pbk_operation operation,
                                                TextRef request) const noexcept {
        return submit_with<TryPromise<Reply>, TryCallOf<Reply>>(operation, request);
    }

#if PARTNERBOOKING_EXCEPTIONS
    template <class Reply>
    struct Promise {
        std::promise<Reply> promise;

        void operator()(Completion completion) {
            if (completion.event() != PBK_EVENT_DONE)
                return;
            Result<Reply> result = completion.result_as<Reply>();
            if (result)
                promise.set_value(*std::move(result));
            else
                promise.set_exception(std::make_exception_ptr(result.error()));
        }
    };

    template <class Reply>
    CallOf<Reply> submit_with_throwing_future(pbk_operation operation,
                                              TextRef request) const {
        return submit_with<Promise<Reply>, CallOf<Reply>>(operation, request).value();
    }
#endif

    pbk_client *client_;
    std::unique_ptr<detail::LedgerThread> ledger_;
};

}  // inline namespace
}  // namespace partnerbooking

#endif /* PARTNERBOOKING_HPP */
