/* SPDX-License-Identifier: MIT */
#include <daycount.h>
#include <stdio.h>
#include <string.h>

static int usage(void)
{
	fprintf(stderr, "usage: dayof DATE | dayof --version\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct dc_date date;

	if (argc != 2)
		return usage();
	if (strcmp(argv[1], "--version") == 0) {
		printf("dayof %s, built for daycount %d, runs with %s\n", VERSION,
		       DC_MAJOR, dc_version());
		return 0;
	}
	if (dc_parse(argv[1], &date) != 0)
		return usage();
	printf("%s\n", dc_weekday(dc_number(&date)));
	return 0;
}
