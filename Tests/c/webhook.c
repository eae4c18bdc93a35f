/*
 * A platform's side, in C and in C++: signs webhook requests and verifies them, as they are, spoiled, late and early,
 * and with all that may be wrong with the arguments. Prints one line per check, ends with 1 at the first wrong answer.
 */
#include <string.h>

#include "support.h"

#define NOW 1705312800
#define BODY "{\"account_id\":\"acct_1\",\"query\":{}}"

static const char *const SECRETS[] = {"whsec_new", "whsec_old"};

static void expect(const char *what, pbk_webhook_verdict verdict, pbk_webhook_verdict due)
{
    check(verdict == due, "verify", what, pbk_webhook_verdict_text(verdict));
}

static pbk_webhook_verdict verify(const char *header, const char *body, int64_t now)
{
    return pbk_webhook_verify(SECRETS, 2, header, body, strlen(body), now, 0);
}

static void signatures(void)
{
    /* Made with Python: hmac.new(b"whsec_old", b"1705312800." + body, "sha256"). */
    static const char known[] = "t=1705312800,v1=4ef17450ee37487cd0e753ba39587c738e4098f09d5e87d46da43fbe79ee777f";
    char *header = pbk_webhook_sign("whsec_old", BODY, strlen(BODY), NOW);

    check(header != NULL && strcmp(header, known) == 0, "sign", BODY, header);
    expect("what was signed", verify(header, BODY, NOW), PBK_WEBHOOK_VALID);
    expect("another body", verify(header, BODY " ", NOW), PBK_WEBHOOK_SIGNATURE_MISMATCH);
    expect("no secret that signed", pbk_webhook_verify(SECRETS, 1, header, BODY, strlen(BODY), NOW, 0),
           PBK_WEBHOOK_SIGNATURE_MISMATCH);
    expect("300 seconds later", verify(header, BODY, NOW + 300), PBK_WEBHOOK_VALID);
    expect("301 seconds later", verify(header, BODY, NOW + 301), PBK_WEBHOOK_TIMESTAMP_TOO_OLD);
    expect("300 seconds before", verify(header, BODY, NOW - 300), PBK_WEBHOOK_VALID);
    expect("301 seconds before", verify(header, BODY, NOW - 301), PBK_WEBHOOK_TIMESTAMP_IN_FUTURE);
    expect("61 seconds later, 60 tolerated", pbk_webhook_verify(SECRETS, 2, header, BODY, strlen(BODY), NOW + 61, 60),
           PBK_WEBHOOK_TIMESTAMP_TOO_OLD);
    expect("by the system's clock", verify(header, BODY, 0), PBK_WEBHOOK_TIMESTAMP_TOO_OLD);
    pbk_string_free(header);

    header = pbk_webhook_sign("whsec_new", NULL, 0, 0);
    expect("an empty body, by the system's clock", pbk_webhook_verify(SECRETS, 2, header, NULL, 0, 0, 0),
           PBK_WEBHOOK_VALID);
    pbk_string_free(header);

    header = pbk_webhook_sign("whsec_new", "\0\xff\0", 3, NOW);
    expect("a body with NUL bytes", pbk_webhook_verify(SECRETS, 2, header, "\0\xff\0", 3, NOW, 0), PBK_WEBHOOK_VALID);
    expect("another one", pbk_webhook_verify(SECRETS, 2, header, "\0\xff\1", 3, NOW, 0),
           PBK_WEBHOOK_SIGNATURE_MISMATCH);
    pbk_string_free(header);
}

