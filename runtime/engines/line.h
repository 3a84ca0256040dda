/* line.h: what plug-ins say in one line. */
#ifndef LUTC_LINE_H
#define LUTC_LINE_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LUTC_LINE = 1024 };

/* Appends to a line what fits. */
__attribute__((format(printf, 2, 3))) static inline void lutc_append(char line[LUTC_LINE], const char *format,
                                                                     ...) {
  const size_t length = strlen(line);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line + length, LUTC_LINE - length, format, arguments);
  va_end(arguments);
}

#endif
