/* The .safetensors container (format version 0.x): 8 bytes little-endian header length, JSON header, then
 * the data of all tensors.
 *
 * Reading checks everything before anything is handed out: header size, strict JSON, no duplicate names,
 * known dtypes, shapes that match their extents, no holes, no overlaps, no bytes left over. */
#ifndef TG_IO_SAFETENSORS_H
#define TG_IO_SAFETENSORS_H

#include "base/text.h"

typedef enum tg_tensor_type {
    TG_TENSOR_F32,
    TG_TENSOR_F64,
    TG_TENSOR_I64,
    TG_TENSOR_U8,
    TG_TENSOR_OTHER
} tg_tensor_type;

typedef struct tg_tensor {
    const char *name;
    tg_tensor_type type;
    const char *dtype; /* as the file says: "F32", "BF16" */
    size_t rank;
    size_t shape[8];
    size_t size;         /* elements */
    const uint8_t *data; /* little-endian, not aligned */
    size_t bytes;
} tg_tensor;

typedef struct tg_safetensors tg_safetensors;

/* file.data is borrowed until close. Errors: where file.name. */
tg_status tg_safetensors_open(tg_bytes file, tg_safetensors **out, tg_error *err);
void tg_safetensors_close(tg_safetensors *file);
size_t tg_safetensors_count(const tg_safetensors *file);
const tg_tensor *tg_safetensors_at(const tg_safetensors *file, size_t index); /* in order of their data */
const tg_tensor *tg_safetensors_find(const tg_safetensors *file, const char *name); /* NULL where absent */
const char *tg_safetensors_metadata(const tg_safetensors *file, const char *key);   /* NULL where absent */

typedef struct tg_metadata {
    const char *key, *value;
} tg_metadata;

/* Writes a file: tensors in the given order, header padded with spaces to 8 bytes. *out: tg_free. */
tg_status tg_safetensors_write(const tg_tensor *tensors, size_t count, const tg_metadata *metadata,
                               size_t metadata_count, uint8_t **out, size_t *size, tg_error *err);

#endif
