/* SPDX-License-Identifier: MIT */
/*
 * What a calendar plug-in exports. The layout may change with any build of
 * the library, so a plug-in package requires the exact build it was made with.
 */
#ifndef DAYCOUNT_PLUGIN_H
#define DAYCOUNT_PLUGIN_H

#include <stddef.h>

struct dc_calendar {
	const char *name;
	int (*format)(long number, char *text, size_t size);
};

/* Every plug-in defines this one object. */
extern const struct dc_calendar daycount_calendar;

#endif
