/*
 * attributes.h: every attribute of xinetd.conf(5), in a list that each place
 * reads in its own way: identifier, name, number of values (ANY: none or more;
 * LIST: that, and "+=" and "-=" too), and where xinetd takes it from.
 */
#ifndef ATTRIBUTES_H
#define ATTRIBUTES_H

#define ANY (-1)
#define LIST (-2)
#define IN_SERVICE 0x01
#define IN_DEFAULTS 0x02
#define ADDS 0x04 /* in defaults "=" means "+=" */
#define ADDRESSES 0x08
#define COPIED 0x10 /* a service begins with what defaults has above it in the files */
#define LATE 0x20   /* a service without it takes that of defaults, wherever it stands */
#define BOTH (IN_SERVICE | IN_DEFAULTS)

#define ATTRIBUTES_OF(X)                                                         \
	X(A_ID, "id", 1, IN_SERVICE)                                             \
	X(A_TYPE, "type", ANY, IN_SERVICE)                                       \
	X(A_FLAGS, "flags", ANY, IN_SERVICE)                                     \
	X(A_DISABLE, "disable", 1, IN_SERVICE)                                   \
	X(A_SOCKET_TYPE, "socket_type", 1, IN_SERVICE)                           \
	X(A_PROTOCOL, "protocol", 1, IN_SERVICE)                                 \
	X(A_WAIT, "wait", 1, IN_SERVICE)                                         \
	X(A_USER, "user", 1, IN_SERVICE)                                         \
	X(A_GROUP, "group", 1, IN_SERVICE)                                       \
	X(A_GROUPS, "groups", 1, BOTH | LATE)                                    \
	X(A_INSTANCES, "instances", 1, BOTH | LATE)                              \
	X(A_NICE, "nice", 1, IN_SERVICE)                                         \
	X(A_SERVER, "server", 1, IN_SERVICE)                                     \
	X(A_SERVER_ARGS, "server_args", ANY, IN_SERVICE)                         \
	X(A_LIBWRAP, "libwrap", 1, IN_SERVICE)                                   \
	X(A_ONLY_FROM, "only_from", LIST, BOTH | ADDS | COPIED | ADDRESSES)      \
	X(A_NO_ACCESS, "no_access", LIST, BOTH | ADDS | COPIED | ADDRESSES)      \
	X(A_ACCESS_TIMES, "access_times", ANY, IN_SERVICE)                       \
	X(A_LOG_TYPE, "log_type", ANY, BOTH | ADDS)                              \
	X(A_LOG_ON_SUCCESS, "log_on_success", LIST, BOTH | ADDS | COPIED | LATE) \
	X(A_LOG_ON_FAILURE, "log_on_failure", LIST, BOTH | ADDS | COPIED | LATE) \
	X(A_RPC_VERSION, "rpc_version", 1, IN_SERVICE)                           \
	X(A_RPC_NUMBER, "rpc_number", 1, IN_SERVICE)                             \
	X(A_ENV, "env", LIST, IN_SERVICE)                                        \
	X(A_PASSENV, "passenv", LIST, BOTH | ADDS | COPIED | LATE)               \
	X(A_PORT, "port", 1, IN_SERVICE)                                         \
	X(A_REDIRECT, "redirect", 2, IN_SERVICE)                                 \
	X(A_BIND, "bind", 1, BOTH | LATE)                                        \
	X(A_BANNER, "banner", 1, BOTH | COPIED)                                  \
	X(A_BANNER_SUCCESS, "banner_success", 1, BOTH | COPIED)                  \
	X(A_BANNER_FAIL, "banner_fail", 1, BOTH | COPIED)                        \
	X(A_PER_SOURCE, "per_source", 1, BOTH | LATE)                            \
	X(A_CPS, "cps", 2, BOTH | LATE)                                          \
	X(A_LEAKY_BUCKET, "leaky_bucket", 4, BOTH | LATE)                        \
	X(A_MAX_LOAD, "max_load", 1, BOTH | LATE)                                \
	X(A_DENY_TIME, "deny_time", 1, IN_SERVICE)                               \
	X(A_UMASK, "umask", 1, BOTH | LATE)                                      \
	X(A_V6ONLY, "v6only", 1, BOTH)                                           \
	X(A_RLIMIT_AS, "rlimit_as", 1, IN_SERVICE)                               \
	X(A_RLIMIT_CPU, "rlimit_cpu", 1, IN_SERVICE)                             \
	X(A_RLIMIT_DATA, "rlimit_data", 1, IN_SERVICE)                           \
	X(A_RLIMIT_RSS, "rlimit_rss", 1, IN_SERVICE)                             \
	X(A_RLIMIT_STACK, "rlimit_stack", 1, IN_SERVICE)                         \
	X(A_RLIMIT_FILES, "rlimit_files", 1, IN_SERVICE)                         \
	X(A_MDNS, "mdns", 1, BOTH)                                               \
	X(A_ENABLED, "enabled", LIST, IN_DEFAULTS | ADDS)                        \
	X(A_DISABLED, "disabled", LIST, IN_DEFAULTS | ADDS)

#endif
