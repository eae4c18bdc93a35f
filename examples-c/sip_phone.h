/*
 * One phone call for sip_engine.c. libre does SIP and RTP, with G.711 (mu-law). The call takes the
 * caller's keys (RFC 4733 and SIP INFO), and queues the words to speak. This file knows nothing of
 * appointments.
 */
#ifndef PARTNERBOOKING_EXAMPLES_SIP_PHONE_H
#define PARTNERBOOKING_EXAMPLES_SIP_PHONE_H

#define _POSIX_C_SOURCE 200809L
#define HAVE_INTTYPES_H
#define HAVE_STDBOOL_H
#include <sys/resource.h>
#include <sys/timerfd.h>

#include "sip_words.h"

#define MOST_DESCRIPTORS 65536
#define PCMU 0
#define WORDS 8
#define FRAMES_LATE 10

#define FRAME_NS 20000000

struct sip_line {
    struct sa address;          /* the address to listen on */
    struct sip *sip;
    struct sipsess_sock *sessions;
    int timer;
    void (*on_frame)(void);     /* every 20 ms */
};

struct phone {
    char id[33];                /* unique: not the Call-ID of SIP, which the caller chooses */
    char number[32], name[64];  /* the caller's */
    bool is_up;                 /* picked up, and not hung up */
    uint32_t quiet_frames;      /* since the last word */
    void (*on_key)(void *owner, char key);
    void (*on_hung_up)(void *owner);    /* when the caller hangs up */
    void *owner;
    struct sipsess *session;
    struct sdp_session *sdp;
    struct sdp_media *media;
    struct rtp_sock *rtp;
    struct mbuf *packet;
    uint32_t timestamp, key_timestamp;
    bool key_is_down, has_key;
    uint16_t key_sequence;
    struct clip *words[WORDS];  /* the first is being spoken */
    size_t word_count, spoken;
};

static inline void phone_say(struct phone *phone, const char *text)
{
    if (phone->word_count < WORDS && (phone->words[phone->word_count] = words_of(text)) != NULL)
        phone->word_count++;
}

static inline void phone_next_words(struct phone *phone)
{
    mem_deref(phone->words[0]);
    memmove(phone->words, phone->words + 1, --phone->word_count * sizeof phone->words[0]);
    phone->spoken = 0;
}

static inline void phone_be_silent(struct phone *phone)
{
    while (phone->word_count > 0)
        phone_next_words(phone);
}

/* Sends 20 ms of words or silence. Returns the text that begins in this frame, or NULL. */
static inline const char *phone_send(struct phone *phone)
{
    const struct clip *clip;
    const char *text = NULL;

    while (phone->word_count > 0 && phone->words[0]->is_ready && phone->spoken >= phone->words[0]->length)
        phone_next_words(phone);
    clip = phone->word_count > 0 && phone->words[0]->is_ready ? phone->words[0] : NULL;
    phone->packet->pos = phone->packet->end = RTP_HEADER_SIZE;
    if (clip != NULL) {
        text = phone->spoken == 0 ? clip->text : NULL;
        mbuf_write_mem(phone->packet, clip->audio + phone->spoken, FRAME);
        phone->spoken += FRAME;
    } else {
        mbuf_fill(phone->packet, SILENCE, FRAME);
    }
    phone->quiet_frames = phone->word_count > 0 ? 0 : phone->quiet_frames + 1;
    phone->packet->pos = RTP_HEADER_SIZE;
    rtp_send(phone->rtp, sdp_media_raddr(phone->media), false, false, PCMU, phone->timestamp, phone->packet);
    phone->timestamp += FRAME;
    return text;
}

/* Takes a key by RFC 4733. A key comes in several packets with one timestamp. The last packets
   say that the key is up again. */
static inline void phone_take_rtp(const struct sa *source, const struct rtp_header *header, struct mbuf *packet,
                                  void *arg)
{
    struct phone *phone = (struct phone *)arg;
    const struct sdp_format *format = sdp_media_lformat(phone->media, header->pt);
    bool is_up, is_new;
    int key;

    (void)source;
    if (format == NULL || str_casecmp(format->name, "telephone-event") != 0 || mbuf_get_left(packet) < 4)
        return;     /* the caller's audio, which is not used here */
    if (phone->has_key && (int16_t)(header->seq - phone->key_sequence) <= 0)
        return;     /* packets may arrive out of order: an old packet is no new key */
    key = telev_code2digit(mbuf_read_u8(packet));
    is_up = (mbuf_read_u8(packet) & 0x80) != 0;
    is_new = header->ts != phone->key_timestamp || (!is_up && !phone->key_is_down);
    phone->has_key = true;
    phone->key_sequence = header->seq;
    phone->key_timestamp = header->ts;
    phone->key_is_down = !is_up;
    if (is_new && key > 0 && phone->is_up)
        phone->on_key(phone->owner, (char)key);
}

/* Takes a key by SIP INFO with application/dtmf-relay, such as "Signal=1". */
static inline void phone_take_info(struct sip *sip, const struct sip_msg *message, void *arg)
{
    struct phone *phone = (struct phone *)arg;
    struct pl key;

    sip_reply(sip, message, 200, "OK");
    if (phone->is_up && re_regex((const char *)mbuf_buf(message->mb), mbuf_get_left(message->mb),
                                 "Signal=[ ]*[0-9*#]1", NULL, &key) == 0)
        phone->on_key(phone->owner, *key.p);
}

static inline int phone_take_offer(struct mbuf **answer, const struct sip_msg *message, void *arg)
{
    struct phone *phone = (struct phone *)arg;
    int error = sdp_decode(phone->sdp, message->mb, true);

    return error != 0 ? error : sdp_encode(answer, phone->sdp, false);
}

