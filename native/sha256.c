/* SHA-256 and HMAC-SHA-256 of whole columns: OpenSSL's hash, a loop around it.
 *
 * HMAC (RFC 2104) hashes one padded block of the key before each message and one before each inner digest. Here both are
 * hashed once per column and their states copied, which halves the work for values as short as people's identifiers.
 */
#include "module.h"

#include "column.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#define BLOCK 64

typedef struct {
    SHA256_CTX inner, outer;
    int keyed;
} states;

static void begin(states *s, const uint8_t *key, Py_ssize_t size)
{
    uint8_t block[BLOCK] = {0}, pad[BLOCK];
    SHA256_Init(&s->inner);
    s->keyed = key != NULL;
    if (!s->keyed)
        return;
    if (size > BLOCK)
        SHA256(key, (size_t)size, block);
    else if (size)
        memcpy(block, key, (size_t)size);
    for (int i = 0; i < BLOCK; i++)
        pad[i] = block[i] ^ 0x36;
    SHA256_Update(&s->inner, pad, BLOCK);
    for (int i = 0; i < BLOCK; i++)
        pad[i] = block[i] ^ 0x5c;
    SHA256_Init(&s->outer);
    SHA256_Update(&s->outer, pad, BLOCK);
    OPENSSL_cleanse(block, BLOCK);
    OPENSSL_cleanse(pad, BLOCK);
}

static void digest(const states *s, const uint8_t *text, size_t size, uint8_t *out)
{
    SHA256_CTX context = s->inner;
    SHA256_Update(&context, text, size);
    SHA256_Final(out, &context);
    if (s->keyed) {
        context = s->outer;
        SHA256_Update(&context, out, SHA256_DIGEST_LENGTH);
        SHA256_Final(out, &context);
    }
}

static void write_hex(const uint8_t *raw, uint8_t *out)
{
    /* Arithmetic instead of a table: compilers make vector instructions of it. */
    for (int i = 0; i < SHA256_DIGEST_LENGTH; i++) {
        const uint8_t high = raw[i] >> 4, low = raw[i] & 15;
        out[2 * i] = (uint8_t)(high + '0' + (high > 9) * ('a' - '9' - 1));
        out[2 * i + 1] = (uint8_t)(low + '0' + (low > 9) * ('a' - '9' - 1));
    }
}

/* How many rows are not null, or -1 for a view that points nowhere. */
static Py_ssize_t hash_rows(const column *c, const states *s, int hex, view *out, uint8_t *data)
{
    const int32_t width = hex ? 2 * SHA256_DIGEST_LENGTH : SHA256_DIGEST_LENGTH;
    const view *in = (const view *)c->views.buf + c->first;
    Py_ssize_t done = 0;
    for (Py_ssize_t i = 0; i < c->rows; i++) {
        if (is_null(c, c->first + i)) {
            out[i] = (view){0};
            continue;
        }
        uint8_t raw[SHA256_DIGEST_LENGTH], *place = data + done * width;
        const uint8_t *text = bytes_of(c, &in[i]);
        if (!text)
            return -1;
        digest(s, text, (size_t)in[i].size, hex ? raw : place);
        if (hex)
            write_hex(raw, place);
        out[i] = view_of(data, place, width);
        done++;
    }
    return done;
}

const char sha256_doc[] = PyDoc_STR(
"sha256(views, buffers, validity, first, rows, key, hex, out_views, out_data)\n--\n\n"
"Digests of rows of an Arrow binary view array, written in the same layout; returns how many are not null.\n\n"
"views, validity: the array's buffers (validity may be None); buffers: tuple of its data buffers\n"
"first, rows: the rows, counted in the buffers\n"
"key: bytes for HMAC-SHA-256, None for SHA-256; hex: lower-case hexadecimal text, otherwise 32 bytes\n"
"out_views, out_data: writable, 16 bytes and 64 (hex) or 32 bytes per row; a null row's view is empty\n\n"
"The GIL is released. ValueError: buffers that do not fit the rows or one another.");

PyObject *sha256(PyObject *module, PyObject *arguments)
{
    column c = {0};
    Py_buffer key, out, data;
    Py_ssize_t found = -1;
    int hex;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y*O!z*nnz*pw*w*:sha256", &c.views, &PyTuple_Type, &c.buffers, &c.valid, &c.first,
                          &c.rows, &key, &hex, &out, &data))
        return NULL;
    const Py_ssize_t width = hex ? 2 * SHA256_DIGEST_LENGTH : SHA256_DIGEST_LENGTH;
    if (column_take(&c)) {
        /* the exception says why */
    } else if (c.rows > INT32_MAX / width || out.len / (Py_ssize_t)sizeof(view) < c.rows || data.len / width < c.rows) {
        PyErr_SetString(PyExc_ValueError, "sha256 was given too little space for the result, or too many rows.");
    } else {
        states s;
        Py_BEGIN_ALLOW_THREADS
        begin(&s, key.buf, key.len);
        found = hash_rows(&c, &s, hex, out.buf, data.buf);
        OPENSSL_cleanse(&s, sizeof s);
        Py_END_ALLOW_THREADS
        if (found < 0)
            PyErr_SetString(PyExc_ValueError, "sha256 was given a view that points outside of its buffers.");
    }
    column_release(&c);
    PyBuffer_Release(&key);
    PyBuffer_Release(&out);
    PyBuffer_Release(&data);
    return found < 0 ? NULL : PyLong_FromSsize_t(found);
}
