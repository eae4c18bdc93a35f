/*
 * The pieces of code in docs/cpp.md and at the top of the header, in a program that runs them.
 * Tests/python/test_docs.py and test_cpp.py find each piece here, line by line.
 */
#include "partnerbooking.hpp"

#include <poll.h>

#include <cstdlib>
#include <iostream>
#include <vector>

#include "ledger_store.hpp"
#include "support.hpp"

namespace pb = partnerbooking;

static const std::string json_request = SEARCH;

static void top_of_the_header()
{
    using namespace partnerbooking;
    Client client(R"({"endpoint":"sandbox"})");
    SearchAvailabilityRequest request{"bot_1", "2030-01-14", "2030-01-15"};
    for (const auto &free : client.search_availability(request).availabilities)
        std::cout << free.start_at << "\n";       // waited; throws Error

    auto call = client.submit(request);           // does not wait
    call.ticket.cancel();                         // when the caller speaks
    auto reply = call.reply.get();                // a std::future
    check(reply.json == client.search_availability(request).json, "the top of the header", "the reply was there first");
}

static void json_as_text()
{
    const partnerbooking::Client client(SANDBOX);
    const std::string request = json_request;

    std::string reply = client.search_availability(request);
    if (const auto start = partnerbooking::json_get(reply, "/availabilities/0/start_at"))
        std::cout << *start << "\n";
    auto found = partnerbooking::read<partnerbooking::SearchAvailabilityReply>(reply);
    check(found.availabilities.size() > 3, "JSON as text");
}

static void fields()
{
    const partnerbooking::Client client(SANDBOX);
    const std::string bot_id = "bot_1", start_at = "2030-01-14T10:00:00Z", key = "key-1", caller_phone = "+15551234567", name = "J";

    partnerbooking::CreateBookingRequest booking;
    booking.bot_id = bot_id;
    booking.idempotency_key = key;
    booking.start_at = start_at;
    booking.duration_minutes = 30;
    booking.customer = {caller_phone, name};
    booking.detach = true;                                  // the caller may hang up
    booking.options.timeout_ms = 20000;
    check(client.create_booking(booking).booking.id.has_value(), "members one by one");
}

/* What the pieces below send. */
static const partnerbooking::SearchAvailabilityRequest request{"bot_1", "2030-01-14", "2030-01-14"};
static const partnerbooking::CreateBookingRequest booking{"bot_1", "key-1", "2030-01-14T10:00:00Z", 30, {"+15551234567", "John Doe"}};

static void say(const std::string &) {}

static void errors()
{
    const partnerbooking::Client client(SANDBOX);
    int said = 0;
    const auto say = [&](const char *) { ++said; };

    try {
        auto reply = client.create_booking(booking);
    } catch (const partnerbooking::Error &error) {
        if (error.existing() && error.existing()->state == "booked")
            say("You have that appointment already.");      // with another name or note: resume its key
        else if (error.outcome() == PBK_OUTCOME_UNKNOWN)
            say("I am confirming that for you.");           // and resume its key
        else if (error.status() == PBK_SLOT_UNAVAILABLE)
            say("Somebody was faster. Shall I look for another time?");
        else if (error.field() == "booking.customer.phone")
            say("I did not get your number. Could you say it again, please?");
        else if (error.retryable())
            say("I cannot reach the calendar at the moment. May we call you back?");
        else
            say("Let me put you through to a colleague.");
        std::cerr << error.what() << "\n";                  // "slot_unavailable: The requested time slot ..."
    }
    check(said == 0, "errors");
}

static void results()
{
    const auto say = [](const std::string &) {};

    auto opened = partnerbooking::Client::try_open(R"({"endpoint":"sandbox"})");
    if (!opened)
        std::exit(1);                                       // opened.error() tells why
    partnerbooking::Client client = std::move(*opened);

    auto found = client.try_search_availability(request);
    if (found)
        say(found->json);
    else
        say(found.error().message());
    check(found.has_value(), "results");
}

static void futures()
{
    const partnerbooking::Client client(SILENT_SANDBOX);

    auto [reply, ticket] = client.submit(request);
    if (reply.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready)
        say("One moment, please.");
    ticket.cancel();                                        // the caller has hung up
    try {
        say(reply.get().json);
    } catch (const partnerbooking::Error &error) {
        check(error.status() == PBK_CANCELLED, "futures", error.what());
    }
}

struct Session {
    std::atomic<int> done{0}, slow{0};
    void one_moment_please() { ++slow; }
    void offer(const partnerbooking::Result<partnerbooking::SearchAvailabilityReply> &found) { done += found.has_value(); }
    void answer(const partnerbooking::Result<partnerbooking::ToolResult> &answer) { done += answer.has_value(); }
    bool goes_on() const { return done == 0; }
};

static void callbacks()
{
    const auto session = std::make_shared<Session>();
    const partnerbooking::Client client(SANDBOX);

    client.submit(request, [session](partnerbooking::Result<partnerbooking::SearchAvailabilityReply> found) {
        session->offer(found);
    });
    client.submit(request, [session](partnerbooking::CompletionOf<partnerbooking::SearchAvailabilityReply> completion) {
        if (completion.event() == PBK_EVENT_SLOW)           // only with slow_after_ms
            session->one_moment_please();
        else
            session->offer(completion.result());
    });
    client.close(std::chrono::seconds(30));
    check(session->done == 2, "callbacks");
}

