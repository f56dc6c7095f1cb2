/* SPDX-License-Identifier: MIT */
/*
 *: Usage: quill [-w WIDTH] < text
 *:
 *: quill fills paragraphs to a width of WIDTH columns, 60 if none is given.
 *: Paragraphs are separated by empty lines.
 *:
 *: quill --help prints this text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes one word, on a new line if the old one has no room for it. */
static int write_word(const char *word, int column, int width)
{
	int length = (int)strlen(word);

	if (column > 0 && column + 1 + length > width) {
		putchar('\n');
		column = 0;
	}
	if (column > 0) {
		putchar(' ');
		column++;
	}
	fputs(word, stdout);
	return column + length;
}

static void fill(int width)
{
	char line[4096];
	int column = 0;

	while (fgets(line, sizeof(line), stdin)) {
		char *word = strtok(line, " \t\n");

		if (!word) {
			fputs(column > 0 ? "\n\n" : "\n", stdout);
			column = 0;
		}
		for (; word; word = strtok(NULL, " \t\n"))
			column = write_word(word, column, width);
	}
	if (column > 0)
		putchar('\n');
}

static int help(void)
{
	FILE *text = fopen(HELP, "r");
	int c;

	if (!text) {
		perror(HELP);
		return 1;
	}
	while ((c = fgetc(text)) != EOF)
		putchar(c);
	fclose(text);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return help();
	if (argc == 3 && strcmp(argv[1], "-w") == 0 && atoi(argv[2]) > 0) {
		fill(atoi(argv[2]));
		return 0;
	}
	if (argc == 1) {
		fill(60);
		return 0;
	}
	fprintf(stderr, "usage: quill [-w WIDTH] < text | quill --help\n");
	return 2;
}
