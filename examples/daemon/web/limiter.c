/* SPDX-License-Identifier: MIT */
#include "limiter.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES 4096
#define WAYS 16          /* entries a key may lie in */
#define FREE_USER 5      /* failures without a wait */
#define FREE_ADDRESS 20  /* many users may share an address */
#define LONGEST_WAIT 900 /* seconds */
#define MEMORY 3600      /* a key without failures for so long is forgotten */

typedef struct entry {
    char key[72];
    int64_t last; /* failure */
    int64_t until;
    uint32_t failures;
    uint32_t used;
} entry;

struct limiter {
    pthread_mutex_t mutex;
    entry entries[ENTRIES];
};

limiter *limiter_new(void) {
    limiter *l = calloc(1, sizeof *l);
    if (l) pthread_mutex_init(&l->mutex, NULL);
    return l;
}

void limiter_free(limiter *l) {
    if (!l) return;
    pthread_mutex_destroy(&l->mutex);
    free(l);
}

/* FNV-1a: who floods one set of entries only makes other failures of the same set be forgotten. */
static entry *ways_of(limiter *l, char kind, const char *key, char whole[72]) {
    uint32_t hash = 2166136261u;
    snprintf(whole, 72, "%c:%s", kind, key);
    for (const char *c = whole; *c; c++) hash = (hash ^ (unsigned char)*c) * 16777619u;
    return &l->entries[hash % (ENTRIES / WAYS) * WAYS];
}

static entry *find(limiter *l, char kind, const char *key, int64_t now) {
    char whole[72];
    entry *ways = ways_of(l, kind, key, whole);
    for (size_t i = 0; i < WAYS; i++) {
        if (ways[i].used && strcmp(ways[i].key, whole) == 0)
            return ways[i].last + MEMORY >= now ? &ways[i] : NULL;
    }
    return NULL;
}

static entry *take(limiter *l, char kind, const char *key) {
    char whole[72];
    entry *ways = ways_of(l, kind, key, whole), *oldest = ways;
    for (size_t i = 0; i < WAYS; i++) {
        if (ways[i].used && strcmp(ways[i].key, whole) == 0) return &ways[i];
        if (!ways[i].used || (oldest->used && ways[i].last < oldest->last)) oldest = &ways[i];
    }
    memset(oldest, 0, sizeof *oldest);
    memcpy(oldest->key, whole, sizeof whole);
    oldest->used = 1;
    return oldest;
}

int64_t limiter_wait(limiter *l, char kind, const char *key, int64_t now) {
    pthread_mutex_lock(&l->mutex);
    const entry *e = find(l, kind, key, now);
    const int64_t wait = e && e->until > now ? e->until - now : 0;
    pthread_mutex_unlock(&l->mutex);
    return wait;
}

void limiter_failed(limiter *l, char kind, const char *key, int64_t now) {
    const uint32_t free_tries = kind == 'u' ? FREE_USER : FREE_ADDRESS;
    pthread_mutex_lock(&l->mutex);
    entry *e = take(l, kind, key);
    if (e->last + MEMORY < now) e->failures = 0;
    e->last = now;
    e->failures++;
    if (e->failures >= free_tries) {
        const uint32_t over = e->failures - free_tries;
        const int64_t wait = over < 10 ? (int64_t)1 << over : LONGEST_WAIT;
        e->until = now + (wait < LONGEST_WAIT ? wait : LONGEST_WAIT);
    }
    pthread_mutex_unlock(&l->mutex);
}

void limiter_cleared(limiter *l, char kind, const char *key) {
    pthread_mutex_lock(&l->mutex);
    entry *e = find(l, kind, key, 0);
    if (e) memset(e, 0, sizeof *e);
    pthread_mutex_unlock(&l->mutex);
}
