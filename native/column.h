/* Rows of an Arrow array in the variable-size binary view layout (Arrow's Columnar Format), which Polars keeps its texts
 * in: up to 12 bytes stand in the view itself, longer values in a buffer. */
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

#define INLINE 12

typedef struct {
    int32_t size;
    union {
        uint8_t text[INLINE];
        struct {
            uint8_t prefix[4];
            int32_t buffer;
            int32_t offset;
        } at;
    } u;
} view;

typedef struct {
    const uint8_t *start;
    Py_ssize_t size;
} part;

/* Rows of an array, and the Python objects that hold its memory. */
typedef struct {
    Py_buffer views, valid;
    PyObject *buffers;
    Py_ssize_t first, rows, count;
    part *parts;
    Py_buffer *held;
} column;

/* Take hold of the data buffers and check the others; on -1 an exception is set. */
int column_take(column *c);

/* Let go of all buffers, also after column_take failed. */
void column_release(column *c);

static inline int is_null(const column *c, Py_ssize_t row)
{
    const uint8_t *valid = c->valid.buf;
    return valid && !(valid[row >> 3] >> (row & 7) & 1);
}

/* Bytes of a value, or NULL where its view points outside of the buffers. */
static inline const uint8_t *bytes_of(const column *c, const view *v)
{
    if (v->size < 0)
        return NULL;
    if (v->size <= INLINE)
        return v->u.text;
    if (v->u.at.buffer < 0 || v->u.at.buffer >= c->count || v->u.at.offset < 0)
        return NULL;
    const part *p = &c->parts[v->u.at.buffer];
    return (Py_ssize_t)v->u.at.offset + v->size <= p->size ? p->start + v->u.at.offset : NULL;
}

/* A view of a value at a place of the one buffer of results. */
static inline view view_of(const uint8_t *data, const uint8_t *place, int32_t size)
{
    view v = {0};
    v.size = size;
    if (size <= INLINE) {
        memcpy(v.u.text, place, (size_t)size);
    } else {
        memcpy(v.u.at.prefix, place, sizeof v.u.at.prefix);
        v.u.at.offset = (int32_t)(place - data);
    }
    return v;
}
