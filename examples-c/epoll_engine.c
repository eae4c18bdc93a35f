/*
 * The loop of a voice engine. One thread serves the audio of several phone calls every 20 ms, and
 * also makes their tool calls. In the loop only epoll_wait() blocks.
 *
 *     epoll_engine
 *
 * The engine submits a tool call with pbk_submit(). The completion comes through pbk_client_fd(),
 * one more descriptor in the epoll set. Each caller asks for a day. The engine searches, and books
 * the first slot. If a reply takes longer than slow_after_ms, the bot says "One moment, please."
 *
 * Runs on the embedded sandbox, where each reply takes 350 ms. With the first two of these
 * variables in the environment, it uses a real service. There it REALLY BOOKS one appointment for
 * each call:
 *
 *     PARTNER_API_KEY    sk_ptnr_...
 *     PARTNER_API_URL    the service's base URL
 *     PARTNER_BOT_ID     the bot that asks
 *     PARTNER_CA_FILE    a PEM file of certificates to trust instead of the system's
 *
 * Exits with 0 if every caller has an appointment.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "partnerbooking.h"
#include "shared.h"

#define CALLS 6
#define TOOL_CALLS 8
#define MINUTES 30              /* set your own length: some platforms list a whole free day as one item */
#define OFFSET "-05:00"         /* the clinic's offset: platforms read a plain date differently */
#define FRAME_NS 20000000L      /* 20 ms of audio */
#define SAMPLES 160             /* at 8 kHz */
#define FRAMES_BETWEEN_CALLS 10 /* the next phone rings 200 ms later */
#define DAY (24 * 60 * 60)
#define SANDBOX \
    "{\"endpoint\":\"sandbox\",\"slow_after_ms\":250,\"sandbox\":{\"latency_ms\":350,\"time_zone\":\"" OFFSET "\"}}"

enum state { NOT_STARTED, SEARCHING, BOOKING, BOOKED, HANDED_OVER };

struct call {
    int number;
    enum state state;
    int tool_calls;         /* so far; limited, so that no caller waits without end */
    int booking;            /* slots tried so far; each slot gets a new number and so a new key */
    char *request;          /* the last request; repeated if its outcome is unknown */
    int16_t audio[SAMPLES];
};

