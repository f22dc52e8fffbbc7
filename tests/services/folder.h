/*
 * What sendfile has to send in its tests.
 */
#ifndef TESTS_SERVICES_FOLDER_H
#define TESTS_SERVICES_FOLDER_H

#define TEXT "0123456789abcdef\n"	/* of nearly every file, whose size is 17 */
#define TEXT_SIZE (sizeof TEXT - 1)
#define TIME "1700000000"		/* when everything was changed last */
#define BIG_SIZE 5000000

/*
 * An unchecked fixture: makes the folder and enters it, so that "." is DIR for
 * the tests, which run in children and only add files of their own.
 */
void folder_make(void);
void folder_remove(void);

/* The bytes of sub/big; free() it. */
char *folder_big_data(void);

#endif
