/*
 * peers.c - the other super-servers, each run as lean as it can be: in the
 * foreground, without a log of its own, without look-ups and without limits
 * that the load would meet.  Programs are given without arguments.
 */
#include "candidates.h"

struct candidate peers[] = {
	{ .name = "busybox tcpsvd", .binary = "busybox", .applet = "tcpsvd",
	  .command = "-E -c 20000 -b 1024 %A %P %S",
	  .packages = "apk: busybox-extras; apt, dnf: busybox, if it is built with tcpsvd" },
	{ .name = "busybox inetd", .binary = "busybox", .applet = "inetd",
	  .command = "-f -q 1024 -R 0 %C",
	  .service = "%A:%P stream tcp nowait %U %0 %S\n",
	  .packages = "apk: busybox-extras; apt, dnf: busybox, if it is built with inetd" },
	{ .name = "s6-tcpserver", .binary = "s6-tcpserver",
	  .command = "-v 0 -c 10000 -C 10000 -b 1024 %A %P %S",
	  .packages = "apt, apk: s6-networking; dnf: from source" },
	{ .name = "tcpserver", .binary = "tcpserver",
	  .command = "-R -H -l 0 -Q -c 20000 -b 1024 %A %P %S",
	  .packages = "apt, apk: ucspi-tcp; dnf: from source" },
	{ .name = "ipsvd tcpsvd", .binary = "tcpsvd",
	  .command = "-E -l bench -c 20000 -b 1024 %A %P %S",
	  .packages = "apt: ipsvd; apk, dnf: from source" },
	{ .name = "xinetd", .binary = "xinetd",
	  .command = "-dontfork -stayalive -filelog /dev/null -f %C",
	  .head = "defaults\n{\n\tinstances = UNLIMITED\n\tper_source = UNLIMITED\n"
	    "\tcps = 1000000 1\n}\n",
	  .service = "service s%N\n{\n\ttype = UNLISTED\n\tsocket_type = stream\n\tprotocol = tcp\n"
	    "\twait = no\n\tbind = %A\n\tport = %P\n\tuser = %U\n\tserver = %0\n}\n",
	  .packages = "apt, apk, dnf: xinetd" },
	{ .name = "openbsd-inetd", .binary = "inetd",
	  .command = "-i -q 1024 %C",
	  .service = "%A:%P stream tcp nowait.1000000000 %U %0 %S\n",
	  .packages = "apt: openbsd-inetd; apk, dnf: from source" },
	{ .name = "systemd-socket-activate", .binary = "systemd-socket-activate",
	  .command = "-a --inetd -l %A:%P %S",
	  .packages = "apt, dnf: systemd; apk: none" },
	{ .name = "socat", .binary = "socat",
	  .command = "TCP-LISTEN:%P,bind=%A,reuseaddr,backlog=1024,fork EXEC:%0,nofork",
	  .packages = "apt, apk, dnf: socat" },
	{ 0 }
};
