/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unitconv.h>

#include "constants.c"
#include "tidal.h"

#define EXPORTED __attribute__((visibility("default")))

static int constant(const char *key)
{
	int i = 0;

	while (strcmp(constants[i].key, key) != 0)
		i++;
	return atoi(constants[i].value);
}

EXPORTED void tide_of(const struct dc_date *date, int establishment, int range,
		      struct tide *tide)
{
	int period = constant("period");
	int neap = constant("range.neap");
	int days, spring, percent;

	moon_of(date, &tide->moon);
	days = tide->moon.age / DC_HOURS_PER_DAY;
	spring = abs(tide->moon.lit - 50) * 2;
	percent = neap + (constant("range.spring") - neap) * spring / 100;
	tide->minutes = (establishment + days * constant("delay")) % period;
	tide->feet = uc_metres_to_feet(range * percent / 10000.0);
}
