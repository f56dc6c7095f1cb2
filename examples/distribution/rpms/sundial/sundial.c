/* SPDX-License-Identifier: MIT */
/* Runs on the harbour's old terminal, where no library is installed. */
#include <daycount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"

/* The height of the sun at noon in whole degrees, by a straight-line season. */
static int noon_height(const struct dc_date *date)
{
	struct dc_date solstice = { date->year, 6, 21 };
	long away = labs(dc_number(date) - dc_number(&solstice));

	if (away > 183)
		away = 365 - away;
	return (int)(90 - LATITUDE + 23 - 46 * away / 183);
}

int main(int argc, char **argv)
{
	struct dc_date date;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("sundial %s, built for daycount %d, contains %s\n", VERSION,
		       DC_MAJOR, dc_version());
		return 0;
	}
	if (argc != 2 || dc_parse(argv[1], &date) != 0) {
		fprintf(stderr, "usage: sundial DATE | sundial --version\n");
		return 2;
	}
	printf("%s: the sun stands %d degrees high at noon\n", PLACE,
	       noon_height(&date));
	return 0;
}