static void queue()
{
    Session one;
    const auto session = &one;
    const partnerbooking::Client client(VOICE_SANDBOX);
    const partnerbooking::Conversation caller{"call-7", "bot_1", "+12125550123"};

    client.submit_to_queue(caller.find({"tomorrow"}), session);

    std::vector<pollfd> descriptors = {{client.fd(), POLLIN, 0}};    // and those of your engine
    while (session->goes_on() && poll(descriptors.data(), descriptors.size(), -1) >= 0) {
        while (auto completion = client.next_completion()) {
            auto *of = static_cast<Session *>(completion.context());
            if (completion.event() == PBK_EVENT_SLOW)
                of->one_moment_please();
            else
                of->answer(completion.result_as<partnerbooking::ToolResult>());
        }
    }
    check(one.done == 1, "queue");
}

static std::string text_for_the_model(const partnerbooking::Client &client, const partnerbooking::ToolRequest &call)
{
    const auto answer = client.try_call_tool(call);         // waits
    if (!answer) {
        std::cerr << answer.error().what() << "\n";         // client_closed, invalid_field: the engine has to act
        return "The calendar cannot be reached. Say so, and offer a call back.";
    }
    if (answer->say)
        say(*answer->say);
    return answer->text;
}

static void tools()
{
    Session one;
    const auto session = &one;
    const auto to_the_model = [](const std::string &text) { check(!text.empty(), "to the model", text); };

    const std::string voice = R"({"time_zone":"America/New_York","region":"US"})";
    partnerbooking::Client client(R"({"endpoint":"sandbox","sandbox":{"time_zone":"America/New_York"},"voice":)" + voice + "}");
    const partnerbooking::Tools tools = partnerbooking::tools(partnerbooking::ToolsRequest{"openai_realtime", voice});
    to_the_model(tools.tools);
    to_the_model(tools.prompt);

    const partnerbooking::Conversation caller{"call-7", "bot_1", "+12125550123"};
    client.prefetch(caller.prefetch());                     // the phone rings

    const std::string tool = "find_appointment_slots", arguments = R"({"when":"next week"})";
    to_the_model(text_for_the_model(client, caller.call(tool, arguments)));

    pb::ToolRequest to_book = caller.book({"the first one"});
    to_book.detach = true;                                  // what is on its way completes
    auto ticket = client.submit_to_queue(to_book, session);
    ticket.cancel();                                        // the caller speaks

    client.conversation_end(caller);                        // the caller has hung up
    check(client.next_completion(std::chrono::seconds(10)).context() == session, "a tool call in the queue");
    const std::string found = text_for_the_model(client, caller.find({"next week"}));
    check(contains(found, "Offer these times"), "a tool call", found);
    client.close(std::chrono::seconds(1));
    check(contains(text_for_the_model(client, caller.look_up_caller()), "call back"), "a closed client");
}

static void giving_up()
{
    const partnerbooking::Client client(LEFT_IN_DOUBT);
    check(!client.try_create_booking(booking), "in doubt");

    auto reply = client.give_up({"key-1"});
    say(reply.given_up.at(0).start_at);
    check(reply.given_up.size() == 1 && reply.kept.empty(), "given up", reply.json);
}

static void fleet()
{
    LedgerStore store;
    const std::string config = R"({"endpoint":"sandbox","sandbox":{"now":"2030-01-14T08:00:00Z"}})";

    partnerbooking::Client client(config, [&store](partnerbooking::LedgerBatch batch) {
        try {
            batch.answer(store.execute(batch.operations()));    // {"results":[...]}
        } catch (const std::exception &error) {
            batch.fail(error.what());                           // nothing is known: the library repeats the batch
        }
    });
    check(client.create_booking(booking).booking.id.has_value(), "a booking in a ledger");
    check(client.close(std::chrono::seconds(10)) == PBK_OK && store.count("booked") == 1, "its row");
}

static int answer(int status, const char *) { return status; }

static int platform(const std::string &header, std::string_view body)
{
    const std::vector<std::string> secrets = {"whsec_new", "whsec_old"};

    pbk_webhook_verdict verdict = partnerbooking::verify_webhook(secrets, header, body);
    if (verdict != PBK_WEBHOOK_VALID)
        return answer(401, pbk_webhook_verdict_text(verdict));
    return answer(200, "");
}

int main()
{
    try {
        top_of_the_header();
    } catch (const partnerbooking::Error &error) {
        check(error.status() == PBK_CANCELLED, "the top of the header", error.what());
    }
    json_as_text();
    fields();
    errors();
    results();
    futures();
    callbacks();
    queue();
    tools();
    giving_up();
    fleet();
    check(platform(partnerbooking::sign_webhook("whsec_old", "{}"), "{}") == 200, "a webhook, signed");
    check(platform("", "{}") == 401, "a webhook, not signed");
    std::puts("documented: all runs");
}
