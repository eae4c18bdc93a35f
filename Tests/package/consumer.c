/* A program of somebody else: it knows the library as it was installed and nothing of this tree. Books on the sandbox. */
#include <partnerbooking.h>
#include <stdio.h>

int main(void)
{
    char *error = NULL;
    pbk_client *client = pbk_client_open("{\"endpoint\":\"sandbox\",\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\"}}", &error,
                                         NULL);
    pbk_status status;
    char *reply;

    if (client == NULL) {
        fprintf(stderr, "%s\n", error == NULL ? "out of memory" : error);
        return 1;
    }
    reply = pbk_create_booking(client,
        "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"idempotency_key\":\"consumer-1\",\"booking\":"
        "{\"start_at\":\"2030-01-14T10:00:00Z\",\"duration_minutes\":30,"
        "\"customer\":{\"phone\":\"+15551234567\",\"name\":\"John Doe\"}}}", &status);
    printf("built with %s, runs with %s: %s\n", PBK_VERSION, pbk_version(), reply == NULL ? "" : reply);
    pbk_string_free(reply);
    return pbk_client_close(client, 1000) == PBK_OK && status == PBK_OK ? 0 : 1;
}