static inline void phone_take_close(int error, const struct sip_msg *message, void *arg)
{
    struct phone *phone = (struct phone *)arg;

    (void)error, (void)message;
    phone->on_hung_up(phone->owner);
}

static inline int phone_open_media(struct phone *phone, const struct sa *address, struct mbuf *offer)
{
    return (phone->packet = mbuf_alloc(RTP_HEADER_SIZE + FRAME)) != NULL
        && sdp_session_alloc(&phone->sdp, address) == 0
        && rtp_listen(&phone->rtp, IPPROTO_UDP, address, 16384, 32767, false, phone_take_rtp, NULL, phone) == 0
        && sdp_media_add(&phone->media, phone->sdp, sdp_media_audio, sa_port(rtp_local(phone->rtp)),
                         sdp_proto_rtpavp) == 0
        && sdp_format_add(NULL, phone->media, false, "0", "PCMU", 8000, 1, NULL, NULL, NULL, false, NULL) == 0
        && sdp_format_add(NULL, phone->media, false, "101", "telephone-event", 8000, 1, NULL, NULL, NULL, false,
                          "0-15") == 0
        && sdp_decode(phone->sdp, offer, true) == 0 && sdp_media_rformat(phone->media, "PCMU") != NULL;
}

/* Sends the frames that are due. A late loop sends several, but at most FRAMES_LATE after a long
   stop. */
static inline void sip_line_timer(int flags, void *arg)
{
    struct sip_line *line = (struct sip_line *)arg;
    uint64_t due;

    (void)flags;
    if (read(line->timer, &due, sizeof due) == (ssize_t)sizeof due)
        for (due = due > FRAMES_LATE ? FRAMES_LATE : due; due > 0; due--)
            line->on_frame();
}

/* Starts libre, and listens for phone calls. Returns 0 on failure. */
static inline int sip_line_open(struct sip_line *line, const char *address, sipsess_conn_h *on_invite,
                                void (*on_frame)(void))
{
    const struct itimerspec every_frame = {{0, FRAME_NS}, {0, FRAME_NS}};
    struct rlimit files;

    line->on_frame = on_frame;
    line->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    /* Without fd_setsize(), libre refuses descriptors above 1023. Other code may use all the
       lower ones. */
    return libre_init() == 0 && getrlimit(RLIMIT_NOFILE, &files) == 0
        && fd_setsize(files.rlim_cur < MOST_DESCRIPTORS ? (int)files.rlim_cur : MOST_DESCRIPTORS) == 0
        && sa_decode(&line->address, address, strlen(address)) == 0
        && sip_alloc(&line->sip, NULL, 64, 64, 64, "sip_engine", NULL, NULL) == 0
        && sip_transp_add(line->sip, SIP_TRANSP_UDP, &line->address) == 0
        && sip_transp_laddr(line->sip, &line->address, SIP_TRANSP_UDP, &line->address) == 0
        && sipsess_listen(&line->sessions, line->sip, 64, on_invite, NULL) == 0
        && timerfd_settime(line->timer, 0, &every_frame, NULL) == 0
        && fd_listen(line->timer, FD_READ, sip_line_timer, line) == 0;
}

/* Closes the line and libre, after the loop. */
static inline void sip_line_close(struct sip_line *line)
{
    fd_close(line->timer);
    close(line->timer);
    sipsess_close_all(line->sessions);
    sip_close(line->sip, true);
    mem_deref(line->sessions);
    mem_deref(line->sip);
    libre_close();
}

/* Rings: reads the number and name of the caller, and opens the media. Returns 0 on failure.
   Call phone_hang_up() in any case. */
static inline int phone_ring(struct phone *phone, const struct sip_line *line, const struct sip_msg *invite,
                             void (*on_key)(void *owner, char key), void (*on_hung_up)(void *owner), void *owner)
{
    phone->on_key = on_key;
    phone->on_hung_up = on_hung_up;
    phone->owner = owner;
    rand_str(phone->id, sizeof phone->id);
    pl_strcpy(&invite->from.uri.user, phone->number, sizeof phone->number);
    if (!pl_isset(&invite->from.dname) || pl_strcpy(&invite->from.dname, phone->name, sizeof phone->name) != 0)
        strcpy(phone->name, "Caller");
    if (!phone_open_media(phone, &line->address, invite->mb)) {
        sip_treply(NULL, line->sip, invite, 488, "Not Acceptable Here");
        return 0;
    }
    if (sipsess_accept(&phone->session, line->sessions, invite, 180, "Ringing", "clinic", "application/sdp", NULL,
                       NULL, NULL, false, phone_take_offer, NULL, NULL, phone_take_info, NULL, phone_take_close,
                       phone, NULL) == 0)
        return 1;
    sip_treply(NULL, line->sip, invite, 500, "Server Internal Error");
    return 0;
}

static inline int phone_pick_up(struct phone *phone)
{
    struct mbuf *answer = NULL;

    phone->is_up = sdp_encode(&answer, phone->sdp, false) == 0
        && sipsess_answer(phone->session, 200, "OK", answer, NULL) == 0;
    mem_deref(answer);
    return phone->is_up;
}

/* Ends the phone call. Says BYE, unless the caller has hung up. A second call does nothing. */
static inline void phone_hang_up(struct phone *phone)
{
    phone->is_up = false;
    phone_be_silent(phone);
    phone->session = (struct sipsess *)mem_deref(phone->session);
    phone->rtp = (struct rtp_sock *)mem_deref(phone->rtp);
    phone->sdp = (struct sdp_session *)mem_deref(phone->sdp);
    phone->packet = (struct mbuf *)mem_deref(phone->packet);
}

#endif
