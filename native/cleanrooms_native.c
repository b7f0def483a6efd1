/* Whole columns of identifiers: SHA-256 by OpenSSL, and texts rewritten by an automaton; loops over Arrow arrays.
 *
 * HMAC (RFC 2104) hashes one padded block of the key before each message and one before each inner digest. Here both are
 * hashed once per column and their states copied, which halves the work for values as short as people's identifiers.
 *
 * The automaton is a table that Python computed: nothing here knows what an address or a phone number is.
 *
 * Input and output are in Arrow's variable-size binary view layout (Columnar Format, "Variable-size Binary View Layout"),
 * which Polars keeps its texts in: up to 12 bytes stand in the view itself, longer values in a buffer.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <string.h>

#define BLOCK 64
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

static int is_null(const column *c, Py_ssize_t row)
{
    const uint8_t *valid = c->valid.buf;
    return valid && !(valid[row >> 3] >> (row & 7) & 1);
}

/* Bytes of a value, or NULL where its view points outside of the buffers. */
static const uint8_t *bytes_of(const column *c, const view *v)
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
static view view_of(const uint8_t *data, const uint8_t *place, int32_t size)
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

static void let_go(column *c)
{
    for (Py_ssize_t i = 0; c->held && i < c->count; i++)
        PyBuffer_Release(&c->held[i]);
    PyMem_Free(c->parts);
    PyMem_Free(c->held);
    PyBuffer_Release(&c->views);
    PyBuffer_Release(&c->valid);
}

