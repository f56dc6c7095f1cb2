/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <tidal.h>

/* One line of the table of harbours. */
struct harbour {
	char name[64];
	int establishment;
	int range;
};

static int find_harbour(const char *name, struct harbour *harbour)
{
	FILE *table = fopen(TABLE, "r");
	char line[256];
	int found = 0;

	while (table && !found && fgets(line, sizeof(line), table))
		found = sscanf(line, "%63s %*s %*s %d %d", harbour->name,
			       &harbour->establishment, &harbour->range) == 3 &&
			strcmp(harbour->name, name) == 0;
	if (table)
		fclose(table);
	return found ? 0 : -1;
}

static int list_harbours(void)
{
	FILE *index = fopen(INDEX, "r");
	int c;

	if (!index) {
		perror(INDEX);
		return 1;
	}
	while ((c = fgetc(index)) != EOF)
		putchar(c);
	fclose(index);
	return 0;
}

int main(int argc, char **argv)
{
	struct harbour harbour;
	struct dc_date date;
	struct tide tide;

	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list_harbours();
	if (argc != 3 || dc_parse(argv[2], &date) != 0) {
		fprintf(stderr, "usage: tidetable HARBOUR DATE | tidetable --list\n");
		return 2;
	}
	if (find_harbour(argv[1], &harbour) != 0) {
		fprintf(stderr, "tidetable: no harbour %s in %s\n", argv[1], TABLE);
		return 1;
	}
	tide_of(&date, harbour.establishment, harbour.range, &tide);
	printf("%s: high water %02d:%02d, range %.1f ft\n", harbour.name,
	       tide.minutes / 60, tide.minutes % 60, tide.feet);
	return 0;
}
