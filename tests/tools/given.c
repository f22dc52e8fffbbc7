/*
 * given [WORD...]: stands in for a server of another package.  Tells what it was
 * given in the form of the bundled program inspect, whatever its words look like.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	extern char **environ;
	char folder[4096] = "?";
	unsigned variables = 0;

	while (environ[variables] != NULL)
		puts(environ[variables++]);
	printf("environment=%u\n", variables);
	printf("uid=%u\ngid=%u\n", (unsigned)getuid(), (unsigned)getgid());
	printf("nice=%d\numask=%03o\n", getpriority(PRIO_PROCESS, 0), (unsigned)umask(0));
	printf("cwd=%s\n", getcwd(folder, sizeof folder) != NULL ? folder : "?");
	for (int i = 0; i < argc; i++)
		printf("argv.%d=%s\n", i, argv[i]);
	return fflush(stdout) == EOF;
}
