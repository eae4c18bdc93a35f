/*
 * The pieces of code in docs/cpp.md and at the top of the header, in a program that runs them.
 * Tests/python/test_docs.py and test_cpp.py find each piece here, line by line.
 */
#include "partnerbooking.hpp"

#include <poll.h>

#include <cstdlib>
#include <iostream>
#include <vector>

#include "support.hpp"

static const std::string request = SEARCH, booking = BOOKING;

static void top_of_the_header()
{
    partnerbooking::Client client(R"({"endpoint":"sandbox"})");
    std::string slots = client.search_availability(request);            // waits; throws partnerbooking::Error

    auto call = client.submit(PBK_SEARCH_AVAILABILITY, request);        // does not wait
    call.ticket.cancel();                                               // when the caller speaks
    std::string reply = call.reply.get();                               // a std::future
    check(contains(slots, "availabilities") && reply == slots, "the top of the header", "the reply was there first");
}

static void say(const std::string &) {}

static void errors()
{
    const partnerbooking::Client client(SANDBOX);
    int said = 0;
    const auto say = [&](const char *) { ++said; };

    try {
        std::string reply = client.create_booking(booking);
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

    auto slots = client.try_search_availability(request);
    if (slots)
        say(*slots);
    else
        say(slots.error().message());
    check(slots.has_value(), "results");
}

static void futures()
{
    const partnerbooking::Client client(SILENT_SANDBOX);

    auto [reply, ticket] = client.submit(PBK_SEARCH_AVAILABILITY, request);
    if (reply.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready)
        say("One moment, please.");
    ticket.cancel();                                        // the caller has hung up
    try {
        say(reply.get());
    } catch (const partnerbooking::Error &error) {
        check(error.status() == PBK_CANCELLED, "futures", error.what());
    }
}

struct Conversation {
    std::atomic<int> done{0}, slow{0};
    void one_moment_please() { ++slow; }
    void on_reply(pbk_status status, std::string) { done += status == PBK_OK; }
    bool goes_on() const { return done == 0; }
};

static void callbacks()
{
    const auto conversation = std::make_shared<Conversation>();
    const partnerbooking::Client client(SANDBOX);

    client.submit(PBK_SEARCH_AVAILABILITY, request, [conversation](partnerbooking::Completion completion) {
        if (completion.event() == PBK_EVENT_SLOW)           // only with "slow_after_ms"
            conversation->one_moment_please();
        else
            conversation->on_reply(completion.status(), std::string(completion.reply()));
    });
    client.close(std::chrono::seconds(30));
    check(conversation->done == 1, "callbacks");
}

static void queue()
{
    Conversation one;
    const auto conversation = &one;
    const partnerbooking::Client client(SANDBOX);

    client.submit_to_queue(PBK_SEARCH_AVAILABILITY, request, conversation);

    std::vector<pollfd> descriptors = {{client.fd(), POLLIN, 0}};    // and those of your engine
    while (conversation->goes_on() && poll(descriptors.data(), descriptors.size(), -1) >= 0) {
        while (auto completion = client.next_completion()) {
            auto *of = static_cast<Conversation *>(completion.context());
            if (completion.event() == PBK_EVENT_SLOW)
                of->one_moment_please();
            else
                of->on_reply(completion.status(), std::string(completion.reply()));
        }
    }
    check(one.done == 1, "queue");
}

static std::string tool_call(const std::string &tool, const std::string &arguments)
{
    return R"({"bot_id":"bot_1","call_id":"call-7","caller_phone":"+12125550123","tool":)" + partnerbooking::json_quote(tool)
        + R"(,"arguments":)" + partnerbooking::json_quote(arguments) + "}";
}

static std::string text_for_the_model(const partnerbooking::Client &client, const std::string &call)
{
    const auto answer = client.try_call_tool(call);         // waits
    if (!answer) {
        std::cerr << answer.error().what() << "\n";         // client_closed, invalid_field: the engine has to act
        return "The calendar cannot be reached. Say so, and offer a call back.";
    }
    if (const auto words = partnerbooking::json_get(*answer, "/say"))
        say(*words);
    return partnerbooking::json_get(*answer, "/text").value_or("");
}

static void tools()
{
    Conversation one;
    const auto conversation = &one;
    const auto to_the_model = [](const std::optional<std::string> &text) { check(text.has_value(), "to the model", text.value_or("")); };

    const std::string voice = R"("voice":{"time_zone":"America/New_York","region":"US"})";
    partnerbooking::Client client(R"({"endpoint":"sandbox","sandbox":{"time_zone":"America/New_York"},)" + voice + "}");
    const std::string tools = partnerbooking::try_tools(R"({"dialect":"openai_realtime",)" + voice + "}").value();
    to_the_model(partnerbooking::json_get(tools, "/tools"));
    to_the_model(partnerbooking::json_get(tools, "/prompt"));

    client.prefetch(R"({"bot_id":"bot_1"})");               // the phone rings
    to_the_model(text_for_the_model(client, tool_call("find_appointment_slots", R"({"when":"next week"})")));

    auto ticket = client.submit_to_queue(PBK_CALL_TOOL, tool_call("book_appointment", "{}"), conversation);
    ticket.cancel();                                        // the caller speaks

    client.conversation_end(R"({"bot_id":"bot_1","call_id":"call-7"})");    // the caller has hung up
    check(client.next_completion(std::chrono::seconds(10)).context() == conversation, "a tool call in the queue");
    const std::string found = text_for_the_model(client, tool_call("find_appointment_slots", R"({"when":"next week"})"));
    check(contains(found, "Offer these times"), "a tool call", found);
    client.close(std::chrono::seconds(1));
    check(contains(text_for_the_model(client, tool_call("x", "")), "call back"), "a closed client");
}

static void giving_up()
{
    const partnerbooking::Client client(LEFT_IN_DOUBT);
    check(!client.try_create_booking(booking), "in doubt");

    std::string reply = client.create_booking(R"({"idempotency_key":"key-1","give_up":true})");
    say(reply);                                             // {"given_up":[{"idempotency_key":"key-1",...}],"kept":[]}
    check(contains(reply, R"("given_up":[{)") && contains(reply, R"("kept":[])"), "given up", reply);
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
    errors();
    results();
    futures();
    callbacks();
    queue();
    tools();
    giving_up();
    check(platform(partnerbooking::sign_webhook("whsec_old", "{}"), "{}") == 200, "a webhook, signed");
    check(platform("", "{}") == 401, "a webhook, not signed");
    std::puts("documented: all runs");
}
