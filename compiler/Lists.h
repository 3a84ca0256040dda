// The rows of `lutc list`.
#ifndef LUT_COMPILER_LISTS_H
#define LUT_COMPILER_LISTS_H

#include "compiler/report/Table.h"

namespace lut {

Table targetTable();
Table machineTable();
Table formatTable();
Table modelTable();
Table passTable();

} // namespace lut

#endif
