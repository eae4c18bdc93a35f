/*
 * A phone line that books appointments. libre does SIP and RTP, espeak-ng renders the words, and
 * this library books. One thread serves all phone calls, and nothing in its loop blocks.
 *
 *     sip_engine [ADDRESS:PORT]       127.0.0.1:5060 if left out; port 0 means any free port
 *
 * Every 20 ms the loop sends each caller a frame of G.711. The caller hears free times and presses
 * a key. pbk_submit() takes the tool calls. Their completions come through pbk_client_fd(), one
 * more descriptor in libre's loop. A real engine has a language model in place of the keys.
 *
 * Environment: PARTNER_CONFIG replaces SANDBOX below (a real one REALLY BOOKS). PARTNER_BOT_ID
 * names the bot. SIP_CLIPS is a folder for copies of the clips. SIGTERM hangs up all phone calls,
 * and lets bookings reach their end. Exits with 0 if no booking is left in doubt.
 */
#include "sip_phone.h"
#include "shared.h"

#define RING_MS 300
#define OFFERS 3
#define AGAIN_FRAMES 400        /* repeats the question after 8 s without a key */
#define QUESTIONS 10
#define REPEATS 3               /* for a booking in doubt */
#define BYE_MS 500              /* at the end, so that a lost BYE can be sent again */
#define SETTLE_MS 10000         /* at the end, for bookings in flight */
#define SANDBOX \
    "{\"endpoint\":\"sandbox\",\"report_settled\":true,\"sandbox\":{\"answer\":\"windows\",\"latency_ms\":1500," \
    "\"time_zone\":\"America/New_York\",\"now\":\"2030-01-14T08:00:00-05:00\"}," \
    "\"voice\":{\"time_zone\":\"America/New_York\",\"region\":\"US\",\"cache_ms\":60000}}"

#define GREETING "Hello, this is the booking line of the clinic."
#define WAIT "One moment, please."
#define CONFIRM "Press one to book it, or two to hear the times again."
#define GOODBYE "Thank you for calling. Goodbye."
#define COLLEAGUE "A colleague will call you back. Goodbye."

static const char *const FIXED[] = {GREETING, WAIT, CONFIRM, GOODBYE, COLLEAGUE};
static const char *const KEYS[OFFERS] = {"one", "two", "three"};

/* LOOKING: a tool call that books nothing is in flight. */
enum step { RINGING, LOOKING, CHOOSING, CONFIRMING, BOOKING, LEAVING };

struct call {
    struct le le;
    struct tmr ring;
    struct phone phone;
    int number;
    enum step step;
    bool is_over;               /* hung up; a tool call in flight keeps the memory */
    char slots[OFFERS][32];     /* the names of the slots, from the library */
    char questions[OFFERS][200];
    int offers, picked, asked, repeats;
    char *request;              /* the last tool call; repeated if its outcome is unknown */
    pbk_ticket ticket;
};

static struct engine {
    pbk_client *client;
    const char *bot_id;
    struct sip_line line;
    struct list calls;
    struct tmr closing;
    int settle_ms, call_count, booked;
    bool is_closing;
} engine = {.settle_ms = SETTLE_MS};

static void note(const struct call *call, const char *who, const char *text)
{
    printf("call %d  %s: %s\n", call->number, who, text == NULL ? "out of memory" : text);
}

/* ---- The conversation ---- */

/* Says the last words. send_frame() hangs up after them. */
static void leave(struct call *call, const char *text)
{
    if (!call->is_over)
        phone_say(&call->phone, text);
    call->step = LEAVING;
}

