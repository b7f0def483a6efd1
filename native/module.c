/* cleanrooms_native: whole columns of identifiers, hashed and rewritten in one pass over the memory that Polars has. */
#include "module.h"

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
