/*
 * bounds.h - every fixed limit of superd in one place, with its unit and its
 * reason.  What an administrator may want to change is a key of superd.ini(5),
 * bounded by these.
 */
#ifndef BOUNDS_H
#define BOUNDS_H

#define LINE_BYTES		199	/* a line with its newline: inih's own buffer less the NUL */
#define NAME_BYTES		32	/* a service's name: inih cuts section names at 49 */
#define UNIX_PATH_BYTES		107	/* sockaddr_un.sun_path less its NUL, unix(7) */
#define FILES_MAX		1000	/* files one include may bring; a glob gone wild stops here */

#define SESSIONS_MAX		100000	/* highest max_sessions; about 150 bytes each */
#define SESSIONS_DEFAULT	"10000"
#define BACKLOG_MAX		65535	/* listen(2) takes an int, the kernel cuts it to somaxconn */

#define EVENTS_BATCH		64	/* events taken from the kernel in one go */
#define BANNER_BYTES		4096	/* fits the send buffer of any new connection */

#define ACCEPT_BATCH		16	/* connections that one listener gets at once, when there is room again or it is drained */
#define ACCEPT_PAUSE_MS		200	/* rest of all listeners after "out of descriptors" */
#define BIND_RETRY_MS		1000	/* first wait of an address that is taken; doubles ... */
#define BIND_RETRY_MOST_MS	60000	/* ... up to this */

#define WAIT_SHORT_MS		1000	/* a process with wait = yes that lives shorter is held back */

#define DATAGRAM_BYTES		65507	/* the longest that UDP carries over IPv4 */
#define DATAGRAMS_BATCH		16	/* taken or sent with one system call */
#define FLOW_IDLE_MS		60000	/* idle_timeout of UDP, when it is not given */
#define FLOW_LINGER_MS		30000	/* a process that stays for longer after end-of-file is ended */
#define FLOW_SILENT_MS		1000	/* a peer that wrote since then keeps its process when others wait */
#define NEWCOMERS		64	/* datagrams of a service that wait for room ... */
#define NEWCOMERS_BYTES		(256 * 1024) /* ... and their bytes */
#define NEWCOMERS_HEAR_OUT	16	/* turns, of a batch each, that room waits while their socket has more */
#define WAIT_DEATHS		3	/* processes that left one datagram unread, until it is dropped */

#define SLOTS_STEP		16	/* places for children that share superd's memory: made so many at a time ... */
#define SLOTS_MAX		80	/* ... up to this, one page each; the child that finds none is forked */
#define SLOT_BYTES		16384	/* of each: mostly stack, of which a child needs less than 1 kB */
#define SLOT_VARIABLES		192	/* of its environment; a larger one is for a forked child */
#define LOW_DESCRIPTORS		256	/* a child that shares superd's table copies at most so many of it */
#define LOW_STEP		64	/* ... rounded up to this, as the kernel does */

#define TURN_NS			100000	/* of the processor, that superd asks for: the least there is */

#define MAPPED_BYTES		(32 * 1024)	/* memory of this size goes back to the system when it is freed */
#define HEAP_STEP		(16 * 1024)	/* by which the rest grows, and what it keeps at its end */
#define MEMORY_RANGES		48	/* read-only segments, three of each object: libraries that are loaded for NSS are in a child */

#define EXECUTE_MS		10000	/* a child that has not executed by then is killed */
#define KILL_AFTER_MS		5000	/* from SIGTERM to SIGKILL */
#define STUCK_MS		5000	/* after SIGKILL; who is there still is told of, once */
#define SWEEP_SMALL		32	/* live sessions up to which looking at all of them is cheap */
#define SWEEP_MS		50	/* else: until those are looked for whose SIGCHLD was merged */
#define SWEEP_US		2000	/* longest sweep */
#define GLANCE_MS		4	/* until the newest sessions are looked at ... */
#define GLANCE_ALIVE		48	/* ... until so many were found alive */

#define LOG_BUFFER		4096	/* PIPE_BUF: a write of it to a pipe is whole or nothing */
#define LOG_MS			10	/* from a write of the log to the next; a line waits for twice that at the most */
#define LOG_LINE_BYTES		2048	/* one log line at most; longer values are cut */
#define SYSLOG_RETRY_MS		1000	/* between two tries to reach a syslog daemon */
#define ACCOUNTS		131072	/* of sources: 64 bytes each, as far as they are used */
#define SENSOR_ACCOUNTS		16384	/* sources that a sensor has banned */
#define LOAD_MS			1000	/* between two looks at the load average */
#define OWN_MS			1000	/* ... and at the host's own addresses, for sensors */

#define GATE_MS			1000	/* window of a gate ... */
#define GATE_BURST		20	/* ... and how many of its lines pass in one */
#define FULL_MS			60000	/* between two "full" lines of a service */

#define NAMES_BYTES		4096	/* a name that is looked up, and each text of an answer */
#define NAMES_GROUPS_MAX	131072	/* above NGROUPS_MAX of Linux */
#define NAMES_MS		10000	/* that a load waits for look-ups, a reload's in a child; then it is refused */

#define REHEARSAL_STEP		4096	/* bytes of answers for a reload: room for them begins with so many */
#define LOAD_US			100	/* longest that a reload makes or checks services in one turn of the loop */

#define STDERR_LINE_BYTES	1024	/* a longer line of a service is logged in pieces */
#define STDERR_LINES		100	/* lines of a service logged in a second, the rest is counted */
#define STDERR_READ		65536	/* bytes read from one service in a round ... */
#define STDERR_TICK_BYTES	(1 << 20) /* ... and in 100 ms; then the flood waits for the next tick */
#define STDERR_TICK_MS		100
#define STDERR_IDLE_PIPES	64	/* pipes kept open of services that have no session */

#define ENVIRON_BYTES		1024	/* what a connection adds to its program's environment */
#define ENVIRON_VARS		24	/* ... and in how many variables */

#define SPARE_DESCRIPTORS	32	/* log, epoll, alarm, signals, reports, one connection, name look-ups */

_Static_assert(ACCOUNTS > SESSIONS_MAX, "each live session has an account");
_Static_assert(LOG_LINE_BYTES <= LOG_BUFFER, "a line must fit the log's buffer");
_Static_assert(STDERR_LINE_BYTES < LOG_LINE_BYTES, "a line of stderr must fit a log line");

#endif
