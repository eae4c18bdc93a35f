/*
 * Words for sip_engine.c. espeak-ng renders them on a separate thread. libre's loop keeps the
 * clips, as G.711 (mu-law). For another text-to-speech engine, replace render().
 */
#ifndef PARTNERBOOKING_EXAMPLES_SIP_WORDS_H
#define PARTNERBOOKING_EXAMPLES_SIP_WORDS_H

#include <espeak-ng/speak_lib.h>
#include <pthread.h>
#include <re/re.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAME 160               /* bytes of G.711: 20 ms at 8 kHz */
#define SILENCE 0xff
#define CLIPS_KEPT 500

struct clip {
    struct le le;
    char *text;
    uint8_t *audio;             /* the renderer owns it until is_ready */
    size_t length;              /* whole frames; 0 if it could not be rendered */
    bool is_ready;              /* set and read by the loop only */
};

static struct {
    struct list clips;          /* oldest first */
    struct mqueue *rendered;    /* clips on their way back to the loop */
    pthread_t renderer;
    int to_render[2], rate, count;
    const char *folder;
} words;

static inline uint8_t to_g711(int sample)
{
    int sign = sample < 0 ? 0x80 : 0, exponent = 7;

    sample = (sign != 0 ? -sample : sample) + 132;
    sample = sample > 32767 ? 32767 : sample;
    while (exponent > 0 && (sample & (0x80 << exponent)) == 0)
        exponent--;
    return (uint8_t)~(sign | exponent << 4 | (sample >> (exponent + 3) & 0x0f));
}

/* Appends audio from espeak-ng, at 8 kHz. Each sample is the mean of the samples that it
   replaces. */
static inline int append_audio(short *samples, int count, espeak_EVENT *events)
{
    struct clip *clip = (struct clip *)events->user_data;
    int length = samples == NULL ? 0 : (int)((int64_t)count * 8000 / words.rate), i, from, to, sum;
    uint8_t *longer = (uint8_t *)realloc(clip->audio, clip->length + (size_t)length + FRAME);

    if (longer == NULL)
        return 1;
    clip->audio = longer;
    for (i = 0; i < length; i++) {
        from = (int)((int64_t)i * words.rate / 8000);
        to = (int)((int64_t)(i + 1) * words.rate / 8000);
        for (sum = 0; from < to; from++)
            sum += samples[from];
        clip->audio[clip->length++] = to_g711(sum * 8000 / words.rate);
    }
    return 0;
}

static inline void render(struct clip *clip)
{
    size_t spoken;

    espeak_Synth(clip->text, strlen(clip->text) + 1, 0, POS_CHARACTER, 0, espeakCHARS_UTF8, NULL, clip);
    for (spoken = clip->length; clip->length % FRAME != 0 && spoken > 0; clip->length++)
        clip->audio[clip->length] = SILENCE;
}

/* Writes NUMBER.ulaw and NUMBER.txt, for tests and to listen. Play the audio with `aplay -t raw
   -f MU_LAW -r 8000`. */
static inline void write_clip(const struct clip *clip, int number)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/%d.ulaw", words.folder, number);
    if ((file = fopen(path, "wb")) != NULL) {
        if (fwrite(clip->audio, 1, clip->length, file) != clip->length)
            fprintf(stderr, "cannot write %s\n", path);
        fclose(file);
    }
    snprintf(path, sizeof path, "%s/%d.txt", words.folder, number);
    if ((file = fopen(path, "w")) != NULL) {
        if (fputs(clip->text, file) < 0)
            fprintf(stderr, "cannot write %s\n", path);
        fclose(file);
    }
}

static inline void *renderer(void *unused)
{
    struct clip *clip;

    while (read(words.to_render[0], &clip, sizeof clip) == (ssize_t)sizeof clip) {
        render(clip);
        if (words.folder != NULL)
            write_clip(clip, ++words.count);
        mqueue_push(words.rendered, 0, clip);
    }
    return unused;
}

static inline void clip_is_ready(int id, void *clip, void *unused)
{
    (void)id, (void)unused;
    ((struct clip *)clip)->is_ready = true;
}

static inline void forget_clip(void *data)
{
    struct clip *clip = (struct clip *)data;

    list_unlink(&clip->le);
    free(clip->text);
    free(clip->audio);
}

/* Starts the renderer. Also writes each clip to `folder`, unless that is NULL. Returns 0 on
   failure. */
static inline int words_open(const char *folder)
{
    words.folder = folder;
    words.rate = espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 30000, NULL, espeakINITIALIZE_DONT_EXIT);
    espeak_SetSynthCallback(append_audio);
    return words.rate > 0 && espeak_SetVoiceByName("en-us") == EE_OK && pipe(words.to_render) == 0
        && mqueue_alloc(&words.rendered, clip_is_ready, NULL) == 0
        && pthread_create(&words.renderer, NULL, renderer, NULL) == 0;
}

/* Returns the clip of a text, rendered now or before. Release it with mem_deref(). Returns NULL
   when memory is out. */
static inline struct clip *words_of(const char *text)
{
    struct le *le;
    struct clip *clip, *oldest = (struct clip *)list_ledata(list_head(&words.clips));

    for (le = list_head(&words.clips); le != NULL; le = le->next)
        if (strcmp(((struct clip *)le->data)->text, text) == 0)
            return (struct clip *)mem_ref(le->data);
    if (list_count(&words.clips) >= CLIPS_KEPT && oldest->is_ready) {
        list_unlink(&oldest->le);
        mem_deref(oldest);
    }
    if ((clip = (struct clip *)mem_zalloc(sizeof *clip, forget_clip)) == NULL)
        return NULL;
    if ((clip->text = strdup(text)) == NULL)
        return (struct clip *)mem_deref(clip);
    list_append(&words.clips, &clip->le, clip);
    if (write(words.to_render[1], &clip, sizeof clip) != (ssize_t)sizeof clip)
        clip->is_ready = true;  /* empty */
    return (struct clip *)mem_ref(clip);
}

static inline void words_close(void)
{
    close(words.to_render[1]);  /* the renderer ends when it has read all that is in the pipe */
    pthread_join(words.renderer, NULL);
    close(words.to_render[0]);
    words.rendered = (struct mqueue *)mem_deref(words.rendered);
    list_flush(&words.clips);
    espeak_Terminate();
}

#endif
