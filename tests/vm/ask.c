// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ask a daemon something that no verb of rblk asks, and print its answer:
 *
 *   ask RUN_DIR VERB [RESOURCE]
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char text[4096];
	ssize_t n;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (argc < 3 || fd < 0)
		return 2;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/control.sock", argv[1]);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		perror(addr.sun_path);
		return 1;
	}
	n = snprintf(text, sizeof(text),
		     "{\"schema\":\"rblk.control/1\",\"verb\":\"%s\",%s%s%s}\n",
		     argv[2], argc > 3 ? "\"resource\":\"" : "\"all\":true",
		     argc > 3 ? argv[3] : "", argc > 3 ? "\"" : "");
	if (write(fd, text, n) != n)
		return 1;
	while ((n = read(fd, text, sizeof(text))) > 0) {
		fwrite(text, 1, n, stdout);
		if (text[n - 1] == '\n')
			return 0;
	}
	return 1;
}
