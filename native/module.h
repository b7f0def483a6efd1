/* The functions of the module, each in the file of its name. */
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern const char sha256_doc[], rewrite_doc[];

PyObject *sha256(PyObject *module, PyObject *arguments);
PyObject *rewrite(PyObject *module, PyObject *arguments);
