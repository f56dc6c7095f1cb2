/* SPDX-License-Identifier: MIT */
/* Units of the sea and of the land. Everything is inline. */
#ifndef UNITCONV_H
#define UNITCONV_H

static inline double uc_metres_to_feet(double metres)
{
	return metres / 0.3048;
}

static inline double uc_knots_to_kmh(double knots)
{
	/* A nautical mile is 1852 metres. */
	return knots * 1852.0 / 1000.0;
}

static inline double uc_kmh_to_mph(double kmh)
{
	return kmh / 1.609344;
}

#endif
