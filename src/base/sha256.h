/* SHA-256 (FIPS 180-4), for the hash of the parameters and of a dataset. */
#ifndef TG_BASE_SHA256_H
#define TG_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { TG_SHA256_GROUP = 4 * 64 }; /* bytes: blocks that go through together */

typedef struct tg_sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    uint8_t rest[TG_SHA256_GROUP];
} tg_sha256;

void tg_sha256_begin(tg_sha256 *hash);
void tg_sha256_update(tg_sha256 *hash, const void *data, size_t size);
void tg_sha256_end(tg_sha256 *hash, char hex[65]); /* 64 lower-case digits and NUL */

#endif