/* Takes the slots of an answer, and writes a question for each. Returns the number of slots. */
static int take_slots(struct call *call, const char *answer)
{
    char pointer[32], when[160];

    for (call->offers = 0; call->offers < OFFERS; call->offers++) {
        snprintf(pointer, sizeof pointer, "/slots/%d/slot", call->offers);
        if (!json_copy(answer, pointer, call->slots[call->offers], sizeof call->slots[0]))
            break;
        snprintf(pointer, sizeof pointer, "/slots/%d/say", call->offers);
        json_copy(answer, pointer, when, sizeof when);
        snprintf(call->questions[call->offers], sizeof call->questions[0], "For %s, press %s.", when,
                 KEYS[call->offers]);
    }
    return call->offers;
}

static void ask(struct call *call)
{
    int i;

    call->step = CHOOSING;
    for (i = 0; i < call->offers; i++)
        phone_say(&call->phone, call->questions[i]);
    if (++call->asked > QUESTIONS)
        leave(call, COLLEAGUE);
}

/* Submits call->request. The context keeps the call in memory until its completion. */
static void submit(struct call *call, enum step step)
{
    char *error = NULL;

    call->step = step;
    if (pbk_submit(engine.client, PBK_CALL_TOOL, call->request, &call->ticket, &error, NULL, mem_ref(call)) != PBK_OK) {
        note(call, "log", error);
        mem_deref(call);
        leave(call, COLLEAGUE);
    }
    pbk_string_free(error);
}

/* Books the picked slot. Without `confirmed`, the answer only reads the values back. */
static void book_slot(struct call *call, bool confirmed)
{
    free(call->request);
    call->request = json_fill("{\"tool\":\"book_appointment\",\"call_id\":$,\"bot_id\":$,\"slow_after_ms\":500,"
                              "\"tag\":$,\"caller_phone\":$,"
                              "\"arguments\":{\"slot\":$,\"name\":$,\"caller_confirmed\":#}}",
                              call->phone.id, engine.bot_id, call->phone.id, call->phone.number,
                              call->slots[call->picked], call->phone.name, confirmed ? "true" : "false");
    submit(call, confirmed ? BOOKING : LOOKING);
}

static void on_key(void *owner, char key)
{
    struct call *call = owner;
    const char text[2] = {key, '\0'};

    note(call, "caller presses", text);
    if (call->step == CHOOSING && key >= '1' && key < '1' + call->offers) {
        call->picked = key - '1';
        phone_be_silent(&call->phone);
        book_slot(call, false);
    } else if (call->step == CONFIRMING) {
        phone_be_silent(&call->phone);
        if (key == '1')
            book_slot(call, true);
        else
            ask(call);
    }
}

/* Acts on the answer's `result`. After a hang-up, its words go to the log. */
static void tool_ended(struct call *call, const char *answer)
{
    char result[32], *words = pbk_json_get(answer, "/say");

    if (!json_copy(answer, "/result", result, sizeof result))
        json_copy(answer, "/error/code", result, sizeof result);    /* such as "cancelled" */
    if (call->is_over)
        note(call, result, words == NULL ? "after the caller hung up" : words);
    else if (words != NULL && strcmp(result, "offered") != 0)
        phone_say(&call->phone, words);
    pbk_string_free(words);

    if (strcmp(result, "booked") == 0 || strcmp(result, "already") == 0) {
        engine.booked++;
        leave(call, GOODBYE);
    } else if (strcmp(result, "in_doubt") == 0 && ++call->repeats <= REPEATS) {
        submit(call, BOOKING);  /* a repeat settles it, and never makes a second booking */
    } else if (!call->is_over && strcmp(result, "readback") == 0) {
        phone_say(&call->phone, CONFIRM);
        call->step = CONFIRMING;
    } else if (!call->is_over && take_slots(call, answer) > 0) {
        ask(call);
    } else {
        leave(call, COLLEAGUE);
    }
}

/* Logs the end of a booking that was in doubt. The tag names the phone call. */
static void booking_settled(const pbk_completion *end)
{
    const char *tag = pbk_completion_tag(end);  /* NULL for a booking of an earlier process */
    char text[160];

    if (pbk_completion_status(end) == PBK_OK)
        say_booked(pbk_completion_reply(end), text, sizeof text);
    else
        snprintf(text, sizeof text, "not booked: %s", pbk_status_text(pbk_completion_status(end)));
    printf("settled, of phone call %s: %s\n", tag != NULL ? tag : "before", text);
}

