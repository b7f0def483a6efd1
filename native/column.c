#include "column.h"

void column_release(column *c)
{
    for (Py_ssize_t i = 0; c->held && i < c->count; i++)
        PyBuffer_Release(&c->held[i]);
    PyMem_Free(c->parts);
    PyMem_Free(c->held);
    PyBuffer_Release(&c->views);
    PyBuffer_Release(&c->valid);
}

int column_take(column *c)
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
