#include <partnerbooking.h>
#include <stdio.h>

int main(void) {
    char *error = NULL;
    pbk_client *client = pbk_client_open(
        "{\"endpoint\":\"sandbox\",\"sandbox\":{\"time_zone\":\"-05:00\",\"now\":\"2030-01-14T08:00:00-05:00\"}}",
        &error, NULL);
    if (client == NULL) { fprintf(stderr, "%s\n", error); pbk_string_free(error); return 1; }

    pbk_status status;
    char *reply = pbk_create_booking(client,
        "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"idempotency_key\":\"call-7-booking-1\",\"booking\":"
        "{\"start_at\":\"2030-01-14T10:00:00-05:00\",\"duration_minutes\":30,"
        "\"customer\":{\"phone\":\"+15551234567\",\"name\":\"John Doe\"}}}", &status);
    printf("%s: %s\n", pbk_status_text(status), reply);
    pbk_string_free(reply);
    return pbk_client_close(client, 1000) == PBK_OK && status == PBK_OK ? 0 : 1;
}