/* Take hold of the data buffers and check the others; on -1 an exception is set. */
static int take(column *c)
{
    c->count = 0;
    const Py_ssize_t count = PyTuple_Size(c->buffers);
    c->parts = PyMem_Calloc((size_t)count + 1, sizeof(part));
    c->held = PyMem_Calloc((size_t)count + 1, sizeof(Py_buffer));
    if (!c->parts || !c->held) {
        PyErr_NoMemory();
        return -1;
    }
    for (; c->count < count; c->count++) {
        PyObject *item = PyTuple_GetItem(c->buffers, c->count);
        if (!item || PyObject_GetBuffer(item, &c->held[c->count], PyBUF_SIMPLE))
            return -1;
        c->parts[c->count] = (part){c->held[c->count].buf, c->held[c->count].len};
    }
    const char *problem = NULL;
    if (c->first < 0 || c->rows < 0 || c->first > PY_SSIZE_T_MAX - c->rows)
        problem = "rows that no array has";
    else if (c->views.len / (Py_ssize_t)sizeof(view) < c->first + c->rows)
        problem = "fewer views than rows";
    else if (c->valid.buf && c->valid.len < (c->first + c->rows + 7) / 8)
        problem = "a validity bitmap that is too short";
    if (problem)
        PyErr_Format(PyExc_ValueError, "An array was given with %s.", problem);
    return problem ? -1 : 0;
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

PyDoc_STRVAR(sha256_doc,
"sha256(views, buffers, validity, first, rows, key, hex, out_views, out_data)\n--\n\n"
"Digests of rows of an Arrow binary view array, written in the same layout; returns how many are not null.\n\n"
"views, validity: the array's buffers (validity may be None); buffers: tuple of its data buffers\n"
"first, rows: the rows, counted in the buffers\n"
"key: bytes for HMAC-SHA-256, None for SHA-256; hex: lower-case hexadecimal text, otherwise 32 bytes\n"
"out_views, out_data: writable, 16 bytes and 64 (hex) or 32 bytes per row; a null row's view is empty\n\n"
"The GIL is released. ValueError: buffers that do not fit the rows or one another.");

static PyObject *sha256(PyObject *module, PyObject *arguments)
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
    if (take(&c)) {
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
    let_go(&c);
    PyBuffer_Release(&key);
    PyBuffer_Release(&out);
    PyBuffer_Release(&data);
    return found < 0 ? NULL : PyLong_FromSsize_t(found);
}

/* Actions below 0: the text is left to others, or it is certainly nothing, for one of several reasons. */
#define LEFT (-1)
#define MOST_REASONS 250

/* An automaton over bytes. Its table holds, by class of byte, where the next state begins in it. */
typedef struct {
    const uint8_t *classes, *emitted;
    const uint16_t *table;
    const int16_t *actions;
    const uint8_t *prefixes;
    Py_ssize_t width, states, lead, count, longest;
} machine;

/* What precedes each result: how much of it is dropped, how long the prefix is, and the prefix in a fixed space. */
static const uint8_t *prefix_of(const machine *m, int16_t action)
{
    return m->prefixes + action * (m->lead + 2);
}

static int is_sound(const machine *m)
{
    for (Py_ssize_t i = 0; i < 256; i++)
        if (m->classes[i] >= m->width)
            return 0;
    for (Py_ssize_t i = 0; i < m->states * m->width; i++)
        if (m->table[i] % m->width || m->table[i] / m->width >= m->states)
            return 0;
    for (Py_ssize_t i = 0; i < m->states; i++)
        if (m->actions[i] < LEFT - MOST_REASONS || m->actions[i] >= m->count)
            return 0;
    for (Py_ssize_t i = 0; i < m->count; i++)
        if (prefix_of(m, (int16_t)i)[1] > m->lead)
            return 0;
    return 1;
}

/* Bytes of data that were used, or -1 for a view that points nowhere, or too little space. */
static Py_ssize_t rewrite_rows(const column *c, const machine *m, view *out, uint8_t *status, uint8_t *data, Py_ssize_t space)
{
    const view *in = (const view *)c->views.buf + c->first;
    uint8_t *place = data;
    for (Py_ssize_t i = 0; i < c->rows; i++) {
        out[i] = (view){0};
        status[i] = 0;
        if (is_null(c, c->first + i))
            continue;
        const Py_ssize_t size = in[i].size;
        const uint8_t *text = bytes_of(c, &in[i]);
        if (!text || place - data + m->lead + size > space)
            return -1;
        status[i] = -LEFT;
        if (size > m->longest)
            continue;
        uint8_t *start = place + m->lead, *end = start;
        size_t state = 0;
        for (Py_ssize_t k = 0; k < size; k++) {
            state = m->table[state + m->classes[text[k]]];
            *end = m->emitted[text[k]];
            end += *end != 0;
        }
        const int16_t action = m->actions[state / (size_t)m->width];
        if (action < 0) {
            status[i] = (uint8_t)-action;
            continue;
        }
        const uint8_t *before = prefix_of(m, action);
        if (before[0] > end - start)
            continue;
        start += before[0] - before[1];
        memcpy(start, before + 2, before[1]);
        status[i] = 0;
        out[i] = view_of(data, start, (int32_t)(end - start));
        if (end - start > INLINE)
            place = end;
    }
    return place - data;
}

PyDoc_STRVAR(rewrite_doc,
"rewrite(views, buffers, validity, first, rows, machine, longest, out_views, out_status, out_data)\n--\n\n"
"Texts rewritten by an automaton over their bytes; returns how many bytes of out_data are used.\n\n"
"views ... rows: as of sha256\n"
"machine: classes (256 bytes), emitted (256 bytes: what each byte becomes, 0 for nothing), table (uint16, by state and\n"
"  class: index in the table at which the next state begins), actions (int16 by state; below 0 there is no result),\n"
"  prefixes (by action: bytes of the result to drop, size of the prefix, and the prefix in lead bytes), width of the\n"
"  table, lead\n"
"longest: bytes of a text that is looked at\n"
"out_views, out_status, out_data: 16 bytes and 1 byte per row; lead bytes per row and the bytes of all texts\n\n"
"out_status is 0 for a result or null, 1 for a text that is too long, otherwise the action without its minus.\n"
"The GIL is released. ValueError: buffers or tables that do not fit one another.");

static PyObject *rewrite(PyObject *module, PyObject *arguments)
{
    column c = {0};
    machine m = {0};
    Py_buffer classes, emitted, table, actions, prefixes, out, status, data;
    Py_ssize_t used = -1;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y*O!z*nn(y*y*y*y*y*nn)nw*w*w*:rewrite", &c.views, &PyTuple_Type, &c.buffers, &c.valid,
                          &c.first, &c.rows, &classes, &emitted, &table, &actions, &prefixes, &m.width, &m.lead,
                          &m.longest, &out, &status, &data))
        return NULL;
    m.classes = classes.buf, m.emitted = emitted.buf, m.table = table.buf, m.actions = actions.buf;
    m.prefixes = prefixes.buf;
    m.states = actions.len / (Py_ssize_t)sizeof(int16_t);
    int fits = m.width > 0 && m.width <= 256 && m.lead >= 0 && m.lead < 256 && classes.len == 256 && emitted.len == 256 &&
               m.states > 0 && table.len / (Py_ssize_t)sizeof(uint16_t) == m.states * m.width;
    if (fits)
        m.count = prefixes.len / (m.lead + 2);
    fits = fits && m.count <= INT16_MAX;
    if (take(&c)) {
        /* the exception says why */
    } else if (!fits || !is_sound(&m)) {
        PyErr_SetString(PyExc_ValueError, "rewrite was given a machine whose tables do not fit one another.");
    } else if (out.len / (Py_ssize_t)sizeof(view) < c.rows || status.len < c.rows || data.len > INT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "rewrite was given too little space for the result, or too much.");
    } else {
        Py_BEGIN_ALLOW_THREADS
        used = rewrite_rows(&c, &m, out.buf, status.buf, data.buf, data.len);
        Py_END_ALLOW_THREADS
        if (used < 0)
            PyErr_SetString(PyExc_ValueError, "rewrite was given a view that points outside of its buffers, or too little space.");
    }
    let_go(&c);
    Py_buffer *all[] = {&classes, &emitted, &table, &actions, &prefixes, &out, &status, &data};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        PyBuffer_Release(all[i]);
    return used < 0 ? NULL : PyLong_FromSsize_t(used);
}

static PyMethodDef methods[] = {
    {"sha256", sha256, METH_VARARGS, sha256_doc},
    {"rewrite", rewrite, METH_VARARGS, rewrite_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "cleanrooms_native", "Hashes and rewrites whole Arrow columns.", 0, methods, slots,
    NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_cleanrooms_native(void)
{
    return PyModuleDef_Init(&definition);
}
