/* harness_faults.c - see harness_faults.h; seccomp_unotify(2). */
#include "harness_faults.h"

#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

const long fork_calls[] = { SYS_clone,
#ifdef SYS_clone3
	SYS_clone3,
#endif
#ifdef SYS_fork
	SYS_fork,
#endif
#ifdef SYS_vfork
	SYS_vfork,
#endif
	-1 };

static const long *watched;	/* by the filter, ended by -1 */
static int ends[2];		/* through which the filter's descriptor comes */
static pid_t daemon_pid;
static uint64_t descriptors;	/* that are pretended; 0: the truth */
static atomic_int error;
static atomic_uint to_fail, failed, seen;

/* The descriptor of the filter, or -1. */
static int
install_filter(const long *calls)
{
	struct sock_filter code[CALLS_MAX + 3];
	struct sock_fprog program = { .filter = code };
	unsigned short n = 0, i;

	while (calls[n] != -1)
		n++;
	code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	    offsetof(struct seccomp_data, nr));
	for (i = 1; i <= n; i++)
		code[i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
		    (uint32_t)calls[i - 1], (uint8_t)(n + 1 - i), 0);
	code[n + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	program.len = (unsigned short)(n + 3);
	/* Only root may do without, and then what superd does with this bit is its own doing. */
	if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
	    &program);
}

bool
faults_possible(void)
{
	static const long none[] = { -1 };
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(install_filter(none) == -1);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

union passing {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

/* In superd's process, before it is superd.  The descriptor itself is close-on-exec. */
static void
prepare(void)
{
	union passing pass = { .room = "" };
	struct iovec one = { .iov_base = "f", .iov_len = 1 };
	struct msghdr message = { .msg_iov = &one, .msg_iovlen = 1, .msg_control = &pass,
		.msg_controllen = sizeof pass };
	int fd = install_filter(watched);

	pass.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&pass.head), &fd, sizeof fd);
	if (fd == -1 || sendmsg(ends[1], &message, 0) != 1)
		_exit(125);
}

static int
take_filter(void)
{
	union passing pass;
	char byte;
	struct iovec one = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &one, .msg_iovlen = 1, .msg_control = &pass,
		.msg_controllen = sizeof pass };
	int fd;

	if (recvmsg(ends[0], &message, MSG_CMSG_CLOEXEC) != 1 || CMSG_FIRSTHDR(&message) == NULL)
		flunk("no filter of system calls");
	memcpy(&fd, CMSG_DATA(&pass.head), sizeof fd);
	return fd;
}

/* prlimit(2), answered in the kernel's place. */
static bool
pretend(const struct seccomp_notif *request)
{
	struct rlimit limit = { descriptors, descriptors };
	struct iovec from = { &limit, sizeof limit };
	struct iovec to = { (void *)(uintptr_t)request->data.args[3], sizeof limit };

	return descriptors != 0 && request->data.nr == SYS_prlimit64 &&
	    request->data.args[1] == RLIMIT_NOFILE && (to.iov_base == NULL ||
	    process_vm_writev((pid_t)request->pid, &from, 1, &to, 1, 0) == (ssize_t)sizeof limit);
}

static void
answer(int fd, const struct seccomp_notif *request)
{
	struct seccomp_notif_resp response = { .id = request->id };

	seen++;
	if ((pid_t)request->pid == daemon_pid && to_fail > 0) {
		to_fail--;
		response.error = -error;
		failed++;
	} else if (!pretend(request)) {
		response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	}
	(void)ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &response);	/* who asked may be dead by now */
}

static void *
answer_all(void *arg)
{
	const int fd = *(const int *)arg;
	struct pollfd asked = { .fd = fd, .events = POLLIN };
	struct seccomp_notif request;

	while (poll(&asked, 1, -1) == 1 && (asked.revents & POLLIN) != 0) {
		memset(&request, 0, sizeof request);	/* the kernel insists */
		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &request) == 0)
			answer(fd, &request);
	}
	return NULL;
}

void
faults_run(struct daemon *d, const long *calls)
{
	static int fd;
	pthread_t thread;

	watched = calls;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
		flunk("socketpair: %s", strerror(errno));
	daemon_run(d, &(struct start){ .prepare = prepare });
	daemon_pid = d->pid;
	close(ends[1]);
	fd = take_filter();
	if (pthread_create(&thread, NULL, answer_all, &fd) != 0)
		flunk("no thread");
}

void
faults_set(int what, unsigned times)
{
	to_fail = 0;
	failed = 0;
	error = what;
	to_fail = times;
}

unsigned
faults_failed(void)
{
	return failed;
}

unsigned
faults_seen(void)
{
	return seen;
}

void
faults_pretend_descriptors(uint64_t limit)
{
	descriptors = limit;
}
