/*
 * Serves several phone calls in one io_context of Boost.Asio (Debian: libboost-dev). One thread
 * sends a frame of audio every 20 ms for each call, and searches and books meanwhile. The
 * io_context also watches the library's descriptor. Nothing in the io_context blocks.
 *
 *     asio_engine
 *
 * One caller lets the bot finish. One caller interrupts a search. One caller hangs up during the
 * booking, and the booking goes on. Requests and replies are values, so the program formats no
 * request and parses no JSON.
 *
 * Talks to the embedded sandbox, where a reply takes 400 ms. Exits with 0 if each caller has an
 * appointment.
 */
#include <algorithm>
#include <boost/asio.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <list>
#include <partnerbooking.hpp>
#include <string>

namespace asio = boost::asio;
namespace pb = partnerbooking;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr const char *config = R"({"endpoint": "sandbox", "slow_after_ms": 100,
    "sandbox": {"now": "2030-01-14T08:00:00-05:00", "time_zone": "America/New_York", "latency_ms": 400},
    "voice": {"time_zone": "America/New_York", "region": "US"}})";

enum class Caller { patient, interrupts, hangs_up };

/* One caller and a rule-based bot. The object is the context of its completions, so it outlives
   the last of them. */
class PhoneCall {
public:
    PhoneCall(asio::io_context &io, const pb::Client &client, pb::Conversation conversation, Caller caller, std::string name)
        : client_(client), audio_(io), conversation_(std::move(conversation)), caller_(caller), name_(std::move(name)) {}

    void ring(const char *wish) {
        client_.prefetch(conversation_.prefetch());
        speak("caller", wish);
        submit(conversation_.find({wish}));
        due_ = steady_clock::now();
        send_frame();
    }

    /* Handles the end of a tool call, or the event that it is slow. */
    void heard(const pb::Completion &completion) {
        if (completion.event() == PBK_EVENT_DONE)
            --running_;
        if (completion.ticket() != ticket_.number())
            return;                                     /* cancelled: the caller has asked for something else */
        if (completion.event() == PBK_EVENT_SLOW)
            return slow();

        const pb::Result<pb::ToolResult> answer = completion.result_as<pb::ToolResult>();
        if (has_hung_up_)                               /* a real engine sends the caller a message here */
            return speak("after the call", answer && answer->say ? *answer->say : "nothing was booked");
        if (!answer) {                                      /* answer.error() has the reason, for logs and metrics */
            speak("bot", "I cannot reach the calendar. We will call you back.");
            return hang_up();
        }
        if (answer->say)
            speak("bot", *answer->say);
        switch (answer->kind) {
        case pb::ToolOutcome::offered:
        case pb::ToolOutcome::slot_gone:                /* somebody was faster: the slots are other times */
            if (answer->slots.empty())
                return hang_up();
            booking_.slot = answer->slots.front().slot;
            booking_.name = name_;
            booking_.caller_confirmed = false;
            speak("caller", "The first one, please. I am " + name_ + ".");
            return book();
        case pb::ToolOutcome::readback:
            booking_.caller_confirmed = true;
            speak("caller", "Yes.");
            return book();
        default:
            return hang_up();                           /* booked, or a result that this bot cannot handle */
        }
    }

    bool is_over() const { return has_hung_up_ && running_ == 0; }
    std::int64_t longest_gap() const { return std::chrono::duration_cast<std::chrono::milliseconds>(longest_gap_).count(); }

private:
    void submit(const pb::ToolRequest &request) {
        const pb::Result<pb::Ticket> ticket = client_.try_submit_to_queue(request, this);
        if (!ticket)
            return hang_up();                               /* ticket.error() is queue_full or client_closed */
        ticket_ = *ticket;
        ++running_;
    }

    /* Handles a slow reply. The caller interrupts, hangs up or waits. */
    void slow() {
        if (caller_ == Caller::interrupts && !has_interrupted_) {
            has_interrupted_ = true;
            ticket_.cancel();
            speak("caller", "No, wait. On Friday, please.");
            submit(conversation_.find({"friday"}));
        } else if (caller_ == Caller::hangs_up && booking_.caller_confirmed) {
            speak("caller", "(hangs up)");
            hang_up();
        } else {
            speak("bot", "One moment, please.");
        }
    }

    void book() {
        pb::ToolRequest request = conversation_.book(booking_);
        request.detach = true;
        submit(request);
    }

    /* Ends the phone call. A booking in flight goes on, because it has "detach". */
    void hang_up() {
        has_hung_up_ = true;
        ticket_.cancel();
        client_.conversation_end(conversation_);
        audio_.cancel();
    }

    void send_frame() {
        const auto now = steady_clock::now();
        longest_gap_ = std::max(longest_gap_, now - due_ + 20ms);
        due_ += 20ms;
        audio_.expires_at(due_);
        audio_.async_wait([this](boost::system::error_code error) {
            if (!error && !has_hung_up_)
                send_frame();
        });
    }

    void speak(const char *who, const std::string &words) const { std::cout << name_ << "  " << who << ": " << words << "\n"; }

    const pb::Client &client_;
    asio::steady_timer audio_;
    const pb::Conversation conversation_;
    const Caller caller_;
    const std::string name_;
    pb::BookAppointment booking_;
    pb::Ticket ticket_;                                 /* the tool call whose answer the caller waits for */
    int running_ = 0;                                   /* tool calls without a completion yet */
    bool has_interrupted_ = false, has_hung_up_ = false;
    steady_clock::time_point due_;
    steady_clock::duration longest_gap_{};
};

class Engine {
public:
    /* Releases the descriptor, which the client owns. Otherwise the io_context would close it. */
    ~Engine() { completions_.release(); }

    int run() {
        const auto add = [this](const char *call_id, Caller caller, const char *name) -> PhoneCall & {
            return calls_.emplace_back(io_, client_, pb::Conversation{call_id, "bot_1", "+12125550123"}, caller, name);
        };
        add("call-1", Caller::patient, "Ann Smith").ring("tomorrow morning");
        add("call-2", Caller::interrupts, "Ben Weiss").ring("in three weeks");
        add("call-3", Caller::hangs_up, "Zo\u00eb O'Neil").ring("tomorrow afternoon");
        wait_for_completions();
        io_.run();

        const auto booked = pb::read<pb::SandboxBookings>(client_.sandbox_bookings()).bookings;
        std::cout << booked.size() << " appointments\n";
        for (const PhoneCall &call : calls_)
            std::cout << "longest gap between frames: " << call.longest_gap() << " ms\n";
        return booked.size() == calls_.size() && client_.close(5s) == PBK_OK ? 0 : 1;
    }

private:
    void wait_for_completions() {
        if (std::all_of(calls_.begin(), calls_.end(), std::mem_fn(&PhoneCall::is_over)))
            return;
        completions_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
            if (error)
                return;
            while (const pb::Completion completion = client_.next_completion())
                static_cast<PhoneCall *>(completion.context())->heard(completion);
            wait_for_completions();
        });
    }

    asio::io_context io_{1};
    pb::Client client_{config};
    asio::posix::stream_descriptor completions_{io_, client_.fd()};
    std::list<PhoneCall> calls_;
};

int main() try {
    return Engine().run();
} catch (const pb::Error &error) {
    std::cerr << error.what() << "\n";
    return 1;
}
