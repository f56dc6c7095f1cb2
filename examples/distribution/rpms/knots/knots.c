/* SPDX-License-Identifier: MIT */
#include <daycount.h>
#include <stdio.h>
#include <stdlib.h>
#include <unitconv.h>

int main(int argc, char **argv)
{
	double knots, kmh;
	char *end;

	if (argc != 2 || (knots = strtod(argv[1], &end), end == argv[1] || *end)) {
		fprintf(stderr, "usage: knots SPEED\n");
		return 2;
	}
	kmh = uc_knots_to_kmh(knots);
	printf("%.1f kn = %.1f km/h = %.1f mph, %.0f km in a day\n", knots, kmh,
	       uc_kmh_to_mph(kmh), kmh * DC_HOURS_PER_DAY);
	return 0;
}
