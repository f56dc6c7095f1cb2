/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "moonphase.h"

#define EXPORTED __attribute__((visibility("default")))

/* A new moon: 2000-01-06 18:14, in seconds after the noon of that day. */
#define EPOCH_DAY 2451550L
#define EPOCH_SECONDS 22440L

/* The mean length of a lunation in seconds. */
#define LUNATION 2551443L

EXPORTED void moon_of(const struct dc_date *date, struct moon *moon)
{
	long days = dc_number(date) - EPOCH_DAY;
	long age = (days * 3600 * DC_HOURS_PER_DAY - EPOCH_SECONDS) % LUNATION;
	long lit;

	if (age < 0)
		age += LUNATION;
	moon->age = (int)(age / 3600);

	/* How far from new moon, in thousandths, eased like a cosine. */
	lit = 2000 * (age < LUNATION / 2 ? age : LUNATION - age) / LUNATION;
	lit = (3 * lit * lit - 2 * lit * lit * lit / 1000) / 1000;
	moon->lit = (int)(lit / 10);
}

/* The names, each with the age in hours at which the next one begins. */
static const struct {
	int before;
	const char *name;
} phases[] = {
	{ 45, "New moon" },
	{ 133, "Waxing crescent" },
	{ 222, "First quarter" },
	{ 310, "Waxing gibbous" },
	{ 399, "Full moon" },
	{ 487, "Waning gibbous" },
	{ 576, "Last quarter" },
	{ 664, "Waning crescent" },
};

EXPORTED const char *moon_name(const struct moon *moon)
{
	size_t i;

	for (i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		if (moon->age < phases[i].before)
			return phases[i].name;
	return phases[0].name;
}