static void headers(void)
{
    static const char *const malformed[] = {
        "x", ",", "=", "t=1705312800", "v1=00", "t=,v1=00", "t=123abc,v1=00", "t=-1,v1=00", "t=1, v1=00", "t=1,v1=00,",
        "t=1,t=1,v1=00", "t=99999999999999999999,v1=00", "t=1;v1=00", "t=1,v1=00\r\n", "t=\xff,v1=00",
    };
    char *line = (char *)malloc(100001);
    size_t i;

    for (i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
        expect(malformed[i], verify(malformed[i], BODY, NOW), PBK_WEBHOOK_SIGNATURE_MALFORMED);
    expect("NULL", verify(NULL, BODY, NOW), PBK_WEBHOOK_SIGNATURE_MISSING);
    expect("nothing", verify("", BODY, NOW), PBK_WEBHOOK_SIGNATURE_MISSING);
    expect("no length", verify("t=1705312800,v1=", BODY, NOW), PBK_WEBHOOK_SIGNATURE_MISMATCH);
    expect("half a signature", verify("t=1705312800,v1=0123", BODY, NOW), PBK_WEBHOOK_SIGNATURE_MISMATCH);
    if (line == NULL)
        exit(1);
    memset(line, 'a', 100000);
    line[100000] = '\0';
    memcpy(line, "t=1,v1=", 7);
    expect("100,000 bytes", verify(line, BODY, NOW), PBK_WEBHOOK_SIGNATURE_MALFORMED);
    free(line);
}

static void arguments(void)
{
    static const char *const empty[] = {"whsec_new", ""}, *const null[] = {NULL, "whsec_new"};
    static const char header[] = "t=1705312800,v1=00";
    const char *many[17];
    size_t i;

    for (i = 0; i < 17; i++)
        many[i] = "whsec";
    expect("no secrets", pbk_webhook_verify(NULL, 1, header, BODY, 1, NOW, 0), PBK_WEBHOOK_INVALID_ARGUMENT);
    expect("0 secrets", pbk_webhook_verify(SECRETS, 0, header, BODY, 1, NOW, 0), PBK_WEBHOOK_INVALID_ARGUMENT);
    expect("16 secrets", pbk_webhook_verify(many, 16, header, BODY, 1, NOW, 0), PBK_WEBHOOK_SIGNATURE_MISMATCH);
    expect("17 secrets", pbk_webhook_verify(many, 17, header, BODY, 1, NOW, 0), PBK_WEBHOOK_INVALID_ARGUMENT);
    expect("SIZE_MAX secrets", pbk_webhook_verify(many, SIZE_MAX, header, BODY, 1, NOW, 0),
           PBK_WEBHOOK_INVALID_ARGUMENT);
    expect("an empty secret", pbk_webhook_verify(empty, 2, header, BODY, 1, NOW, 0), PBK_WEBHOOK_INVALID_ARGUMENT);
    expect("NULL as a secret", pbk_webhook_verify(null, 2, header, BODY, 1, NOW, 0), PBK_WEBHOOK_INVALID_ARGUMENT);
    expect("no body", pbk_webhook_verify(SECRETS, 2, header, NULL, 1, NOW, 0), PBK_WEBHOOK_INVALID_ARGUMENT);
    expect("SIZE_MAX bytes", pbk_webhook_verify(SECRETS, 2, header, BODY, SIZE_MAX, NOW, 0),
           PBK_WEBHOOK_INVALID_ARGUMENT);
    expect("a negative time", pbk_webhook_verify(SECRETS, 2, header, BODY, 1, -1, 0), PBK_WEBHOOK_INVALID_ARGUMENT);
    expect("INT64_MIN", pbk_webhook_verify(SECRETS, 2, header, BODY, 1, INT64_MIN, INT64_MIN),
           PBK_WEBHOOK_INVALID_ARGUMENT);
    expect("INT64_MAX", pbk_webhook_verify(SECRETS, 2, header, BODY, 1, INT64_MAX, INT64_MAX),
           PBK_WEBHOOK_SIGNATURE_MISMATCH);

    check(pbk_webhook_sign(NULL, BODY, 1, NOW) == NULL, "sign", "no secret", "NULL");
    check(pbk_webhook_sign("", BODY, 1, NOW) == NULL, "sign", "an empty secret", "NULL");
    check(pbk_webhook_sign("s", NULL, 1, NOW) == NULL, "sign", "no body", "NULL");
    check(pbk_webhook_sign("s", BODY, SIZE_MAX, NOW) == NULL, "sign", "SIZE_MAX bytes", "NULL");
    check(pbk_webhook_sign("s", BODY, 1, -1) == NULL, "sign", "a negative time", "NULL");
}

static void texts(void)
{
    static const int verdicts[] = {0, 1, 2, 3, 4, 5, 6, 7, -1, 99, 2147483647};
    size_t i, j;

    for (i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        const char *text = pbk_webhook_verdict_text((pbk_webhook_verdict)verdicts[i]);

        check(text != NULL && text[0] != '\0', "verdict text", "some verdict", text);
        for (j = 0; j < i && j < 7; j++)
            check(strcmp(text, pbk_webhook_verdict_text((pbk_webhook_verdict)verdicts[j])) != 0, "verdict text",
                  "another verdict", text);
    }
}

int main(void)
{
    signatures();
    headers();
    arguments();
    texts();
    printf("%d checks\n", checks);
    return 0;
}
