# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a guest boots: a kernel image for QEMU's PVH entry (three seconds faster
# than bzImage) and a small initramfs whose only job is to mount the host's
# root. Both are made once per kernel, in build/vm/KVER.
#
# Uses $top (the tree) and $vm (tests/vm); sets image_* and accel.
# shellcheck disable=SC2034,SC2154

# modules a guest needs before it sees the host's /lib/modules
boot_modules="virtio_pci virtio_blk virtio_net virtio_console 9pnet_virtio 9p overlay"

# Programs that every test runs over and over: the guest copies them, and the
# libraries they need, into its overlay, because each open() over 9p has a price.
hot_programs="bash busybox mawk dmesg ip tc nsenter ping mount umount insmod modprobe
rmmod cmp sync dd blockdev timeout env"

hot_files() {
	local p
	for p in $hot_programs; do
		p=$(command -v "$p") && realpath "$p"
	done
	for p in $hot_programs "$top"/userspace/build/rblk{,d}; do
		ldd "$(command -v "$p")" 2>/dev/null || true	# a static one has none
	done | grep -o '/[^ ]*' | sort -u | xargs realpath
	echo /etc/ld.so.cache
}

# u32 FILE OFFSET: a little-endian number in a file
u32() { od -An -tu4 -j "$2" -N 4 "$1" | tr -d ' '; }

# The bzImage header says where the compressed kernel lies (Documentation/x86/
# boot.rst: setup_sects, payload_offset, payload_length).
extract_vmlinux() {
	local image=$1 out=$2 sects start length unpack
	sects=$(od -An -tu1 -j $((0x1f1)) -N 1 "$image" | tr -d ' ')
	start=$(((sects + 1) * 512 + $(u32 "$image" $((0x248)))))
	length=$(u32 "$image" $((0x24c)))
	case $(od -An -tx1 -j "$start" -N 2 "$image" | tr -d ' ') in
	fd37) unpack="xz -dc" ;;
	28b5) unpack="zstd -dc" ;;
	1f8b) unpack="gzip -dc" ;;
	*) return 1 ;;
	esac
	# the four bytes of the size follow the stream, so decompressors complain
	tail -c +$((start + 1)) "$image" | head -c "$length" |
		$unpack >"$out.new" 2>/dev/null
	[ "$(head -c 4 "$out.new" | tr -d '\0')" = $'\177ELF' ] || return 1
	strip -s "$out.new" 2>/dev/null
	mv "$out.new" "$out"
}

# make_initramfs KVER MODULE-ROOT OUT
make_initramfs() {
	local kver=$1 root=$2 out=$3 dir m path
	dir=$(mktemp -d)
	mkdir -p "$dir"/{bin,lib,proc,sys,dev,host,rw,new}
	cp /bin/busybox "$dir/bin/"
	cp "$vm/init-stage1" "$dir/init"
	for m in $boot_modules; do
		modprobe -d "$root" -S "$kver" --show-depends "$m" 2>/dev/null
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
		while read -r path; do
			cp "$path" "$dir/lib/"
			m=$(basename "$path")
			case $m in
			*.xz) xz -d "$dir/lib/$m" && m=${m%.xz} ;;
			*.zst) zstd -q -d --rm "$dir/lib/$m" && m=${m%.zst} ;;
			esac
			echo "$m" >>"$dir/lib/order"
		done
	touch "$dir/lib/order"
	hot_files | sort -u | sed 's|^/||' >"$dir/lib/hot"
	(cd "$dir" && find . | cpio -o -H newc --quiet | gzip -1) >"$out.new"
	mv "$out.new" "$out"
	rm -rf "$dir"
}

# image KVER: sets image_kernel, image_initramfs, image_modules (the root that
# holds lib/modules/KVER, empty for the host's own).
image() {
	local kver=$1 debug
	local dir=$top/build/vm/$kver
	mkdir -p "$dir"
	image_modules=
	if debug=$("$top/scripts/build-debug-kernel" --path) &&
		[ "$kver" = "$(cat "$debug/release")" ]; then
		image_modules=$debug/root
		image_kernel=$debug/vmlinux
	else
		image_kernel=$dir/vmlinux
		[ "$image_kernel" -nt "/boot/vmlinuz-$kver" ] ||
			extract_vmlinux "/boot/vmlinuz-$kver" "$image_kernel" ||
			image_kernel=/boot/vmlinuz-$kver
	fi
	image_initramfs=$dir/initramfs.gz
	if [ "$vm/init-stage1" -nt "$image_initramfs" ] ||
		[ "$vm/lib/image.sh" -nt "$image_initramfs" ] ||
		[ "$image_kernel" -nt "$image_initramfs" ]; then
		make_initramfs "$kver" "${image_modules:-/}" "$image_initramfs"
	fi
}

# Set accel to QEMU's accelerator. A /dev/kvm that exists may still hang a
# guest, so it is used only once a guest has come up under it, in seconds;
# the answer is kept until the next boot of this machine.
choose_accel() {
	local kver=$1 boot_id answer=$top/build/vm/accel log
	accel="-accel tcg,thread=multi -cpu max"
	[ -w /dev/kvm ] || return 0
	boot_id=$(cat /proc/sys/kernel/random/boot_id)
	if ! grep -qs "^$boot_id" "$answer"; then
		image "$kver"
		log=$(mktemp)
		{
			timeout -s KILL 8 qemu-system-x86_64 -accel kvm -cpu host -M q35 \
				-m 256 -nodefaults -display none -no-reboot \
				-kernel "$image_kernel" -initrd "$image_initramfs" \
				-append "console=ttyS0 panic=-1 quiet rblk.probe" \
				-serial "file:$log" </dev/null >/dev/null || true
		} 2>/dev/null
		if grep -q rblk-guest-is-up "$log"; then
			echo "$boot_id kvm"
		else
			echo "$boot_id tcg"
		fi >"$answer"
		rm -f "$log"
	fi
	if grep -q ' kvm$' "$answer"; then
		accel="-accel kvm -cpu host"
	fi
}
