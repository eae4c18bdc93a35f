/*
 * The input is a webhook request as lines of text, the last of which is the body and goes on to the end:
 *
 *     NOW TOLERANCE TIMESTAMP PLACE CHANGE
 *     SECRET SECRET ...
 *     HEADER
 *     BODY
 *
 * A `$` in the header stands for the signature of the body at TIMESTAMP with the first secret, and `%` for that with the
 * last one: no fuzzer finds an HMAC. The verdict is compared with that of a reader of its own, written after the words of
 * partnerbooking.h. Then the body is signed, which must verify, and must not once the byte at PLACE of header, body or
 * secret is another one.
 */
#include <partnerbooking.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRETS_MAX 16
#define HEX_LENGTH 64
#define TIMESTAMP_MAX 999999999999999

struct input {
    long long now, tolerance, timestamp, place, change;
    char *secrets[SECRETS_MAX + 1];
    size_t secret_count;
    char *header;
    char *body; /* of its own size, so that AddressSanitizer sees a step beyond its end */
    size_t body_length;
};

static void require(int condition, const char *what) {
    if (condition) return;
    fprintf(stderr, "NOT TRUE: %s\n", what);
    abort();
}

/* A string of its own size. */
static char *text(const char *start, size_t length) {
    char *copy = malloc(length + 1);
    if (copy == NULL) abort();
    if (length > 0) memcpy(copy, start, length);
    copy[length] = '\0';
    return copy;
}

static char *signature(const char *secret, const char *body, size_t body_length, long long timestamp) {
    char *header = pbk_webhook_sign(secret, body, body_length, timestamp);
    if (header == NULL) return NULL;
    const char *code = strstr(header, ",v1=");
    require(code != NULL && strlen(code + 4) == HEX_LENGTH, "a signature is 64 digits");
    char *hex = text(code + 4, HEX_LENGTH);
    pbk_string_free(header);
    return hex;
}

/* ---- Reading the input ---- */

/* Takes a line off the input; NULL when there is none. */
static char *take_line(const char **data, size_t *size) {
    const char *end = *size > 0 ? memchr(*data, '\n', *size) : NULL;
    if (end == NULL) return NULL;
    size_t length = (size_t)(end - *data);
    char *line = text(*data, length);
    *data += length + 1;
    *size -= length + 1;
    return line;
}

static void take_secrets(struct input *input, const char *line) {
    while (input->secret_count <= SECRETS_MAX) {
        size_t length = strcspn(line, " ");
        input->secrets[input->secret_count++] = text(line, length);
        if (line[length] == '\0') return;
        line += length + 1;
    }
}

/* The header with its marks replaced. */
static char *expanded(const struct input *input, const char *line) {
    char *first = signature(input->secrets[0], input->body, input->body_length, input->timestamp);
    const char *last_secret = input->secrets[input->secret_count - 1];
    char *last = signature(last_secret, input->body, input->body_length, input->timestamp);
    char *header = malloc(strlen(line) * HEX_LENGTH + 1);
    if (header == NULL) abort();
    size_t length = 0;
    for (; *line != '\0'; line++) {
        const char *hex = *line == '$' ? first : *line == '%' ? last : NULL;
        if (hex != NULL) {
            memcpy(header + length, hex, HEX_LENGTH);
            length += HEX_LENGTH;
        } else {
            header[length++] = *line;
        }
    }
    char *result = text(header, length);
    free(header);
    free(first);
    free(last);
    return result;
}

static int read_input(struct input *input, const char *data, size_t size) {
    memset(input, 0, sizeof *input);
    char *numbers = take_line(&data, &size);
    char *secrets = take_line(&data, &size);
    char *header = take_line(&data, &size);
    int is_whole = header != NULL
        && sscanf(numbers, "%18lld %18lld %18lld %18lld %18lld", &input->now, &input->tolerance, &input->timestamp,
                  &input->place, &input->change) == 5;
    if (is_whole) {
        take_secrets(input, secrets);
        input->body_length = size;
        input->body = malloc(size > 0 ? size : 1);
        if (input->body == NULL) abort();
        if (size > 0) memcpy(input->body, data, size);
        input->header = expanded(input, header);
    }
    free(numbers);
    free(secrets);
    free(header);
    return is_whole;
}

static void free_input(struct input *input) {
    for (size_t index = 0; index < input->secret_count; index++) free(input->secrets[index]);
    free(input->header);
    free(input->body);
}

static pbk_webhook_verdict verify(const struct input *input) {
    return pbk_webhook_verify((const char *const *)input->secrets, input->secret_count, input->header, input->body,
                              input->body_length, input->now, input->tolerance);
}

/* ---- What the verdict must be ---- */

static int is_timestamp(const char *digits) {
    size_t count = strspn(digits, "0123456789");
    return count > 0 && count <= 15 && digits[count] == '\0' && (digits[0] != '0' || count == 1);
}

static int is_signature_of(const struct input *input, const char *element, long long timestamp) {
    for (size_t index = 0; index < input->secret_count; index++) {
        char *hex = signature(input->secrets[index], input->body, input->body_length, timestamp);
        int is_equal = hex != NULL && strcmp(hex, element) == 0;
        free(hex);
        if (is_equal) return 1;
    }
    return 0;
}

