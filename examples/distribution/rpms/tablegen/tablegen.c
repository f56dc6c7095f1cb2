/* SPDX-License-Identifier: MIT */
/*
 * tablegen NAME < table > table.c
 *
 * Reads lines "key TAB value" and writes them as a C array NAME, ended by an
 * entry of null pointers. Lines that start with '#' are comments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ENTRIES 1000

struct entry {
	char *key;
	char *value;
};

static int read_entries(struct entry *entries)
{
	char line[512];
	int count = 0;

	while (fgets(line, sizeof(line), stdin)) {
		char *tab = strchr(line, '\t');

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		if (!tab || strpbrk(line, "\"\\") || count == MAX_ENTRIES) {
			fprintf(stderr, "tablegen: cannot use line: %s\n", line);
			exit(1);
		}
		*tab = '\0';
		entries[count].key = strdup(line);
		entries[count].value = strdup(tab + 1);
		count++;
	}
	return count;
}

int main(int argc, char **argv)
{
	static struct entry entries[MAX_ENTRIES];
	int count, i;

	if (argc != 2) {
		fprintf(stderr, "usage: tablegen NAME < table > table.c\n");
		return 2;
	}
	count = read_entries(entries);
	printf("/* Made by tablegen; do not edit. */\n");
	printf("static const struct { const char *key, *value; } %s[] = {\n", argv[1]);
	for (i = 0; i < count; i++)
		printf("\t{ \"%s\", \"%s\" },\n", entries[i].key, entries[i].value);
	printf("\t{ 0, 0 },\n};\n");
	return 0;
}