/* Takes all completions when the library's descriptor is readable. Does not block. */
static void take_completions(int flags, void *arg)
{
    pbk_completion *end;

    (void)flags, (void)arg;
    while ((end = pbk_next_completion(engine.client, 0, NULL)) != NULL) {
        struct call *call = pbk_completion_context(end);

        if (pbk_completion_event(end) == PBK_EVENT_SETTLED) {
            booking_settled(end);
        } else if (pbk_completion_event(end) == PBK_EVENT_SLOW && !call->is_over && call->phone.word_count == 0) {
            phone_say(&call->phone, WAIT);
        } else if (pbk_completion_event(end) == PBK_EVENT_DONE) {
            tool_ended(call, pbk_completion_reply(end));
            mem_deref(call);    /* the reference of submit() */
        }
        pbk_completion_free(end);   /* this marks the end as heard */
    }
}

/* ---- Phone calls ---- */

/* Frees a call after the hang-up and its last tool call. The library forgets the offered slots. */
static void forget_call(void *data)
{
    struct call *call = data;
    char *request = json_fill("{\"bot_id\":$,\"call_id\":$}", engine.bot_id, call->phone.id);

    pbk_conversation_end(engine.client, request, NULL);
    free(request);
    free(call->request);
}

/*
 * Hangs up. A search ends with the phone call. A booking goes on, because the caller has confirmed
 * it and the platform may have it already. Its end goes to the log.
 */
static void end_call(struct call *call)
{
    call->is_over = true;
    if (call->step == LOOKING)
        pbk_cancel(engine.client, call->ticket);
    tmr_cancel(&call->ring);
    phone_hang_up(&call->phone);
    list_unlink(&call->le);
    mem_deref(call);            /* submit() may hold another reference */
}

static void on_hung_up(void *owner)
{
    struct call *call = owner;

    note(call, "caller hangs up", call->step == BOOKING ? "the booking goes on" : "no booking is under way");
    end_call(call);
}

/* Picks up. The greeting is spoken while the search may still run. */
static void pick_up(void *data)
{
    struct call *call = data;

    if (phone_pick_up(&call->phone)) {
        phone_say(&call->phone, GREETING);
        call->request = json_fill("{\"tool\":\"find_appointment_slots\",\"call_id\":$,\"bot_id\":$,\"arguments\":{},"
                                  "\"slow_after_ms\":500}", call->phone.id, engine.bot_id);
        submit(call, LOOKING);
    } else {
        end_call(call);
    }
}

/* Searches ahead when the phone rings, so that the first question needs no round trip. */
static void on_invite(const struct sip_msg *invite, void *arg)
{
    struct call *call = engine.is_closing ? NULL : mem_zalloc(sizeof *call, forget_call);
    char *request = json_fill("{\"bot_id\":$}", engine.bot_id);

    (void)arg;
    if (call == NULL) {
        sip_treply(NULL, engine.line.sip, invite, 503, "Service Unavailable");
    } else {
        call->number = ++engine.call_count;
        list_append(&engine.calls, &call->le, call);
        if (phone_ring(&call->phone, &engine.line, invite, on_key, on_hung_up, call)) {
            note(call, "rings", call->phone.number);
            pbk_prefetch(engine.client, request, NULL);
            tmr_start(&call->ring, RING_MS, pick_up, call);
        } else {
            end_call(call);
        }
    }
    free(request);
}

static void send_frame(struct call *call)
{
    const char *text = phone_send(&call->phone);

    if (text != NULL)
        note(call, "bot", text);
    if (call->phone.word_count > 0)
        return;
    if (call->step == LEAVING)
        end_call(call);
    else if (call->phone.quiet_frames > AGAIN_FRAMES && call->step != LOOKING && call->step != BOOKING)
        ask(call);
}

