/*
 * What stack a call needs: runs each function on a thread whose stack was painted, and prints how
 * many bytes below the caller's frame it has touched. Each has a process of its own, in which
 * little was called before it: the first use of a part of the library takes more than all later
 * ones.
 *
 * Fails when pbk_client_open or another function needs more than docs/embedding.md says.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#define STACK_BYTES (1 << 20)
#define PAINT 0xA5
#define OPEN_LIMIT 40960
#define OTHERS_LIMIT 32768

#define CONFIG "{\"endpoint\":\"sandbox\",\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\"},\"journal_path\":\"%s\"," \
    "\"voice\":{\"time_zone\":\"America/New_York\",\"region\":\"US\"}}"
#define ZONE "\"time_zone\":\"America/New_York\",\"now\":\"2030-01-14T08:00:00Z\""
#define TOOL(name, arguments) "{\"tool\":\"" name "\",\"call_id\":\"call-7\",\"bot_id\":\"bot_1\"," \
    "\"caller_phone\":\"+12125550123\",\"arguments\":" arguments "}"
#define FIND TOOL("find_appointment_slots", "{\"when\":\"tomorrow\",\"time\":\"at eleven\"}")
#define BOOK TOOL("book_appointment", "{\"slot\":\"the first one\",\"name\":\"Ann\",\"caller_confirmed\":true}")

#define KEY_REQUEST "{\"bot_id\":\"bot_1\",\"booking\":{\"start_at\":\"2030-01-14T10:00:00Z\",\"duration_minutes\":30," \
    "\"customer\":{\"phone\":\"+15551234567\",\"name\":\"John Doe\"}}}"
#define SERVICE "{\"api_key\":\"sk_ptnr_stack_need\",\"base_url\":\"https://127.0.0.1:1\"}"

static char config[512], journal[256];
static pbk_client *client;
static pbk_ticket ticket;
static pbk_completion *completion;
static unsigned char *stack;
static unsigned char *top; /* the frame of the caller */

static void open_one(void) { client = pbk_client_open(config, NULL, NULL); }
static void refuse_configuration(void) { pbk_string_free((pbk_client_open("{\"api_key\":\"\"}", NULL, NULL), NULL)); }
static void open_service(void) { pbk_client_open(SERVICE, NULL, NULL); }
static void search(void) { pbk_string_free(pbk_search_availability(client, SEARCH, NULL)); }
static void refuse(void) { pbk_string_free(pbk_search_availability(client, "{\"query\":{", NULL)); }
static void book(void) { pbk_string_free(pbk_create_booking(client, BOOKING, NULL)); }
static void look_up(void) { pbk_string_free(pbk_lookup_customer(client, "{\"bot_id\":\"b\",\"customer\":{\"phone\":\"+15551234567\"}}", NULL)); }
static void when(void) { pbk_string_free(pbk_when("{\"when\":\"tomorrow\",\"time\":\"at eleven\"," ZONE "}", NULL)); }
static void slots(void)
{
    pbk_string_free(pbk_slots("{\"availabilities\":[{\"start_at\":\"2030-01-15T14:00:00Z\",\"duration_minutes\":480}]}",
                              "{" ZONE ",\"offers\":3}", NULL));
}
static void say(void) { pbk_string_free(pbk_say("{\"start_at\":\"2030-01-15T14:00:00Z\"," ZONE "}", NULL)); }
static void phone(void) { pbk_string_free(pbk_phone("{\"text\":\"two one two 555 0123\",\"region\":\"US\"}", NULL)); }
static void tools(void) { pbk_string_free(pbk_tools("{\"dialect\":\"openai\"}", NULL)); }
static void find(void) { pbk_string_free(pbk_call_tool(client, FIND, NULL)); }
static void book_by_tool(void) { pbk_string_free(pbk_call_tool(client, BOOK, NULL)); }
static void find_and_read_back(void) { find(); book_by_tool(); }
static void submit_cached(void) { pbk_submit(client, PBK_CALL_TOOL, FIND, &ticket, NULL, NULL, NULL); }
static void submit_booking(void) { pbk_submit(client, PBK_CALL_TOOL, BOOK, &ticket, NULL, NULL, NULL); }
static void prefetch(void) { pbk_prefetch(client, "{\"bot_id\":\"bot_1\"}", NULL); }
static void hang_up(void) { pbk_conversation_end(client, "{\"bot_id\":\"bot_1\",\"call_id\":\"call-7\"}", NULL); }
static void submit(void) { pbk_submit(client, PBK_CREATE_BOOKING, BOOKING, &ticket, NULL, NULL, NULL); }
static void take(void) { completion = pbk_next_completion(client, 5000, NULL); }
static void read_completion(void) { pbk_completion_reply(completion); pbk_completion_timing(completion); }
static void free_it(void) { pbk_completion_free(completion); }
static void cancel(void) { pbk_cancel(client, ticket); }
static void list(void) { pbk_string_free(pbk_pending_bookings(client, NULL)); }
static void key(void) { pbk_string_free(pbk_booking_key("call-1", KEY_REQUEST, NULL, NULL)); }
static void read_reply(void) { pbk_reply_status("{\"error\":{\"code\":\"timeout\",\"message\":\"m\",\"outcome\":\"unknown\"}}"); }
static void get(void) { pbk_string_free(pbk_json_get("{\"a\":[{\"b\":\"\\u00fc\"}]}", "/a/0/b")); }
static void no_line(void *context, pbk_log_level level, const char *line) { (void)context; (void)level; (void)line; }
static void stats(void) { pbk_string_free(pbk_stats(client, NULL)); }
static void set_log(void) { pbk_client_set_log(client, PBK_LOG_DEBUG, no_line, NULL); }
static void open_with_ledger(void) { client = pbk_client_open_with_ledger("{\"endpoint\":\"sandbox\"}", NULL, NULL, NULL, NULL); }
static uint64_t batch;
static char *operations;
static void take_batch(void) { operations = pbk_next_ledger_batch(client, 5000, &batch, NULL); }
static void open_and_take(void) { pbk_client_close(client, 2000); open_with_ledger(); take_batch(); pbk_string_free(operations); }
static void answer_batch(void) { pbk_ledger_answer(client, batch, "{\"error\":{\"message\":\"down\"}}", NULL); }
static void close_it(void) { pbk_client_close(client, 2000); }

