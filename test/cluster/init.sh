#!/bin/bash
# The first process of a node's namespaces: makes them fit to live in, says that they are, and reaps orphans.
set -euo pipefail
dir=$1
# /proc is still the host's here: this is our pid as the host knows it.
read -r pid _ </proc/self/stat
mount -t proc proc /proc
mount --make-rshared /
# State that programs keep at fixed places: gone with the namespaces, and not shared with another cluster's.
for folder in /run /var/lib/cni /var/lib/kubelet; do
  mkdir -p "$folder"
  mount -t tmpfs tmpfs "$folder"
done
mount --bind "$dir/var-log" /var/log
# The kubelet writes a few sysctls that belong to the whole machine: it gets files that look like them.
mkdir -p "$dir/sysctl"
for name in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  [ -e "/proc/sys/$name" ] || continue
  copy=$dir/sysctl/${name//\//_}
  cat "/proc/sys/$name" >"$copy"
  mount --bind "$copy" "/proc/sys/$name"
done
echo "$pid" >"$dir/init.pid.tmp"
mv "$dir/init.pid.tmp" "$dir/init.pid"
# bash reaps any child, also those it has inherited, while it waits for one of its own.
while :; do sleep 1000000; done