/* Cuts the header up as it goes. */
static pbk_webhook_verdict expected_of(const struct input *input, char *header) {
    if (header[0] == '\0') return PBK_WEBHOOK_SIGNATURE_MISSING;
    if (strlen(header) > 4096) return PBK_WEBHOOK_SIGNATURE_MALFORMED;
    for (const char *byte = header; *byte != '\0'; byte++) {
        if (*byte < 0x21 || *byte > 0x7E) return PBK_WEBHOOK_SIGNATURE_MALFORMED;
    }
    const char *time = NULL;
    const char *codes[4096];
    size_t code_count = 0;
    for (char *element = header; element != NULL;) {
        char *comma = strchr(element, ',');
        if (comma != NULL) *comma = '\0';
        char *value = strchr(element, '=');
        if (value == NULL || value == element) return PBK_WEBHOOK_SIGNATURE_MALFORMED;
        *value++ = '\0';
        if (strcmp(element, "t") == 0) {
            if (time != NULL || !is_timestamp(value)) return PBK_WEBHOOK_SIGNATURE_MALFORMED;
            time = value;
        } else if (strcmp(element, "v1") == 0) {
            codes[code_count++] = value;
        }
        element = comma == NULL ? NULL : comma + 1;
    }
    if (time == NULL || code_count == 0) return PBK_WEBHOOK_SIGNATURE_MALFORMED;
    long long timestamp = strtoll(time, NULL, 10);
    int is_signed = 0;
    /* pbk_webhook_sign() takes 0 for the system's clock, so that nothing here can be signed for 1970. */
    for (size_t index = 0; index < code_count && timestamp > 0 && !is_signed; index++) {
        is_signed = strlen(codes[index]) == HEX_LENGTH && is_signature_of(input, codes[index], timestamp);
    }
    if (!is_signed) return PBK_WEBHOOK_SIGNATURE_MISMATCH;
    long long tolerance = input->tolerance == 0 ? 300 : input->tolerance;
    if (input->now - timestamp > tolerance) return PBK_WEBHOOK_TIMESTAMP_TOO_OLD;
    return timestamp - input->now > tolerance ? PBK_WEBHOOK_TIMESTAMP_IN_FUTURE : PBK_WEBHOOK_VALID;
}

static pbk_webhook_verdict expected(const struct input *input) {
    if (input->secret_count > SECRETS_MAX || input->now < 0 || input->tolerance < 0) return PBK_WEBHOOK_INVALID_ARGUMENT;
    for (size_t index = 0; index < input->secret_count; index++) {
        if (input->secrets[index][0] == '\0') return PBK_WEBHOOK_INVALID_ARGUMENT;
    }
    char *header = text(input->header, strlen(input->header));
    pbk_webhook_verdict verdict = expected_of(input, header);
    free(header);
    return verdict;
}

/* ---- One byte that is another ---- */

static char *byte_at(struct input *input, size_t place) {
    char *parts[] = {input->header, input->body, input->secrets[0]};
    size_t lengths[] = {strlen(input->header), input->body_length, strlen(input->secrets[0])};
    place %= lengths[0] + lengths[1] + lengths[2];
    for (int part = 0; part < 3; part++) {
        if (place < lengths[part]) return parts[part] + place;
        place -= lengths[part];
    }
    return NULL;
}

static void check_signing(struct input *input) {
    free(input->header);
    input->header = NULL;
    char *header = pbk_webhook_sign(input->secrets[0], input->body, input->body_length, input->timestamp);
    int is_time = input->timestamp >= 0 && input->timestamp <= TIMESTAMP_MAX;
    require(header != NULL || !is_time, "what can be signed is signed");
    if (header == NULL) return;
    input->header = text(header, strlen(header));
    pbk_string_free(header);
    if (input->timestamp == 0) {
        input->now = 0;
    } else {
        require(verify(input) == expected(input), "a signature is as old as it is");
        input->now = input->timestamp;
    }
    require(verify(input) == PBK_WEBHOOK_VALID, "what is signed verifies");

    char *byte = byte_at(input, (size_t)input->place);
    char other = (char)(*byte ^ input->change);
    /* A string must not end there; a mark that is the same says nothing. */
    if (other == *byte || other == '\0') return;
    *byte = other;
    /* The first secret alone, since another may be what it was, and the widest tolerance: time must not be what saves it. */
    struct input spoiled = *input;
    spoiled.secret_count = 1;
    spoiled.tolerance = INT64_MAX;
    require(verify(&spoiled) != PBK_WEBHOOK_VALID, "one byte makes a difference");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input;
    if (!read_input(&input, (const char *)data, size)) return -1;
    /* Which is the system's clock. */
    if (input.now == 0) input.now = 1;
    pbk_webhook_verdict verdict = verify(&input);
    require(pbk_webhook_verdict_text(verdict)[0] != '\0', "a verdict has words");
    pbk_webhook_verdict other = expected(&input);
    if (verdict != other) fprintf(stderr, "%s: %d and not %d\n", input.header, (int)verdict, (int)other);
    require(verdict == other, "the verdict is what the header says");
    if (other != PBK_WEBHOOK_INVALID_ARGUMENT) check_signing(&input);
    free_input(&input);
    return 0;
}
