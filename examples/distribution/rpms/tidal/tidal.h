/* SPDX-License-Identifier: MIT */
/* High water on a day, from the age of the moon. */
#ifndef TIDAL_H
#define TIDAL_H

#include <moonphase.h>

struct tide {
	/* The moon that makes it. */
	struct moon moon;
	/* Minutes after midnight of the first high water of the day. */
	int minutes;
	/* The range between low and high water in feet, for the old charts. */
	double feet;
};

/*
 * `establishment` is the time from noon to high water at new and full moon in
 * minutes, `range` the mean range in centimetres: both are in the table of
 * harbours.
 */
void tide_of(const struct dc_date *date, int establishment, int range,
	     struct tide *tide);

#endif
