/*
 * libpartnerbooking for C++17 and later: partnerbooking.h with values, owners, exceptions
 * and futures. Header only, over the C ABI alone.
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
 * Values.     partnerbooking/values.hpp has the requests and replies, and their rules. No
 *             JSON library is needed. Every function also takes and gives JSON as text,
 *             as docs/json-contract.md has it; read<Value>() and write() go between them.
 *             partnerbooking/nlohmann.hpp is for programs with nlohmann/json.
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
#include "partnerbooking/values.hpp"

namespace partnerbooking {
#if PARTNERBOOKING_EXCEPTIONS
inline namespace with_exceptions {
#else
inline namespace without_exceptions {
#endif

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

    /** The operation of the call. PBK_CREATE_BOOKING for PBK_EVENT_SETTLED. */
    pbk_operation operation() const noexcept { return pbk_completion_operation(get()); }

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

    /**
     * Returns the same as a value of values.hpp, for the queue:
     * `completion.result_as<SearchAvailabilityReply>()`. A report of PBK_EVENT_SETTLED is
     * a CreateBookingReply.
     */
    template <class Reply>
    Result<Reply> result_as() const noexcept {
        if constexpr (std::is_same_v<Reply, std::string>)
            return result();
        else
            return detail::reply_of<Reply>(status(), reply(), timing());
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

template <class Request, class = void>
constexpr bool is_request = false;
template <class Request>
constexpr bool
    is_request<Request, std::void_t<typename Request::Reply>> = is_value<Request>;

/* What takes a typed completion, or the result alone. */
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
 * A call under way: its reply by a std::future, and the ticket that cancels it. Destroying either waits for nothing and ends
 * nothing: the call goes on, and its reply is dropped.
 *
 * The future gives the reply or throws Error. It gets ready by the call's deadline at the latest, also when the client is
 * closed or destroyed before. Never wait for it in a callback: that would be a wait of the transfer thread for itself.
 *
 * The end of a booking counts as heard once its future is ready, also when nobody reads the
 * future.
 */
template <class Reply>
struct CallOf {
    std::future<Reply> reply;
    Ticket ticket;
};
using Call = CallOf<std::string>;

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
template <class Reply>
struct TryCallOf {
    std::future<Result<Reply>> reply;
    Ticket ticket;
};
using TryCall = TryCallOf<std::string>;

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
    std::string search_availability(TextRef request) const { return try_search_availability(request).value(); }
    std::string create_booking(TextRef request) const { return try_create_booking(request).value(); }
    std::string lookup_customer(TextRef request) const { return try_lookup_customer(request).value(); }
    std::string call_tool(TextRef request) const { return try_call_tool(request).value(); }

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

    /* ---- Calls with a future: any thread, callbacks too; never blocks ---- */

    /** Hands a call over; its reply comes by a future. */
    Result<TryCall> try_submit(pbk_operation operation, TextRef request) const noexcept {
        return submit_with_future<std::string>(operation, request);
    }

    /** Hands a request of values.hpp over. Its Reply, a value, comes by a future. */
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

    /**
     * The same with a request of values.hpp.
     *
     * @param callback  Called as callback(CompletionOf<Request::Reply>) with each event;
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

    /* ---- Calls whose completions wait in the queue, for a loop of yours: any thread, callbacks too ---- */

    /** Hands a call over whose completion waits for next_completion(). Never blocks. `context` comes back in the completion. */
    Result<Ticket> try_submit_to_queue(pbk_operation operation, TextRef request, void *context = nullptr) const noexcept {
        return submit_raw(operation, request, nullptr, context);
    }
    /** The same with a request of values.hpp: Completion::result_as() reads the reply. */
    template <class Request, class = std::enable_if_t<detail::is_request<Request>>>
    Result<Ticket> try_submit_to_queue(const Request &request,
                                       void *context = nullptr) const noexcept {
        const Result<std::string> json = try_write(request);
        if (!json)
            return json.error();
        return submit_raw(Request::operation, *json, nullptr, context);
    }
#if PARTNERBOOKING_EXCEPTIONS
    Ticket submit_to_queue(pbk_operation operation, TextRef request, void *context = nullptr) const {
        return try_submit_to_queue(operation, request, context).value();
    }
    template <class Request, class = std::enable_if_t<detail::is_request<Request>>>
    Ticket submit_to_queue(const Request &request, void *context = nullptr) const {
        return try_submit_to_queue(request, context).value();
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
    Result<pbk_status> try_prefetch(const PrefetchRequest &request) const noexcept {
        return hand_over_value(pbk_prefetch, request);
    }

    /**
     * Forgets what a conversation was offered, when the caller has hung up. Its bookings
     * stay. Without it a conversation is forgotten after an hour. The value is PBK_OK,
     * also for a conversation that is not known.
     */
    Result<pbk_status> try_conversation_end(TextRef request) const noexcept {
        return hand_over(pbk_conversation_end, request);
    }
    Result<pbk_status> try_conversation_end(
        const Conversation &conversation) const noexcept {
        return hand_over_value(pbk_conversation_end, conversation);
    }

    /**
     * Returns the bookings whose end your program has not heard:
     * {"pending_bookings":[...],"journal":...}. With a journal it includes those of earlier
     * processes. A booking of create_booking() counts as heard one second after the return.
     * read<PendingBookings>() makes values of it.
     */
    Result<std::string> try_pending_bookings() const noexcept { return list(pbk_pending_bookings); }

    /**
     * Returns the counters since the client was opened, and gauges of the moment:
     * {"uptime_ms":...,"calls":[...],...}. docs/json-contract.md describes the members.
     */
    Result<std::string> try_stats() const noexcept { return list(pbk_stats); }

    /**
     * Switches the log on, or off with PBK_LOG_OFF. The callback runs on the transfer
     * thread, and no exception may leave it. When this returns, the callback from before is
     * not called any more. Hold no lock that the callback takes.
     */
    pbk_status set_log(pbk_log_level level, pbk_log_callback callback = nullptr,
                       void *context = nullptr) const noexcept {
        return pbk_client_set_log(client_, level, callback, context);
    }

    /** What the embedded sandbox has booked, for tests: {"bookings":[...]}. */
    Result<std::string> try_sandbox_bookings() const noexcept { return list(pbk_sandbox_bookings); }

#if PARTNERBOOKING_EXCEPTIONS
    void prefetch(TextRef request) const { static_cast<void>(try_prefetch(request).value()); }
    void conversation_end(TextRef request) const { static_cast<void>(try_conversation_end(request).value()); }
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
};

}  // inline namespace
}  // namespace partnerbooking

#endif /* PARTNERBOOKING_HPP */
