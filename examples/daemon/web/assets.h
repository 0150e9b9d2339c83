/* SPDX-License-Identifier: MIT */
/* The dashboard's files, embedded at build time (embed.cmake). */
#ifndef WEB_ASSETS_H
#define WEB_ASSETS_H

#include <stddef.h>

typedef struct asset {
    const char *name; /* "app.js" */
    const unsigned char *bytes;
    size_t length;
    const char *hash; /* of the bytes: its ETag */
} asset;
extern const asset assets[];
extern const size_t asset_count;

#endif
