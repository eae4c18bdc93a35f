/*
 * Verifies a webhook request as a platform does, or signs a request as an engine does, to test your
 * own server. Reads the body from standard input, byte for byte. Send it from a file or with
 * `printf %s`, because `echo` adds a line end.
 *
 *     verify_webhook SIGNATURE [NOW] < body         prints the verdict
 *     verify_webhook --sign [TIMESTAMP] < body      prints the signature
 *
 * A signature is the value of the header X-DialStack-Signature. NOW and TIMESTAMP are seconds since
 * 1970. The default is the system's clock.
 *
 * The secret is in the environment, because every user of the machine can read a command line:
 *
 *     WEBHOOK_SECRET    the secret; during a change two, with a comma between; the first signs
 *
 * Exits with 0 when the request is valid or signed, and with 1 when it must be refused. Exits with
 * 2 when the command line, the environment or standard input is incomplete or wrong.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "partnerbooking.h"

#define SECRETS 2
#define BODY_LIMIT (1024 * 1024)

static char body[BODY_LIMIT + 1];

/*
 * Splits `list` at its commas. Returns the number of secrets, or 0 when there are none or too many.
 */
static size_t split(char *list, const char *secrets[SECRETS])
{
    size_t count = 0;
    char *secret;

    for (secret = strtok(list, ","); secret != NULL; secret = strtok(NULL, ",")) {
        if (count == SECRETS)
            return 0;
        secrets[count++] = secret;
    }
    return count;
}

/*
 * Reads seconds since 1970. A NULL text gives 0, the system's clock. Returns 0 if the text is no
 * positive number.
 */
static int read_seconds(const char *text, int64_t *seconds)
{
    char *end = NULL;

    *seconds = text == NULL ? 0 : strtoll(text, &end, 10);
    return text == NULL || (end != text && *end == '\0' && *seconds > 0);
}

int main(int argc, char **argv)
{
    const char *variable = getenv("WEBHOOK_SECRET"), *secrets[SECRETS];
    char list[1024];
    size_t secret_count, body_length;
    int64_t seconds;
    pbk_webhook_verdict verdict;
    char *signature;

    if (argc < 2 || argc > 3 || !read_seconds(argv[2], &seconds)) {
        fprintf(stderr, "usage: %s SIGNATURE [NOW] < body\n       %s --sign [TIMESTAMP] < body\n", argv[0], argv[0]);
        return 2;
    }
    if (variable == NULL || strlen(variable) >= sizeof list
        || (secret_count = split(strcpy(list, variable), secrets)) == 0) {
        fprintf(stderr, "WEBHOOK_SECRET must hold the webhook's secret, or two with a comma between\n");
        return 2;
    }
    body_length = fread(body, 1, sizeof body, stdin);
    if (ferror(stdin) || body_length > BODY_LIMIT) {
        fprintf(stderr, "the body cannot be read, or is longer than %d bytes\n", BODY_LIMIT);
        return 2;
    }

    if (strcmp(argv[1], "--sign") == 0) {
        signature = pbk_webhook_sign(secrets[0], body, body_length, seconds);
        printf("%s\n", signature == NULL ? "(out of memory)" : signature);
        pbk_string_free(signature);
        return signature == NULL ? 2 : 0;
    }
    verdict = pbk_webhook_verify(secrets, secret_count, argv[1], body, body_length, seconds, 0);
    printf("%s\n", pbk_webhook_verdict_text(verdict));
    return verdict == PBK_WEBHOOK_VALID ? 0 : 1;
}
