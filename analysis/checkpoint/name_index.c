#include "analysis/checkpoint/name_index.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static uint64_t rotate(uint64_t word, unsigned bits) {
    return word << bits | word >> (64 - bits);
}

/* Aumasson and Bernstein, SipHash: a fast short-input PRF (2012). */
static void sip_rounds(uint64_t v[4], int rounds) {
    while (rounds-- > 0) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

/* SipHash-1-3. */
static uint64_t sip_hash(const uint64_t key[2], const char *text, size_t length) {
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                     key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
    for (size_t i = 0; i <= length / 8; i++) {
        size_t left = length - i * 8;
        uint64_t word = left < 8 ? (uint64_t)length << 56 : 0;
        memcpy(&word, text + i * 8, left < 8 ? left : 8);
        v[3] ^= word;
        sip_rounds(v, 1);
        v[0] ^= word;
    }
    v[2] ^= 0xFF;
    sip_rounds(v, 3);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The slot that holds the name, or the empty one where it belongs. */
static uint32_t *slot_of(const struct name_index *index, const char *name, size_t length) {
    size_t at = (size_t)sip_hash(index->key, name, length) & index->mask;
    for (; index->slots[at] != 0; at = (at + 1) & index->mask) {
        const struct tensor *tensor = &index->tensors[index->slots[at] - 1];
        if (tensor->name_length == length && memcmp(tensor->name, name, length) == 0)
            break;
    }
    return &index->slots[at];
}

size_t name_index_build(struct name_index *index, const struct tensor *tensors, size_t count) {
    size_t slots = 16;
    while (slots < 2 * count)
        slots *= 2;
    *index = (struct name_index){.tensors = tensors, .mask = slots - 1};
    index->slots = memory_array(slots, sizeof *index->slots);
    if (getrandom(index->key, sizeof index->key, 0) != sizeof index->key)
        index->key[0] = (uintptr_t)index->slots; /* no source of randomness: still correct */
    for (size_t i = 0; i < count; i++) {
        uint32_t *slot = slot_of(index, tensors[i].name, tensors[i].name_length);
        if (*slot != 0)
            return i;
        *slot = (uint32_t)(i + 1);
    }
    return count;
}

const struct tensor *name_index_find(const struct name_index *index, const char *name,
                                     size_t length) {
    uint32_t slot = *slot_of(index, name, length);
    return slot != 0 ? &index->tensors[slot - 1] : NULL;
}

void name_index_free(struct name_index *index) {
    free(index->slots);
    *index = (struct name_index){0};
}
