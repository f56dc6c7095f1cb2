/* SPDX-License-Identifier: MIT */
/* The moon of a day, good enough for a calendar on the wall. */
#ifndef MOONPHASE_H
#define MOONPHASE_H

#include <daycount.h>

struct moon {
	/* Hours since new moon, at noon. */
	int age;
	/* Percent of the disc that is lit. */
	int lit;
	/* Whole days until the next full moon. */
	int days_to_full;
};

void moon_of(const struct dc_date *date, struct moon *moon);

/* One of eight names, from "new moon" to "waning crescent". */
const char *moon_name(const struct moon *moon);

#endif
