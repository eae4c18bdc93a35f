/*
 * libFuzzer changes an input anywhere, which seldom leaves it JSON. Half of the time, this has it change one word and leave
 * what is around that as it is, or puts one word in the place of another.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WORDS_MAX 512
#define WORD_BYTES_MAX 64

struct word {
    size_t start, length;
};

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

static int is_in_word(uint8_t byte) { return byte == '\0' || strchr("\"{}[]:, =\n", byte) == NULL; }

static size_t find_words(const uint8_t *data, size_t size, struct word words[WORDS_MAX]) {
    size_t count = 0;
    for (size_t place = 0; place < size && count < WORDS_MAX; place++) {
        size_t start = place;
        while (place < size && is_in_word(data[place])) place++;
        if (place > start && place - start <= WORD_BYTES_MAX) words[count++] = (struct word){start, place - start};
    }
    return count;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed) {
    struct word words[WORDS_MAX];
    size_t count = seed % 2 == 0 ? 0 : find_words(data, size, words);
    if (count == 0) return LLVMFuzzerMutate(data, size, max_size);
    struct word old = words[seed / 8 % count];
    uint8_t word[2 * WORD_BYTES_MAX];
    size_t length;
    if (seed % 8 == 1) {
        struct word other = words[seed / 8 / count % count];
        length = other.length;
        memcpy(word, data + other.start, length);
    } else {
        memcpy(word, data + old.start, old.length);
        length = LLVMFuzzerMutate(word, old.length, sizeof word);
    }
    if (size - old.length + length > max_size) return size;
    memmove(data + old.start + length, data + old.start + old.length, size - old.start - old.length);
    memcpy(data + old.start, word, length);
    return size - old.length + length;
}
