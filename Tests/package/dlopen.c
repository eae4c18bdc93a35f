/* Loads the library while it runs, as engines with plug-ins do, and books on the sandbox. */
#include <dlfcn.h>
#include <partnerbooking.h>
#include <stdio.h>
#include <string.h>

/* ISO C has no cast between a pointer to an object and one to a function. */
static void find(void *library, const char *name, void *function)
{
    void *found = dlsym(library, name);

    if (found == NULL)
        fprintf(stderr, "%s\n", dlerror());
    memcpy(function, &found, sizeof found);
}

int main(void)
{
    pbk_client *(*client_open)(const char *, char **, pbk_status *);
    pbk_status (*client_close)(pbk_client *, int32_t);
    char *(*create_booking)(pbk_client *, const char *, pbk_status *);
    void (*string_free)(char *);
    const char *(*version)(void);
    void *library = dlopen("libpartnerbooking.so.1", RTLD_NOW | RTLD_LOCAL);
    pbk_client *client;
    pbk_status status;
    char *reply;

    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    find(library, "pbk_client_open", &client_open);
    find(library, "pbk_client_close", &client_close);
    find(library, "pbk_create_booking", &create_booking);
    find(library, "pbk_string_free", &string_free);
    find(library, "pbk_version", &version);
    client = client_open("{\"endpoint\":\"sandbox\",\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\"}}", NULL, NULL);
    reply = create_booking(client,
        "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"idempotency_key\":\"consumer-1\",\"booking\":"
        "{\"start_at\":\"2030-01-14T10:00:00Z\",\"duration_minutes\":30,"
        "\"customer\":{\"phone\":\"+15551234567\",\"name\":\"John Doe\"}}}", &status);
    printf("built with %s, runs with %s: %s\n", PBK_VERSION, version(), reply == NULL ? "" : reply);
    string_free(reply);
    return client_close(client, 1000) == PBK_OK && status == PBK_OK && dlclose(library) == 0 ? 0 : 1;
}
