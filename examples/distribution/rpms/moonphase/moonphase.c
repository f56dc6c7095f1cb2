/* SPDX-License-Identifier: MIT */
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

EXPORTED const char *moon_name(const struct moon *moon)
{
	if (moon->age < 45 || moon->age >= 664)
		return "new moon";
	if (moon->age < 133)
		return "waxing crescent";
	if (moon->age < 222)
		return "first quarter";
	if (moon->age < 310)
		return "waxing gibbous";
	if (moon->age < 399)
		return "full moon";
	if (moon->age < 487)
		return "waning gibbous";
	if (moon->age < 576)
		return "last quarter";
	return "waning crescent";
}