struct engine {
    pbk_client *client;
    const char *bot_id;
    char run[48];           /* names this run of this process, so that its keys are used nowhere else */
    struct call calls[CALLS];
    uint64_t frames;
    int64_t first_frame_ns, worst_delay_ns;
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void say(const struct engine *engine, const struct call *call, const char *who, const char *words)
{
    printf("%6.3f s  call %d  %s: %s\n", (double)(now_ns() - engine->first_frame_ns) / 1e9, call->number, who, words);
}

static void hand_over(const struct engine *engine, struct call *call, const char *why)
{
    say(engine, call, "log", why == NULL ? "out of memory" : why);
    say(engine, call, "bot", "Let me put you through to a colleague.");
    call->state = HANDED_OVER;
}

/* ---- Tool calls ---- */

/* Stores a request in its call, and frees the request before it. */
static void keep(struct call *call, char *request)
{
    free(call->request);
    call->request = request;
}

/*
 * Submits call->request and returns within microseconds. The context of the completion is the call.
 */
static void submit(const struct engine *engine, struct call *call, enum state state)
{
    char *error = NULL;
    pbk_operation operation = state == SEARCHING ? PBK_SEARCH_AVAILABILITY : PBK_CREATE_BOOKING;

    call->state = state;
    if (++call->tool_calls > TOOL_CALLS)
        hand_over(engine, call, "too many tool calls");
    else if (pbk_submit(engine->client, operation, call->request, NULL, &error, NULL, call) != PBK_OK)
        hand_over(engine, call, error);
    pbk_string_free(error);
}

/*
 * Searches seven days. They start tomorrow for the first caller, one day later for the second, and
 * so on.
 */
static void search(const struct engine *engine, struct call *call)
{
    time_t from = time(NULL) / DAY * DAY + (time_t)call->number * DAY, to = from + 7 * DAY;
    char start_at[32], end_at[32];

    strftime(start_at, sizeof start_at, "%Y-%m-%dT%H:%M:%S" OFFSET, gmtime(&from));
    strftime(end_at, sizeof end_at, "%Y-%m-%dT%H:%M:%S" OFFSET, gmtime(&to));
    keep(call, json_fill("{\"bot_id\":$,\"query\":{\"filter\":{\"start_at_range\":{\"start_at\":$,\"end_at\":$}}}}",
                         engine->bot_id, start_at, end_at));
    submit(engine, call, SEARCHING);
}

/* Books a slot, with "detach": a caller who hangs up ends the phone call, not the booking. */
static void book(const struct engine *engine, struct call *call, const char *start_at)
{
    char key[96], phone[32], name[32], minutes[16];

    snprintf(minutes, sizeof minutes, "%d", MINUTES);
    snprintf(key, sizeof key, "engine-%s-%d-%d", engine->run, call->number, ++call->booking);
    snprintf(phone, sizeof phone, "+1555123%04d", call->number);
    snprintf(name, sizeof name, "Caller %d", call->number);
    keep(call, json_fill("{\"bot_id\":$,\"idempotency_key\":$,\"detach\":true,\"booking\":{\"start_at\":$,"
                         "\"duration_minutes\":#,\"customer\":{\"phone\":$,\"name\":$}}}",
                         engine->bot_id, key, start_at, minutes, phone, name));
    submit(engine, call, BOOKING);
}

static void search_ended(const struct engine *engine, struct call *call, const char *reply)
{
    char start_at[64], words[128];

    if (!find_start(reply, 0, MINUTES, start_at, sizeof start_at)) {
        hand_over(engine, call, reply);
        return;
    }
    snprintf(words, sizeof words, "The first free time is %s. I am booking it for you.", start_at);
    say(engine, call, "bot", words);
    book(engine, call, start_at);
}

static void booking_ended(const struct engine *engine, struct call *call, pbk_status status, const char *reply)
{
    char words[160], key[96];

    if (status == PBK_OK) {
        say_booked(reply, words, sizeof words);
        say(engine, call, "bot", words);
        call->state = BOOKED;
    } else if (status == PBK_IDEMPOTENCY_KEY_REUSED && json_copy(reply, "/error/idempotency_key", key, sizeof key)) {
        say(engine, call, "bot", "You have an appointment already. Let me see.");
        keep(call, json_fill("{\"idempotency_key\":$,\"resume\":true}", key));
        submit(engine, call, BOOKING);      /* returns the reply of the booking that has the key */
    } else if (pbk_reply_outcome(reply) == PBK_OUTCOME_UNKNOWN) {
        say(engine, call, "bot", "I am confirming that for you.");
        submit(engine, call, BOOKING);      /* the same request with the same key: never a second booking */
    } else if (status == PBK_SLOT_UNAVAILABLE) {
        say(engine, call, "bot", "Somebody was faster. Let me look again.");
        search(engine, call);
    } else {
        hand_over(engine, call, reply);
    }
}

/* Takes all waiting completions. Called when the completion descriptor is readable. */
static void take_completions(struct engine *engine)
{
    pbk_completion *completion;

    while ((completion = pbk_next_completion(engine->client, 0, NULL)) != NULL) {
        struct call *call = pbk_completion_context(completion);
        pbk_event event = pbk_completion_event(completion);

        if (event == PBK_EVENT_SLOW)
            say(engine, call, "bot", "One moment, please.");
        else if (event == PBK_EVENT_DONE && call->state == SEARCHING)
            search_ended(engine, call, pbk_completion_reply(completion));
        else if (event == PBK_EVENT_DONE)
            booking_ended(engine, call, pbk_completion_status(completion), pbk_completion_reply(completion));
        pbk_completion_free(completion);
    }
}

/* ---- Audio ---- */

/* Stands in for decoder, mixer and encoder: does a little work on each of 160 samples. */
static void serve_audio(struct call *call)
{
    int i;

    for (i = 0; i < SAMPLES; i++)
        call->audio[i] = (int16_t)((call->audio[i] * 7 + call->number * 1000 + i) / 8);
}

/*
 * Serves the frames that are due after the timer has expired. Records the delay of the first frame.
 */
static int serve_frames(struct engine *engine, int timer)
{
    uint64_t due;
    int64_t delay_ns;
    int i;

    if (read(timer, &due, sizeof due) != (ssize_t)sizeof due)
        return 0;
    delay_ns = now_ns() - (engine->first_frame_ns + (int64_t)engine->frames * FRAME_NS);
    if (delay_ns > engine->worst_delay_ns)
        engine->worst_delay_ns = delay_ns;
    for (; due > 0; due--, engine->frames++) {
        for (i = 0; i < CALLS; i++) {
            struct call *call = &engine->calls[i];

            if (call->state == NOT_STARTED && engine->frames >= (uint64_t)i * FRAMES_BETWEEN_CALLS) {
                say(engine, call, "caller", "I would like to see somebody in the coming days.");
                search(engine, call);
            }
            serve_audio(call);
        }
    }
    return 1;
}

/* ---- The loop ---- */

static int watch(int epoll, int descriptor)
{
    struct epoll_event event;

    memset(&event, 0, sizeof event);
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

static int all_ended(const struct engine *engine)
{
    int i;

    for (i = 0; i < CALLS; i++)
        if (engine->calls[i].state < BOOKED)
            return 0;
    return 1;
}

/* Runs until every call has ended. Returns 0 when a system call fails. */
static int run(struct engine *engine)
{
    const int completions = pbk_client_fd(engine->client);  /* the client owns it: do not read or close it */
    const int epoll = epoll_create1(EPOLL_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    struct itimerspec every_frame = {{0, FRAME_NS}, {0, 0}};
    struct epoll_event events[2];
    int i, count, fine;

    engine->first_frame_ns = now_ns() + FRAME_NS;
    every_frame.it_value.tv_sec = (time_t)(engine->first_frame_ns / 1000000000);
    every_frame.it_value.tv_nsec = (long)(engine->first_frame_ns % 1000000000);
    fine = epoll >= 0 && completions >= 0 && timer >= 0 && watch(epoll, timer) && watch(epoll, completions)
        && timerfd_settime(timer, TFD_TIMER_ABSTIME, &every_frame, NULL) == 0;
    while (fine && !all_ended(engine)) {
        count = epoll_wait(epoll, events, 2, -1);
        fine = count >= 0 || errno == EINTR;
        for (i = 0; i < count && fine; i++) {
            if (events[i].data.fd == timer)
                fine = serve_frames(engine, timer);
            else
                take_completions(engine);
        }
    }
    if (!fine)
        perror("the loop");
    if (timer >= 0)
        close(timer);
    if (epoll >= 0)
        close(epoll);   /* before the client, because its descriptor is in the epoll set */
    return fine;
}

/* Returns the configuration, from the environment or for the sandbox. Free it with free(). */
static char *configuration(void)
{
    const char *key = getenv("PARTNER_API_KEY"), *url = getenv("PARTNER_API_URL"), *ca = getenv("PARTNER_CA_FILE");
    char *tls, *json;

    if (key == NULL || url == NULL)
        return json_fill(SANDBOX);
    tls = ca == NULL ? json_fill("{}") : json_fill("{\"ca_file\":$}", ca);
    json = json_fill("{\"api_key\":$,\"base_url\":$,\"slow_after_ms\":250,\"tls\":#}", key, url, tls);
    free(tls);
    return json;
}

int main(void)
{
    static struct engine engine;
    char *config, *error = NULL;
    int i, booked = 0;
    pbk_status closed;

    engine.bot_id = getenv("PARTNER_BOT_ID");
    if (engine.bot_id == NULL)
        engine.bot_id = "bot_01h2xcejqtf2nbrexx3vqjhp41";
    snprintf(engine.run, sizeof engine.run, "%ld-%ld", (long)time(NULL), (long)getpid());
    for (i = 0; i < CALLS; i++)
        engine.calls[i].number = i + 1;

    config = configuration();
    engine.client = pbk_client_open(config, &error, NULL);
    free(config);
    if (engine.client == NULL) {
        fprintf(stderr, "cannot open a client: %s\n", error == NULL ? "out of memory" : error);
        pbk_string_free(error);
        return 1;
    }
    if (run(&engine))
        for (i = 0; i < CALLS; i++)
            booked += engine.calls[i].state == BOOKED;
    for (i = 0; i < CALLS; i++)
        keep(&engine.calls[i], NULL);
    closed = pbk_client_close(engine.client, 1000);     /* this blocks, but no caller is left */
    if (closed != PBK_OK)
        fprintf(stderr, "closing: %s\n", pbk_status_text(closed));

    printf("%llu frames, the worst of them %.3f ms late\n", (unsigned long long)engine.frames,
           (double)engine.worst_delay_ns / 1e6);
    printf("%d calls: %d booked, %d handed over\n", CALLS, booked, CALLS - booked);
    return booked == CALLS && closed == PBK_OK ? 0 : 1;
}
