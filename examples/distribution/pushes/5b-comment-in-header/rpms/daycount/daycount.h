/* SPDX-License-Identifier: MIT */
/* Calendar dates as day numbers: the one count every table here shares. */
#ifndef DAYCOUNT_H
#define DAYCOUNT_H

#include <stddef.h>

/* A program can compare this with dc_version() to see what it runs with. */
#define DC_MAJOR 2

#define DC_HOURS_PER_DAY 24

/* A date of the Gregorian calendar, months and days counted from 1. */
struct dc_date {
	int year;
	int month;
	int day;
};

/* Reads "2024-08-19". Returns 0, or -1 if there is no such day. */
int dc_parse(const char *text, struct dc_date *date);

/* The Julian day number of a date, and back. */
long dc_number(const struct dc_date *date);
void dc_date(long number, struct dc_date *date);

/* How many days a month has, from 28 to 31. */
int dc_month_length(int year, int month);

/* "Monday" ... "Sunday". */
const char *dc_weekday(long number);

/*
 * Writes the day as a date of the named calendar. "gregorian" is built in,
 * other calendars are plug-ins. Returns 0, or -1 if there is no such calendar.
 */
int dc_format(const char *calendar, long number, char *text, size_t size);

/* The version of the library itself, such as "2.0". */
const char *dc_version(void);

#endif
