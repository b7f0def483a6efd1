/* Texts of whole columns rewritten by an automaton over their bytes, whose tables Python computed: nothing here knows what
 * an address or a phone number is. */
#include "module.h"

#include "column.h"

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

const char rewrite_doc[] = PyDoc_STR(
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

PyObject *rewrite(PyObject *module, PyObject *arguments)
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
    if (column_take(&c)) {
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
    column_release(&c);
    Py_buffer *all[] = {&classes, &emitted, &table, &actions, &prefixes, &out, &status, &data};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        PyBuffer_Release(all[i]);
    return used < 0 ? NULL : PyLong_FromSsize_t(used);
}
