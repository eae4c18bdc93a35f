/*
 * Part of partnerbooking.hpp: the ledger of a fleet, in a store of yours. Include that
 * header. docs/ledger-protocol.md describes operations and results.
 */
#ifndef PARTNERBOOKING_LEDGER_HPP
#define PARTNERBOOKING_LEDGER_HPP

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "error.hpp"

namespace partnerbooking {
#if PARTNERBOOKING_EXCEPTIONS
inline namespace with_exceptions {
#else
inline namespace without_exceptions {
#endif

namespace detail {
struct LedgerThread;
}

/**
 * A batch of operations on your store. Answer it once, in the handler or later, on any
 * thread. Destroying it without an answer answers it as failed. It may outlive its
 * client. While the client closes, answers are still taken. Later they get
 * PBK_CLIENT_CLOSED.
 */
class LedgerBatch {
public:
    LedgerBatch(LedgerBatch &&other) noexcept
        : client_(other.client_), number_(std::exchange(other.number_, 0)),
          json_(std::move(other.json_)) {}
    LedgerBatch &operator=(LedgerBatch &&other) noexcept {
        if (this != &other) {
            drop();
            client_ = other.client_;
            number_ = std::exchange(other.number_, 0);
            json_ = std::move(other.json_);
        }
        return *this;
    }
    ~LedgerBatch() { drop(); }

    /** True if it has no answer yet. */
    explicit operator bool() const noexcept { return number_ != 0; }

    /**
     * Returns the batch, {"protocol":1,"operations":[...]}. Valid until the batch is
     * destroyed or moved from; data() ends with a NUL byte.
     */
    std::string_view operations() const noexcept {
        return json_ ? std::string_view(json_.get()) : std::string_view();
    }

    /**
     * Answers with {"results":[...]}, or with {"error":{...}} if nothing is known of the
     * batch. The value is PBK_OK. Results that do not follow the protocol are
     * PBK_INVALID_ARGUMENT. The batch is then still without an answer.
     */
    Result<pbk_status> try_answer(TextRef results) noexcept {
        char *error = nullptr;
        const pbk_status status = pbk_ledger_answer(client_, number_, results.c_str(),
                                                    &error);
        const detail::OwnedString owned(error);
        if (status != PBK_OK)
            return detail::error_of(status, error);
        number_ = 0;
        return status;
    }
#if PARTNERBOOKING_EXCEPTIONS
    void answer(TextRef results) { static_cast<void>(try_answer(results).value()); }
#endif

    /**
     * Answers that nothing is known of the batch, for example if the store is down. The
     * library repeats its operations. The message is for the log: no password, no
     * customer data.
     */
    void fail(TextRef message) noexcept {
        std::string error;
        const detail::OwnedString quoted(pbk_json_quote(message.c_str()));
        const bool is_written = quoted && detail::has_memory_for([&] {
            error.append(R"({"error":{"message":)").append(quoted.get()).append("}}");
        });
        if (!is_written || !try_answer(error))
            drop();
    }

private:
    friend struct detail::LedgerThread;
    LedgerBatch(pbk_client *client, std::uint64_t number, char *json) noexcept
        : client_(client), number_(number), json_(json) {}

    void drop() noexcept {
        if (number_ != 0)
            pbk_ledger_answer(client_, number_, dropped, nullptr);
        number_ = 0;
    }

    static constexpr const char *dropped =
        R"({"error":{"message":"the batch was dropped without an answer"}})";

    pbk_client *client_;
    std::uint64_t number_;  /* 0: it is answered, or was moved from */
    detail::OwnedString json_;
};

/**
 * Carries out a batch, and answers it. It runs on a thread of the client, one batch after
 * another, and may wait. Give your store a timeout: ~Client() waits for the handler. To
 * have several batches under way, move each to another thread, and return.
 */
using LedgerHandler = std::function<void(LedgerBatch)>;

namespace detail {

/* Calls the handler. It takes the batches by itself and not by a callback: a close of the
   library waits for no store that hangs, and the handler must outlive its calls. */
struct LedgerThread {
    LedgerHandler handler;
    pbk_client *client = nullptr;
    pid_t process = 0;
    pthread_t thread = {};

    explicit LedgerThread(LedgerHandler &&handler_) noexcept
        : handler(std::move(handler_)) {}
    LedgerThread(const LedgerThread &) = delete;
    LedgerThread &operator=(const LedgerThread &) = delete;

    /* Starts the thread with all signals blocked: they are for the program. */
    bool start() noexcept {
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        const bool is_started = pthread_create(&thread, nullptr, run, this) == 0;
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        process = is_started ? getpid() : 0;
        return is_started;
    }

    /* Ends when the client is closed. In a child after fork() there is no such thread. */
    ~LedgerThread() {
        if (process == getpid())
            pthread_join(thread, nullptr);
    }

    static void *run(void *context) noexcept {
        auto *const self = static_cast<LedgerThread *>(context);
        std::uint64_t number = 0;
        while (char *json = pbk_next_ledger_batch(self->client, -1, &number, nullptr))
            call_back([&] { self->handler(LedgerBatch(self->client, number, json)); });
        return nullptr;
    }
};

}  // namespace detail

}  // inline namespace
}  // namespace partnerbooking

#endif /* PARTNERBOOKING_LEDGER_HPP */