static void nothing(void) {}
static void submit_and_take(void) { submit(); take(); }

static const struct { const char *name; void (*before)(void), (*body)(void); } functions[] = {
    {"pbk_client_open", NULL, open_one}, {"pbk_client_open of a service", NULL, open_service},
    {"pbk_client_open, refused", NULL, refuse_configuration},
    {"pbk_search_availability", nothing, search}, {"pbk_search_availability, refused", nothing, refuse},
    {"pbk_create_booking", nothing, book}, {"pbk_lookup_customer", nothing, look_up}, {"pbk_submit", nothing, submit},
    {"pbk_when", nothing, when}, {"pbk_slots", nothing, slots}, {"pbk_say", nothing, say}, {"pbk_phone", nothing, phone},
    {"pbk_tools", nothing, tools}, {"pbk_call_tool", nothing, find}, {"pbk_call_tool, from the cache", find, find},
    {"pbk_call_tool, booking", find_and_read_back, book_by_tool},
    {"pbk_submit of a cached search", find, submit_cached},
    {"pbk_submit of a tool's booking", find_and_read_back, submit_booking},
    {"pbk_prefetch", nothing, prefetch}, {"pbk_conversation_end", find, hang_up},
    {"pbk_cancel", submit, cancel}, {"pbk_next_completion", submit, take}, {"pbk_completion_timing", submit_and_take, read_completion},
    {"pbk_completion_free", submit_and_take, free_it}, {"pbk_pending_bookings", submit_and_take, list},
    {"pbk_stats", search, stats}, {"pbk_client_set_log", nothing, set_log}, {"pbk_search_availability, logged", set_log, search},
    {"pbk_booking_key", nothing, key}, {"pbk_reply_status", nothing, read_reply}, {"pbk_json_get", nothing, get},
    {"pbk_client_open_with_ledger", NULL, open_with_ledger}, {"pbk_ledger_answer", open_and_take, answer_batch},
    {"pbk_client_close", nothing, close_it},
};

static void *run(void *context)
{
    unsigned char here;

    top = &here;
    (*(void (**)(void))context)();
    return NULL;
}

/* The bytes below the frame of the caller that are not as they were painted. */
static size_t need(void (*body)(void))
{
    pthread_attr_t attributes;
    pthread_t thread;
    unsigned char *low = stack;

    memset(stack, PAINT, STACK_BYTES);
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, STACK_BYTES);
    if (pthread_create(&thread, &attributes, run, &body) != 0)
        return 0;
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    while (low < top && *low == PAINT)
        low++;
    return (size_t)(top - low);
}

/* In a process of its own; 0 when that fails. */
static size_t need_of(unsigned number)
{
    int ends[2];
    size_t bytes = 0;
    pid_t child;

    if (pipe(ends) != 0 || (child = fork()) < 0)
        return 0;
    if (child == 0) {
        if (functions[number].before != NULL) {
            open_one();
            functions[number].before();
        }
        bytes = need(functions[number].body);
        _exit(write(ends[1], &bytes, sizeof bytes) == sizeof bytes ? 0 : 1);
    }
    close(ends[1]);
    if (read(ends[0], &bytes, sizeof bytes) != sizeof bytes)
        bytes = 0;
    close(ends[0]);
    waitpid(child, NULL, 0);
    unlink(journal);
    return bytes;
}

int main(void)
{
    size_t most[] = {0, 0};
    char folder[] = "/tmp/pbk-stack-XXXXXX";
    unsigned number;

    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(journal, sizeof journal, "%s/journal", folder);
    snprintf(config, sizeof config, CONFIG, journal);
    stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    for (number = 0; number < sizeof functions / sizeof *functions; number++) {
        size_t bytes = need_of(number);
        int is_other = functions[number].before != NULL;

        printf("%6zu  %s\n", bytes, functions[number].name);
        if (bytes == 0)
            return 1;
        most[is_other] = bytes > most[is_other] ? bytes : most[is_other];
    }
    rmdir(folder);
    printf("%zu bytes for pbk_client_open, %zu for the others\n", most[0], most[1]);
    return most[0] <= OPEN_LIMIT && most[1] <= OTHERS_LIMIT ? 0 : 1;
}