static void on_frame(void)
{
    struct le *le, *next;

    for (le = list_head(&engine.calls); le != NULL; le = next) {
        next = le->next;
        if (((struct call *)le->data)->phone.is_up)
            send_frame(le->data);
    }
}

/* ---- Start and end ---- */

/* Keeps the loop running until each booking has an end that was heard, or SETTLE_MS is over. */
static void stop_when_settled(void *arg)
{
    char *pending = pbk_pending_bookings(engine.client, NULL);
    char *first = pbk_json_get(pending, "/pending_bookings/0/state");

    engine.settle_ms -= 100;
    if (first != NULL && engine.settle_ms > 0)
        tmr_start(&engine.closing, 100, stop_when_settled, arg);
    else
        re_cancel();
    pbk_string_free(first);
    pbk_string_free(pending);
}

/* Shuts down. Runs in the loop, not in the signal handler. A second signal ends at once. */
static void on_signal(int number)
{
    (void)number;
    if (engine.is_closing)
        re_cancel();
    engine.is_closing = true;   /* refuses new phone calls */
    while (!list_isempty(&engine.calls))
        end_call(list_ledata(list_head(&engine.calls)));
    tmr_start(&engine.closing, BYE_MS, stop_when_settled, NULL);
}

/* Opens everything, in the opposite order of close_engine(). Returns 0 on failure. */
static int open_engine(const char *address)
{
    const char *config = getenv("PARTNER_CONFIG");
    char *error = NULL;
    size_t i;

    if ((engine.bot_id = getenv("PARTNER_BOT_ID")) == NULL)
        engine.bot_id = "bot_01h2xcejqtf2nbrexx3vqjhp41";
    engine.client = pbk_client_open(config != NULL ? config : SANDBOX, &error, NULL);
    if (engine.client == NULL)
        fprintf(stderr, "cannot open a client: %s\n", error == NULL ? "out of memory" : error);
    pbk_string_free(error);
    if (engine.client == NULL || !sip_line_open(&engine.line, address, on_invite, on_frame)
        || !words_open(getenv("SIP_CLIPS"))
        || fd_listen(pbk_client_fd(engine.client), FD_READ, take_completions, NULL) != 0)
        return 0;
    for (i = 0; i < sizeof FIXED / sizeof FIXED[0]; i++)
        mem_deref(words_of(FIXED[i]));      /* renders the text ahead */
    return 1;
}

/* Closes everything after the loop. Returns 0 on failure or if a booking is left open. */
static int close_engine(void)
{
    char *pending, *first, *books;
    pbk_status closed;

    fd_close(pbk_client_fd(engine.client));     /* removes it from the loop; the library closes it */
    take_completions(0, NULL);
    pending = pbk_pending_bookings(engine.client, NULL);
    first = pbk_json_get(pending, "/pending_bookings/0/state");
    books = pbk_sandbox_bookings(engine.client, &closed);
    printf("%d calls, %d booked\nleft open: %s\n", engine.call_count, engine.booked,
           first == NULL ? "nothing" : pending);
    if (closed == PBK_OK)
        printf("the clinic's books: %s\n", books);
    words_close();
    sip_line_close(&engine.line);
    closed = pbk_client_close(engine.client, 1000);
    take_completions(0, NULL);  /* the calls that the close has ended */
    pbk_string_free(books);
    pbk_string_free(first);
    pbk_string_free(pending);
    return first == NULL && closed == PBK_OK;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!open_engine(argc > 1 ? argv[1] : "127.0.0.1:5060")) {
        fprintf(stderr, "cannot start\n");
        return 1;
    }
    printf("listening on port %d\n", sa_port(&engine.line.address));
    re_main(on_signal);
    return close_engine() ? 0 : 1;
}
