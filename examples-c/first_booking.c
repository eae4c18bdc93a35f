#include <partnerbooking.h>
#include <stdio.h>
#define CLINIC "\"time_zone\":\"America/New_York\",\"now\":\"2030-01-14T08:00:00-05:00\""  /* "now": the sandbox's day */
static char *strings[16]; static int count;
static const char *keep(char *string) { strings[count++] = string; return string == NULL ? "" : string; }
static const char *get(const char *json, const char *pointer) { return keep(pbk_json_get(json, pointer)); }
int main(void) {
    char request[2048], *error = NULL;
    pbk_client *client = pbk_client_open("{\"endpoint\":\"sandbox\",\"sandbox\":{" CLINIC "}}", &error, NULL);
    if (client == NULL) { fputs(error ? error : "out of memory", stderr); pbk_string_free(error); return 1; }
    const char *wish = keep(pbk_when("{\"when\":\"tomorrow at ten thirty\"," CLINIC "}", NULL));
    const char *reading = get(wish, "/readings/0");     /* "clear" false: ask which reading is meant */
    snprintf(request, sizeof request, "{\"bot_id\":\"bot_1\",\"query\":{\"filter\":{\"start_at_range\":"
        "{\"start_at\":\"%s\",\"end_at\":\"%s\"}}}}", get(reading, "/start_at"), get(reading, "/end_at"));
    const char *found = keep(pbk_search_availability(client, request, NULL));
    snprintf(request, sizeof request, "{" CLINIC ",\"duration_minutes\":30,\"offers\":1,\"reading\":%s}", reading);
    const char *slots = keep(pbk_slots(found, request, NULL)), *slot = get(slots, "/offers/0");
    if (*slot == '\0') return printf("no slot: %s\n%s\n%s\n", wish, found, slots), 1;
    snprintf(request, sizeof request, "{" CLINIC ",\"slot\":%s}", slot);
    printf("I have %s. Shall I book it?\n", get(keep(pbk_say(request, NULL)), "/say"));
    const char *phone = keep(pbk_phone("{\"text\":\"five five five, one two three, four five six seven\",\"region\":\"US\"}", NULL));
    snprintf(request, sizeof request, "{\"bot_id\":\"bot_1\",\"idempotency_key\":\"call-7-1\","
        "\"booking\":{\"start_at\":\"%s\",\"duration_minutes\":30,\"customer\":{\"phone\":\"%s\",\"name\":%s}}}",
        get(slot, "/start_at"), get(phone, "/phone"), keep(pbk_json_quote("John \"Jo\" Doe")));
    const char *reply = keep(pbk_create_booking(client, request, NULL));
    if (pbk_reply_outcome(reply) == PBK_OUTCOME_UNKNOWN) puts("Repeat it with the same key:");
    puts(reply);            /* Say the reply's start_at and status. */
    while (count > 0) pbk_string_free(strings[--count]);
    return pbk_client_close(client, 1000) == PBK_OK ? 0 : 1;
}
